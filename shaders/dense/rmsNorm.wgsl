// x[r, column + h * headSize + d] <- v / max(|v|, 1e-12) * gamma[h, d] * sqrt(headSize), v = x[r, column + h * headSize ..]: the head's
// vector scaled to length sqrt(headSize), in place. threadsPerHead threads share a head and keep its values in registers, one barrier between
// reading and writing; a thread does the same head of rowsPerThread rows. Maths in f32. On an H200 (8,192 rows x 32 heads of 64, f16; threads
// a head x rows a thread: microseconds): 16 x 1: 43, 16 x 2: 24, 8 x 1: 24, 8 x 2: 17 (24 when it read twice and summed in a tree).
alias Element = f32; // or vec4 of f32 or f16
alias Values = f32;  // as many f32
override workgroupSize: u32 = 64;
override threadsPerHead: u32 = 8;    // a divisor of workgroupSize
override vectorsPerThread: u32 = 1;  // of a head
override rowsPerThread: u32 = 1;
struct Params {
  rows: u32, heads: u32, vectors: u32, // of a head
  stride: u32, column: u32,            // in vectors
  length: f32,                         // sqrt(headSize)
}
@group(0) @binding(0) var<storage, read_write> x: array<Element>;    // [rows, stride]
@group(0) @binding(1) var<storage, read> gamma: array<Values>;       // [heads, headSize]
@group(0) @binding(2) var<uniform> params: Params;

const most = 16u; // values of a thread, rowsPerThread * vectorsPerThread at most
var<workgroup> squares: array<f32, workgroupSize * rowsPerThread>;   // [rowsPerThread, threads]

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (group.x + group.y * groups.x) * (workgroupSize / threadsPerHead) + thread / threadsPerHead;
  let lane = thread % threadsPerHead;
  let head = index % params.heads;
  let row = index / params.heads * rowsPerThread;
  let base = row * params.stride + params.column + head * params.vectors;
  var values = array<Values, most>();
  for (var r = 0u; r < rowsPerThread; r++) {
    for (var i = 0u; i < vectorsPerThread; i++) {
      let d = lane + i * threadsPerHead;
      if (d < params.vectors && row + r < params.rows) { values[r * vectorsPerThread + i] = Values(x[base + r * params.stride + d]); }
    }
  }
  for (var r = 0u; r < rowsPerThread; r++) {
    var sum = 0.0;
    for (var i = 0u; i < vectorsPerThread; i++) {
      let v = length(values[r * vectorsPerThread + i]); // of a number or a vector
      sum += v * v;
    }
    squares[r * workgroupSize + thread] = sum;
  }
  workgroupBarrier();
  for (var r = 0u; r < rowsPerThread; r++) {
    var sum = 0.0;
    for (var i = 0u; i < threadsPerHead; i++) { sum += squares[r * workgroupSize + thread - lane + i]; }
    let factor = params.length / max(sqrt(sum), 1e-12);
    for (var i = 0u; i < vectorsPerThread; i++) {
      let d = lane + i * threadsPerHead;
      if (d < params.vectors && row + r < params.rows) {
        x[base + r * params.stride + d] = Element(values[r * vectorsPerThread + i] * factor * gamma[head * params.vectors + d]);
      }
    }
  }
}
