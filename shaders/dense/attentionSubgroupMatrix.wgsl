// The same function, bindings and Params as attention.wgsl for heads of 64 in f16, on subgroup matrices; strides and columns of q, k
// and v count vectors of eight halves. Needs a positive scale.
//
// One workgroup: 256 queries of one sequence and head, 32 a subgroup, over tiles of 32 keys that all eight subgroups share; the next
// tiles are fetched into registers meanwhile. Matrix elements are out of WGSL's reach, so scores pass through workgroup memory: each row of
// `scores` first holds the 32 scores of a query (f32), then in its first half their softmax weights (f16). In between one thread owns one
// query. Sums are rescaled, through the free half of the rows, only when some query's largest score has grown by more than 8 (weights
// reach 2^8, well inside f16). Unrolled by hand, hence the length. Measured on an H200, 10 x 5 heads of 18,432 tokens, in TFLOP/s:
//   this 164 (2 x 16 x 4,096 tokens: 153); without the barrier at the top of the loop 174, but scores may then, on paper, overwrite
//   weights that a lane still reads; subgroups without queries skipped 150;
//   four subgroups 131, two 126; four without fetching ahead 123; scores of the next tile computed beside the softmax 168;
//   four with weights apart from scores, scores transposed 137, with the next tile's scores 126; q in workgroup memory 127 (4), 72 (2);
//   16 queries a subgroup: 16 subgroups 153, eight 126, with 64 keys four 117.
alias Output = f32;
override hasQueryRows: bool = false;
override hasKeyRows: bool = false;
override hasWindows: bool = false;
struct Params {
  heads: u32, headVectors: u32, sequences: u32, // head size / 8
  firstSequence: u32,                         // of this window, for keySequences
  keySequences: u32, queries: u32, keys: u32, // sequence s reads keys of s mod keySequences; rows per sequence
  queryTiles: u32,
  queryStride: u32, queryColumn: u32,         // in vectors of eight
  keyStride: u32, keyColumn: u32,
  valueStride: u32, valueColumn: u32,
  outputStride: u32,                          // in vectors of four
  scale: f32,                                 // times log2(e): the softmax is taken with exp2
}
@group(0) @binding(0) var<storage, read> q: array<vec4<u32>>;        // f16 [rows, queryStride]
@group(0) @binding(1) var<storage, read> k: array<vec4<u32>>;        // f16 [key rows, keyStride]
@group(0) @binding(2) var<storage, read> v: array<vec4<u32>>;        // f16 [key rows, valueStride]
@group(0) @binding(3) var<storage, read> queryRows: array<u32>;      // [positions]: row of q and y
@group(0) @binding(4) var<storage, read> keyRows: array<u32>;        // [key positions]: row of k and v
@group(0) @binding(5) var<storage, read> offsets: array<u32>;        // [sequences + 1]: positions of each sequence, queries and keys alike
@group(0) @binding(6) var<storage, read_write> y: array<vec4<Output>>; // [rows, outputStride]
@group(0) @binding(7) var<uniform> params: Params;

const tileQueries = 256u;
const tileKeys = 32u;
const pitch = 9u;        // vectors of 16 bytes between rows: 64 halves or 32 floats, and one of padding
const lowest = -1.0e30;
var<workgroup> tileK: array<vec4<u32>, tileKeys * pitch>;
var<workgroup> tileV: array<vec4<u32>, tileKeys * pitch>;
var<workgroup> scores: array<vec4<u32>, tileQueries * pitch>; // queries at first
var<workgroup> grown: atomic<u32>;                            // first key of the last tile in which a largest score grew

fn queryRow(position: u32) -> u32 {
  if (hasQueryRows) { return queryRows[position]; }
  return position;
}

fn keyRow(position: u32) -> u32 {
  if (hasKeyRows) { return keyRows[position]; }
  return position;
}

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

// After the first function: the reader of declarations cannot parse these types.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;

