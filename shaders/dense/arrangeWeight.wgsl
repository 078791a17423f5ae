// y[e] = cast(raw[first + stored(e)]): a tensor as it lies in a checkpoint file, cast to f16 or f32 and rearranged, by integers, so that
// every device gives the bits of weights/arrangeWeight.ts. stored(e) is where element e lies before a permutation of axes and zero
// padding of the last one. A thread makes one 32-bit word of y. flags[0] becomes 1 where a value is not finite or has no float16.
override workgroupSize: u32 = 64;
override halves: bool = true;      // y: two f16 a word, else one f32
override rawHalves: bool = true;   // raw: two f16 or bf16 a word, else one f32
override rawBrain: bool = false;   // raw: bf16
struct Params {
  words: u32, elements: u32,          // of this window; of all
  firstElement: u32,
  firstRaw: u32,                      // element of raw where the tensor begins
  lastPadded: u32, last: u32,         // length of the last axis with and without padding
  rank: u32,                          // axes used, the last ones of the eight
  extent0: vec4u, extent1: vec4u,     // of y without padding, outermost first, neighbouring axes merged
  stride0: vec4u, stride1: vec4u,     // of the stored tensor, along the axes of y
}
@group(0) @binding(0) var<storage, read> raw: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;               // [words]
@group(0) @binding(2) var<storage, read_write> flags: array<atomic<u32>>;   // [1]
@group(0) @binding(3) var<uniform> params: Params;

// include "dense/float16Bits"

fn float32BitsOf(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16u;
  let magnitude = half & 0x7fffu;
  if (magnitude >= 0x400u) { return sign | ((magnitude << 13u) + 0x38000000u); }
  return sign | bitcast<u32>(f32(magnitude) * 5.9604644775390625e-8);
}

// include "dense/sourceIndex"

fn valueBits(element: u32) -> u32 {
  if (element >= params.elements) { return 0u; }
  var unpadded = element;
  if (params.lastPadded != params.last) {
    let row = element / params.lastPadded;
    let column = element - row * params.lastPadded;
    if (column >= params.last) { return 0u; }
    unpadded = row * params.last + column;
  }
  let at = params.firstRaw + sourceIndex(unpadded, params.rank);
  if (rawHalves && !rawBrain) {
    let half = (raw[at >> 1u] >> ((at & 1u) * 16u)) & 0xffffu;
    if ((half & 0x7c00u) == 0x7c00u) { atomicMax(&flags[0], 1u); }
    if (halves) { return half; }
    return float32BitsOf(half);
  }
  var bits = 0u;
  if (rawBrain) { bits = ((raw[at >> 1u] >> ((at & 1u) * 16u)) & 0xffffu) << 16u; } else { bits = raw[at]; }
  // 0x477fe000 is 65504, the largest float16; 0x7f7fffff the largest float32.
  if ((bits & 0x7fffffffu) > select(0x7f7fffffu, 0x477fe000u, halves)) { atomicMax(&flags[0], 1u); }
  if (halves) { return float16Bits(bits); }
  return bits;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let word = (group.x + group.y * groups.x) * workgroupSize + thread;
  if (word >= params.words) { return; }
  if (halves) {
    let element = params.firstElement + 2u * word;
    y[word] = valueBits(element) | (valueBits(element + 1u) << 16u);
  } else {
    y[word] = valueBits(params.firstElement + word);
  }
}
