// Included behind declarations of `before`, `summed`, params.blocks and `partial`, array<vec2u, 256> of a workgroup: prefix sums over several
// blocks.
// include "splat/saturatingAdd"

// What all blocks before the workgroup's and all invocations before this one have together, of which each has `own`.
fn sumBefore(block: u32, local: u32, own: u32) -> u32 {
  var totals = 0u;
  if (summed) {
    if (local == 0u && block < params.blocks) { totals = before[block]; }
  } else {
    for (var b = local; b < min(block, params.blocks); b += 256u) { totals = add(totals, before[b]); }
  }
  partial[local] = vec2u(own, totals);
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
  return sum;
}
