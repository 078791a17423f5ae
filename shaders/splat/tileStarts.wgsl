// starts[tile] = number of pairs that belong to earlier tiles, by bisection of the sorted tiles; starts[tileCount] = pairs.
override workgroupSize: u32 = 64;
struct Params { pairs: u32, tileCount: u32 }
@group(0) @binding(0) var<storage, read> tiles: array<u32>;         // [>= pairs] ascending
@group(0) @binding(1) var<storage, read_write> starts: array<u32>;  // [tileCount + 1]
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let tile = id.x + id.y * groups.x * workgroupSize;
  if (tile > params.tileCount) { return; }
  var low = 0u;
  var high = params.pairs;
  while (low < high) {
    let middle = low + (high - low) / 2u;
    if (tiles[middle] < tile) { low = middle + 1u; } else { high = middle; }
  }
  starts[tile] = low;
}
