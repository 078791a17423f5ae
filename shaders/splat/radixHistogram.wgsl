// histogram[digit, block] = how many keys of a block of 2,048 have that digit, (key >> shift) & 15. One workgroup a block.
struct Params { count: u32, blocks: u32, shift: u32 }
@group(0) @binding(0) var<storage, read> keys: array<u32>;             // [>= count]
@group(0) @binding(1) var<storage, read_write> histogram: array<u32>;  // [16, blocks]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> bins: array<atomic<u32>, 16>; // whole numbers: the order of additions does not show

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  if (local < 16u) { atomicStore(&bins[local], 0u); }
  workgroupBarrier();
  for (var i = 0u; i < 8u; i++) {
    let index = block * 2048u + i * 256u + local;
    if (index < params.count) { atomicAdd(&bins[(keys[index] >> params.shift) & 15u], 1u); }
  }
  workgroupBarrier();
  if (block < params.blocks && local < 16u) { histogram[local * params.blocks + block] = atomicLoad(&bins[local]); }
}
