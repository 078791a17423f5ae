// y[m, c] = factor * sum_s x[image * imageRowsIn + table[m mod imageRowsOut, s], c], image = m / imageRowsOut; entries of -1 add nothing.
// factor is 1, or 1 / (entries + 1) where `countPlusOne`. One invocation an element; sums in f32, in the order of the entries.
alias Input = f32;  // or vec4 of f32 or f16; count and columns in vectors
alias Values = f32; // as many f32
alias Output = f32; // or as many f16
override workgroupSize: u32 = 64;
override countPlusOne: bool = false;
struct Params {
  count: u32,         // rows * columns of y
  columns: u32,
  entries: u32,       // of a row of the table
  first: u32,         // element of y that this window of it begins to write
  imageRowsIn: u32, imageRowsOut: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;            // [images * imageRowsIn, columns]
@group(0) @binding(1) var<storage, read> table: array<i32>;          // [imageRowsOut, entries]
@group(0) @binding(2) var<storage, read_write> y: array<Output>;     // [images * imageRowsOut, columns]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.count) { return; }
  let row = index / params.columns;
  let column = index - row * params.columns;
  let image = row / params.imageRowsOut;
  let firstEntry = (row - image * params.imageRowsOut) * params.entries;
  var sum = Values();
  var present = 0.0;
  for (var entry = 0u; entry < params.entries; entry++) {
    let source = table[firstEntry + entry];
    if (source < 0) { continue; }
    sum += Values(x[(image * params.imageRowsIn + u32(source)) * params.columns + column]);
    present += 1.0;
  }
  y[params.first + index] = Output(select(sum, sum / (present + 1.0), countPlusOne));
}
