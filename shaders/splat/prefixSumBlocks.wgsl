// sums[i] = values[0] + ... + values[i - 1] within blocks of 2,048, and the total of every block; i runs to `count`, one past the last
// value. One workgroup a block, 8 neighbouring values an invocation. Sums saturate at 2^32 - 1 (saturating addition is associative).
override gathered: bool = false; // values[order[i]] instead of values[i]
struct Params { count: u32, blocks: u32 }
@group(0) @binding(0) var<storage, read> values: array<u32>;        // [count]
@group(0) @binding(1) var<storage, read> order: array<u32>;         // [count], where gathered
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;    // [count + 1]
@group(0) @binding(3) var<storage, read_write> totals: array<u32>;  // [blocks]
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> partial: array<u32, 256>;

const perInvocation = 8u;

fn add(a: u32, b: u32) -> u32 {
  let sum = a + b;
  return select(sum, 0xffffffffu, sum < a);
}

fn valueAt(index: u32) -> u32 {
  if (index >= params.count) { return 0u; }
  if (gathered) { return values[order[index]]; }
  return values[index];
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  let first = (block * 256u + local) * perInvocation;
  var own = 0u;
  for (var i = 0u; i < perInvocation; i++) { own = add(own, valueAt(first + i)); }
  partial[local] = own;
  workgroupBarrier();
  for (var distance = 1u; distance < 256u; distance *= 2u) {
    var before = 0u;
    if (local >= distance) { before = partial[local - distance]; }
    workgroupBarrier();
    partial[local] = add(before, partial[local]);
    workgroupBarrier();
  }
  if (block >= params.blocks) { return; }
  if (local == 255u) { totals[block] = partial[255]; }
  var sum = 0u;
  if (local > 0u) { sum = partial[local - 1u]; }
  for (var i = 0u; i < perInvocation; i++) {
    if (first + i <= params.count) { sums[first + i] = sum; }
    sum = add(sum, valueAt(first + i));
  }
}
