// One pass of a stable radix sort by 4 bits: every key of a block of 2,048 goes to starts[digit, block] + its rank among the block's keys of
// that digit. One workgroup a block, 8 neighbouring keys an invocation: counts of (digit, invocation), their prefix sum, then ranks.
override valuesAreIndices: bool = false; // the value of key i is i
struct Params { count: u32, blocks: u32, shift: u32 }
@group(0) @binding(0) var<storage, read> keys: array<u32>;                // [>= count]
@group(0) @binding(1) var<storage, read> values: array<u32>;              // [>= count], unless valuesAreIndices
@group(0) @binding(2) var<storage, read> starts: array<u32>;              // [16, blocks] prefix sum of the histogram
@group(0) @binding(3) var<storage, read_write> sortedKeys: array<u32>;    // [>= count]
@group(0) @binding(4) var<storage, read_write> sortedValues: array<u32>;  // [>= count]
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> ranks: array<u32, 4096>;   // [digit, invocation]
var<workgroup> partial: array<u32, 256>;
var<workgroup> firstRank: array<u32, 16>; // of a digit in the block

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  let first = (block * 256u + local) * 8u;
  for (var digit = 0u; digit < 16u; digit++) { ranks[digit * 256u + local] = 0u; }
  for (var i = 0u; i < 8u; i++) {
    if (first + i < params.count) { ranks[((keys[first + i] >> params.shift) & 15u) * 256u + local] += 1u; }
  }
  workgroupBarrier();
  var own = 0u;
  for (var i = 0u; i < 16u; i++) { own += ranks[local * 16u + i]; }
  partial[local] = own;
  workgroupBarrier();
  for (var distance = 1u; distance < 256u; distance *= 2u) {
    var before = 0u;
    if (local >= distance) { before = partial[local - distance]; }
    workgroupBarrier();
    partial[local] += before;
    workgroupBarrier();
  }
  var sum = partial[local] - own;
  for (var i = 0u; i < 16u; i++) {
    let count = ranks[local * 16u + i];
    ranks[local * 16u + i] = sum;
    sum += count;
  }
  workgroupBarrier();
  if (local < 16u) { firstRank[local] = ranks[local * 256u]; }
  workgroupBarrier();
  for (var i = 0u; i < 8u; i++) {
    let index = first + i;
    if (index >= params.count) { break; }
    let key = keys[index];
    let digit = (key >> params.shift) & 15u;
    let rank = ranks[digit * 256u + local];
    ranks[digit * 256u + local] = rank + 1u;
    let destination = starts[digit * params.blocks + block] + rank - firstRank[digit];
    sortedKeys[destination] = key;
    if (valuesAreIndices) { sortedValues[destination] = index; } else { sortedValues[destination] = values[index]; }
  }
}
