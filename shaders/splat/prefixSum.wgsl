// sums[i] = values[0] + ... + values[i - 1]; i runs to `count`, one past the last value. One workgroup a block of 2,048, 8 neighbouring
// values an invocation; it adds up the totals of the blocks before its own, or finds their sum.
override gathered: bool = false; // values[order[i]] instead of values[i]
override ofBits: bool = false;   // bits set in values[i] instead of values[i]; sums[i] = (values[i], sum)
override summed: bool = false;   // before[b] = the sum of the blocks before b instead of the total of b
struct Params { count: u32, blocks: u32 }
@group(0) @binding(0) var<storage, read> values: array<u32>;        // [count]
@group(0) @binding(1) var<storage, read> order: array<u32>;         // [count], where gathered
@group(0) @binding(2) var<storage, read> before: array<u32>;        // [blocks], where there are several
@group(0) @binding(3) var<storage, read_write> sums: array<u32>;    // [count + 1], or [count + 1, 2] of bits
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> partial: array<vec2u, 256>; // inclusive sums over the invocations: own values, totals before

// include "splat/prefixSumValues"

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  let first = (block * 256u + local) * 8u;
  var own = vec2u();
  for (var i = 0u; i < 8u; i++) { own.x = add(own.x, valueAt(first + i)); }
  if (summed) {
    if (local == 0u && block < params.blocks) { own.y = before[block]; }
  } else {
    for (var b = local; b < min(block, params.blocks); b += 256u) { own.y = add(own.y, before[b]); }
  }
  partial[local] = own;
  workgroupBarrier();
  for (var distance = 1u; distance < 256u; distance *= 2u) {
    var others = vec2u();
    if (local >= distance) { others = partial[local - distance]; }
    workgroupBarrier();
    partial[local] = vec2u(add(others.x, partial[local].x), add(others.y, partial[local].y));
    workgroupBarrier();
  }
  var sum = partial[255].y;
  if (local > 0u) { sum = add(sum, partial[local - 1u].x); }
  for (var i = first; i < first + 8u; i++) {
    if (i <= params.count) {
      if (ofBits) {
        sums[i * 2u] = select(0u, values[min(i, params.count - 1u)], i < params.count);
        sums[i * 2u + 1u] = sum;
      } else {
        sums[i] = sum;
      }
    }
    sum = add(sum, valueAt(i));
  }
}