@compute @workgroup_size(tileQueries)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  let sequence = index / params.queryTiles / params.heads;
  if (sequence >= params.sequences) { return; }
  let head = index / params.queryTiles % params.heads;
  let query0 = index % params.queryTiles * tileQueries;
  var firstQuery = sequence * params.queries;
  var firstKey = (params.firstSequence + sequence) % params.keySequences * params.keys;
  var queryCount = params.queries;
  var keyCount = params.keys;
  if (hasWindows) {
    firstQuery = offsets[sequence];
    firstKey = firstQuery;
    queryCount = offsets[sequence + 1u] - firstQuery;
    keyCount = queryCount;
  }
  if (query0 >= queryCount) { return; }
  let inside = query0 + thread < queryCount;
  var row = 0u;
  if (inside) { row = queryRow(firstQuery + query0 + thread); }
  let fromQuery = row * params.queryStride + params.queryColumn + head * params.headVectors;
  let own = thread * pitch;                  // this thread's query
  let upper = thread / 32u * 32u * pitch;    // queries 0 .. 15 of this subgroup
  let lower = upper + 16u * pitch;           // queries 16 .. 31
  for (var i = 0u; i < 8u; i++) { scores[own + i] = select(vec4<u32>(), q[fromQuery + i], inside); }
  workgroupBarrier();
  let q00 = subgroupMatrixLoad<Left, row_major>(&scores, upper, pitch);
  let q01 = subgroupMatrixLoad<Left, row_major>(&scores, upper + 2u, pitch);
  let q02 = subgroupMatrixLoad<Left, row_major>(&scores, upper + 4u, pitch);
  let q03 = subgroupMatrixLoad<Left, row_major>(&scores, upper + 6u, pitch);
  let q10 = subgroupMatrixLoad<Left, row_major>(&scores, lower, pitch);
  let q11 = subgroupMatrixLoad<Left, row_major>(&scores, lower + 2u, pitch);
  let q12 = subgroupMatrixLoad<Left, row_major>(&scores, lower + 4u, pitch);
  let q13 = subgroupMatrixLoad<Left, row_major>(&scores, lower + 6u, pitch);

  let loadRow = thread / 8u; // a vector a thread: 32 keys of 8 vectors
  let loadAt = loadRow * pitch + thread % 8u;
  let fromKey = params.keyColumn + head * params.headVectors + thread % 8u;
  let fromValue = params.valueColumn + head * params.headVectors + thread % 8u;
  tileK[loadAt] = loadK(fromKey, firstKey, loadRow, keyCount);
  var nextK = loadK(fromKey, firstKey, tileKeys + loadRow, keyCount);
  var nextV = loadV(fromValue, firstKey, loadRow, keyCount);
  var largest = 0.0; // score of this thread's query, in powers of two
  var total = 0.0;
  var sum00: Sum; var sum01: Sum; var sum02: Sum; var sum03: Sum;
  var sum10: Sum; var sum11: Sum; var sum12: Sum; var sum13: Sum;
  for (var key0 = 0u; key0 < keyCount; key0 += tileKeys) {
    // Written out: arrays of matrices indexed in loops live in memory. `= Sum()`: in a loop Dawn does not clear variables by itself.
    var score00 = Sum(); var score01 = Sum();
    var score10 = Sum(); var score11 = Sum();
    workgroupBarrier(); // K is there, weights and V of the last tile are used up
    let key00 = subgroupMatrixLoad<Right, col_major>(&tileK, 0u, pitch);
    score00 = subgroupMatrixMultiplyAccumulate(q00, key00, score00);
    score10 = subgroupMatrixMultiplyAccumulate(q10, key00, score10);
    let key01 = subgroupMatrixLoad<Right, col_major>(&tileK, 16u * pitch, pitch);
    score01 = subgroupMatrixMultiplyAccumulate(q00, key01, score01);
    score11 = subgroupMatrixMultiplyAccumulate(q10, key01, score11);
    let key10 = subgroupMatrixLoad<Right, col_major>(&tileK, 2u, pitch);
    score00 = subgroupMatrixMultiplyAccumulate(q01, key10, score00);
    score10 = subgroupMatrixMultiplyAccumulate(q11, key10, score10);
    let key11 = subgroupMatrixLoad<Right, col_major>(&tileK, 16u * pitch + 2u, pitch);
    score01 = subgroupMatrixMultiplyAccumulate(q01, key11, score01);
    score11 = subgroupMatrixMultiplyAccumulate(q11, key11, score11);
    let key20 = subgroupMatrixLoad<Right, col_major>(&tileK, 4u, pitch);
    score00 = subgroupMatrixMultiplyAccumulate(q02, key20, score00);
    score10 = subgroupMatrixMultiplyAccumulate(q12, key20, score10);
    let key21 = subgroupMatrixLoad<Right, col_major>(&tileK, 16u * pitch + 4u, pitch);
    score01 = subgroupMatrixMultiplyAccumulate(q02, key21, score01);
    score11 = subgroupMatrixMultiplyAccumulate(q12, key21, score11);
    let key30 = subgroupMatrixLoad<Right, col_major>(&tileK, 6u, pitch);
    score00 = subgroupMatrixMultiplyAccumulate(q03, key30, score00);
    score10 = subgroupMatrixMultiplyAccumulate(q13, key30, score10);
    let key31 = subgroupMatrixLoad<Right, col_major>(&tileK, 16u * pitch + 6u, pitch);
    score01 = subgroupMatrixMultiplyAccumulate(q03, key31, score01);
    score11 = subgroupMatrixMultiplyAccumulate(q13, key31, score11);
    subgroupMatrixStore<row_major>(&scores, upper, score00, pitch);
    subgroupMatrixStore<row_major>(&scores, upper + 4u, score01, pitch);
    subgroupMatrixStore<row_major>(&scores, lower, score10, pitch);
    subgroupMatrixStore<row_major>(&scores, lower + 4u, score11, pitch);
    workgroupBarrier(); // scores are there; K, and V of the last tile, are used up
    tileV[loadAt] = nextV;
    nextV = loadV(fromValue, firstKey, key0 + tileKeys + loadRow, keyCount);
    tileK[loadAt] = nextK;
    nextK = loadK(fromKey, firstKey, key0 + 2u * tileKeys + loadRow, keyCount);

    var s0 = floats(own); var s1 = floats(own + 1u); var s2 = floats(own + 2u); var s3 = floats(own + 3u);
    var s4 = floats(own + 4u); var s5 = floats(own + 5u); var s6 = floats(own + 6u); var s7 = floats(own + 7u);
    if (key0 + tileKeys > keyCount) {
      let count = vec4u(keyCount - key0);
      let first = vec4u(0u, 1u, 2u, 3u);
      s0 = select(vec4f(lowest), s0, first < count);
      s1 = select(vec4f(lowest), s1, first + 4u < count);
      s2 = select(vec4f(lowest), s2, first + 8u < count);
      s3 = select(vec4f(lowest), s3, first + 12u < count);
      s4 = select(vec4f(lowest), s4, first + 16u < count);
      s5 = select(vec4f(lowest), s5, first + 20u < count);
      s6 = select(vec4f(lowest), s6, first + 24u < count);
      s7 = select(vec4f(lowest), s7, first + 28u < count);
    }
    let four = max(max(max(s0, s1), max(s2, s3)), max(max(s4, s5), max(s6, s7)));
    let best = params.scale * max(max(four.x, four.y), max(four.z, four.w));
    var factor = 1.0;
    if (key0 == 0u) { largest = best; }
    if (best > largest + 8.0) {
      factor = exp2(largest - best);
      largest = best;
      atomicStore(&grown, key0);
    }
    let scale = vec4f(params.scale);
    let shift = vec4f(-largest);
    let w0 = exp2(fma(s0, scale, shift)); let w1 = exp2(fma(s1, scale, shift));
    let w2 = exp2(fma(s2, scale, shift)); let w3 = exp2(fma(s3, scale, shift));
    let w4 = exp2(fma(s4, scale, shift)); let w5 = exp2(fma(s5, scale, shift));
    let w6 = exp2(fma(s6, scale, shift)); let w7 = exp2(fma(s7, scale, shift));
    let added = ((w0 + w1) + (w2 + w3)) + ((w4 + w5) + (w6 + w7));
    total = total * factor + (added.x + added.y) + (added.z + added.w);
    scores[own] = halves(w0, w1);
    scores[own + 1u] = halves(w2, w3);
    scores[own + 2u] = halves(w4, w5);
    scores[own + 3u] = halves(w6, w7);
    if (workgroupUniformLoad(&grown) == key0 && key0 > 0u) { // holds barriers: weights, V and the next K are there
      for (var column = 0u; column < 4u; column++) {
        switch column {
          case 0u: { subgroupMatrixStore<row_major>(&scores, upper + 4u, sum00, pitch); subgroupMatrixStore<row_major>(&scores, lower + 4u, sum10, pitch); }
          case 1u: { subgroupMatrixStore<row_major>(&scores, upper + 4u, sum01, pitch); subgroupMatrixStore<row_major>(&scores, lower + 4u, sum11, pitch); }
          case 2u: { subgroupMatrixStore<row_major>(&scores, upper + 4u, sum02, pitch); subgroupMatrixStore<row_major>(&scores, lower + 4u, sum12, pitch); }
          default: { subgroupMatrixStore<row_major>(&scores, upper + 4u, sum03, pitch); subgroupMatrixStore<row_major>(&scores, lower + 4u, sum13, pitch); }
        }
        workgroupBarrier();
        for (var i = 4u; i < 8u; i++) { scores[own + i] = bitcast<vec4<u32>>(factor * floats(own + i)); }
        workgroupBarrier();
        let above = subgroupMatrixLoad<Sum, row_major>(&scores, upper + 4u, pitch);
        let below = subgroupMatrixLoad<Sum, row_major>(&scores, lower + 4u, pitch);
        switch column {
          case 0u: { sum00 = above; sum10 = below; }
          case 1u: { sum01 = above; sum11 = below; }
          case 2u: { sum02 = above; sum12 = below; }
          default: { sum03 = above; sum13 = below; }
        }
        workgroupBarrier();
      }
    }
    for (var half = 0u; half < 2u; half++) { // keys 0 .. 15 and 16 .. 31 of the tile
      let weight0 = subgroupMatrixLoad<Left, row_major>(&scores, upper + half * 2u, pitch);
      let weight1 = subgroupMatrixLoad<Left, row_major>(&scores, lower + half * 2u, pitch);
      let values = half * 16u * pitch;
      let value0 = subgroupMatrixLoad<Right, row_major>(&tileV, values, pitch);
      sum00 = subgroupMatrixMultiplyAccumulate(weight0, value0, sum00);
      sum10 = subgroupMatrixMultiplyAccumulate(weight1, value0, sum10);
      let value1 = subgroupMatrixLoad<Right, row_major>(&tileV, values + 2u, pitch);
      sum01 = subgroupMatrixMultiplyAccumulate(weight0, value1, sum01);
      sum11 = subgroupMatrixMultiplyAccumulate(weight1, value1, sum11);
      let value2 = subgroupMatrixLoad<Right, row_major>(&tileV, values + 4u, pitch);
      sum02 = subgroupMatrixMultiplyAccumulate(weight0, value2, sum02);
      sum12 = subgroupMatrixMultiplyAccumulate(weight1, value2, sum12);
      let value3 = subgroupMatrixLoad<Right, row_major>(&tileV, values + 6u, pitch);
      sum03 = subgroupMatrixMultiplyAccumulate(weight0, value3, sum03);
      sum13 = subgroupMatrixMultiplyAccumulate(weight1, value3, sum13);
    }
  }
  let toOutput = row * params.outputStride + head * 16u;
  for (var half = 0u; half < 2u; half++) { // columns 0 .. 31 and 32 .. 63
    workgroupBarrier();
    if (half == 0u) {
      subgroupMatrixStore<row_major>(&scores, upper, sum00, pitch);
      subgroupMatrixStore<row_major>(&scores, upper + 4u, sum01, pitch);
      subgroupMatrixStore<row_major>(&scores, lower, sum10, pitch);
      subgroupMatrixStore<row_major>(&scores, lower + 4u, sum11, pitch);
    } else {
      subgroupMatrixStore<row_major>(&scores, upper, sum02, pitch);
      subgroupMatrixStore<row_major>(&scores, upper + 4u, sum03, pitch);
      subgroupMatrixStore<row_major>(&scores, lower, sum12, pitch);
      subgroupMatrixStore<row_major>(&scores, lower + 4u, sum13, pitch);
    }
    workgroupBarrier();
    if (inside) {
      for (var i = 0u; i < 8u; i++) { y[toOutput + half * 8u + i] = vec4<Output>(floats(own + i) / total); }
    }
  }
}
