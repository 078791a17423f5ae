// Functions of attentionSubgroupMatrix.wgsl that know no matrices: rows of tables, queries, keys and values, and the rows of `scores`.
// include "dense/attentionRows"
// include "dense/blocks"

fn loadK(column: u32, firstKey: u32, key: u32, keyCount: u32) -> vec4<u32> { // the last key again behind the last
  return k[keyRow(firstKey + min(key, keyCount - 1u)) * params.keyStride + column];
}

fn loadV(column: u32, firstKey: u32, key: u32, keyCount: u32) -> vec4<u32> { // zeros behind the last
  if (key >= keyCount) { return vec4<u32>(); }
  return v[keyRow(firstKey + key) * params.valueStride + column];
}

fn floats(at: u32) -> vec4f { return bitcast<vec4f>(scores[at]); }

fn halves(a: vec4f, b: vec4f) -> vec4<u32> {
  return vec4<u32>(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
}

fn loadQuery(column: u32, firstQuery: u32, query: u32, queryCount: u32) -> vec4<u32> {
  if (query >= queryCount) { return vec4<u32>(); }
  return q[queryRow(firstQuery + query) * params.queryStride + column];
}

struct Vectors { a: vec4<u32>, b: vec4<u32>, c: vec4<u32>, d: vec4<u32> } // of four rows

fn loadQueries(column: u32, firstQuery: u32, queries: vec4u, queryCount: u32) -> Vectors {
  return Vectors(loadQuery(column, firstQuery, queries.x, queryCount), loadQuery(column, firstQuery, queries.y, queryCount),
    loadQuery(column, firstQuery, queries.z, queryCount), loadQuery(column, firstQuery, queries.w, queryCount));
}

fn putQueries(to: u32, four: Vectors) {
  scores[to] = four.a;
  scores[to + rowsApart * rowPitch] = four.b;
  scores[to + 2u * rowsApart * rowPitch] = four.c;
  scores[to + 3u * rowsApart * rowPitch] = four.d;
}

fn scaleRow(own: u32, factor: f32) {
  workgroupBarrier();
  for (var i = 0u; i < min(params.headVectors, 4u); i++) { scores[own + i] = bitcast<vec4<u32>>(factor * floats(own + i)); } // 4
  workgroupBarrier();
}

// 16 columns of all queries from their rows, whose padding holds what to multiply by; four threads a row.
fn writeRows(column: u32, thread: u32, firstQuery: u32, query0: u32, queryCount: u32) {
  workgroupBarrier();
  for (var i = 0u; i < 4u; i++) {
    let moved = thread / 4u + i * rowsApart;
    let start = moved * rowPitch;
    if (query0 + moved < queryCount) {
      let to = placeInBlocks(blockedY, queryRow(firstQuery + query0 + moved), column + thread % 4u, params.outputStride, 8u);
      y[to] = vec4<Output>(bitcast<f32>(scores[start + 4u].x) * floats(start + thread % 4u));
    }
  }
  workgroupBarrier();
}
