// Functions of attentionSubgroupMatrix.wgsl that know no matrices: rows of tables, queries, keys and values, and the rows of `scores`.
// include "dense/attentionRows"

fn loadK(column: u32, firstKey: u32, key: u32, keyCount: u32) -> vec4<u32> {
  if (key >= keyCount) { return vec4<u32>(); }
  return k[keyRow(firstKey + key) * params.keyStride + column];
}

fn loadV(column: u32, firstKey: u32, key: u32, keyCount: u32) -> vec4<u32> {
  if (key >= keyCount) { return vec4<u32>(); }
  return v[keyRow(firstKey + key) * params.valueStride + column];
}

fn floats(at: u32) -> vec4f { return bitcast<vec4f>(scores[at]); }

fn halves(a: vec4f, b: vec4f) -> vec4<u32> {
  return vec4<u32>(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
}

fn stageQueries(own: u32, fromQuery: u32, first: u32, inside: bool) { // 32 columns
  workgroupBarrier();
  for (var i = 0u; i < 4u; i++) { scores[own + i] = select(vec4<u32>(), q[fromQuery + min(first + i, vectors - 1u)], inside); }
  workgroupBarrier();
}

fn scaleRow(own: u32, factor: f32) {
  workgroupBarrier();
  for (var i = 0u; i < min(params.headVectors, 4u); i++) { scores[own + i] = bitcast<vec4<u32>>(factor * floats(own + i)); } // 4
  workgroupBarrier();
}

fn writeRow(own: u32, to: u32, total: f32, inside: bool) { // 16 columns
  workgroupBarrier();
  if (inside) { for (var i = 0u; i < 4u; i++) { y[to + i] = vec4<Output>(floats(own + i) / total); } }
  workgroupBarrier();
}
