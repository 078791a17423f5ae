// y[e] = f16(f32(offset + f32(u * scale))), u = (hash >> 8) * 2^-23 - 1, hash = mix(mix(i) xor key): the counter-based generator of
// engine/random/synthetic.ts, bit for bit. i = stored(e) is the element of the stored tensor that lies at e after a permutation of axes
// and zero padding of the last one. A thread makes one 32-bit word: two f16, or one f32 that holds the same value.
override workgroupSize: u32 = 64;
override halves: bool = true;
override rank: u32 = 8; // axes used, the last ones of the eight
struct Params {
  words: u32, elements: u32,          // of this window; of all
  firstElement: u32,
  key: u32, offset: f32, scale: f32,
  opaqueZero: u32,                    // 0, which the compiler does not know
  lastPadded: u32, last: u32,         // length of the last axis with and without padding
  extent0: vec4u, extent1: vec4u,     // of y without padding, outermost first, neighbouring axes merged
  stride0: vec4u, stride1: vec4u,     // of the stored tensor, along the axes of y
}
@group(0) @binding(0) var<storage, read_write> y: array<u32>;     // [words]
@group(0) @binding(1) var<uniform> params: Params;

fn mix(v: u32) -> u32 { // "lowbias32"
  var x = v;
  x ^= x >> 16u;
  x *= 0x7feb352du;
  x ^= x >> 15u;
  x *= 0x846ca68bu;
  return x ^ (x >> 16u);
}

// A compiler may contract or reorder float operations; it cannot look through this.
fn opaque(v: f32) -> f32 { return bitcast<f32>(bitcast<u32>(v) ^ params.opaqueZero); }

// include "dense/float16Bits"

fn float32BitsOf(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16u;
  let magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) { return sign | 0x7f800000u; }
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
  let hash = mix(mix(sourceIndex(unpadded, rank)) ^ params.key);
  let u = opaque(f32(i32(hash >> 8u) - 8388608) * 1.1920928955078125e-7); // exact
  let product = opaque(u * params.scale);
  let bits = bitcast<u32>(opaque(params.offset + product));
  if ((bits & 0x7fffffffu) >= 0x47800000u) { return ((bits >> 16u) & 0x8000u) | 0x7c00u; }
  return float16Bits(bits);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let word = (group.x + group.y * groups.x) * workgroupSize + thread;
  if (word >= params.words) { return; }
  if (halves) {
    let element = params.firstElement + 2u * word;
    y[word] = valueBits(element) | (valueBits(element + 1u) << 16u);
  } else {
    y[word] = float32BitsOf(valueBits(params.firstElement + word));
  }
}
