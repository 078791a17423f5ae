// counts[f] += number of bits of seen[f]; then seen and nearest are 0 again, ready for the next views.
// One invocation per element of the longer of the two.
override workgroupSize: u32 = 64;

struct Params {
  faces: u32,      // F
  pixels: u32,     // of all views together
}

@group(0) @binding(0) var<storage, read_write> seen: array<u32>;       // [F]
@group(0) @binding(1) var<storage, read_write> nearest: array<u32>;    // [pixels]
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;     // [F]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * workgroupSize + id.x;
  if (index < params.faces) {
    counts[index] += countOneBits(seen[index]);
    seen[index] = 0u;
  }
  if (index < params.pixels) { nearest[index] = 0u; }
}
