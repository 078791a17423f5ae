// x[i] <- x[i] - dt * v[i], in place, one step of Euler's method, where the velocity v is
//   form 0: c     form 1: u + guidance * (c - u)     form 2: (1 + guidance) * c - guidance * u
// c and u: what the network says with and without the condition. In f32, or with every result rounded to float16 as the official
// stage 1 does (by integers: whatever the adapter does with subnormal numbers, the bits are the same).
alias State = f32;
alias Velocity = f32;
override workgroupSize: u32 = 64;
override form: u32 = 0;
override rounded: bool = false;
struct Params {
  elements: u32,
  conditionalStart: u32, unconditionalStart: u32, // elements
  dt: f32, guidance: f32,
}
@group(0) @binding(0) var<storage, read_write> x: array<State>;                  // [elements]
@group(0) @binding(1) var<storage, read> conditional: array<Velocity>;           // [>= conditionalStart + elements]
@group(0) @binding(2) var<storage, read> unconditional: array<Velocity>;         // [>= unconditionalStart + elements]
@group(0) @binding(3) var<uniform> params: Params;

fn toFloat16(v: f32) -> f32 {
  if (!rounded) { return v; }
  let bits = bitcast<u32>(v);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude >= 0x7f800000u) { return v; } // infinity, NaN
  if (magnitude >= 0x38800000u) {
    let nearest = (magnitude + 0xfffu + ((magnitude >> 13u) & 1u)) & 0xffffe000u;
    return bitcast<f32>((bits & 0x80000000u) | select(nearest, 0x7f800000u, nearest >= 0x47800000u));
  }
  // Subnormal in float16: a whole number of 2^-24.
  let shift = 126u - max(magnitude >> 23u, 101u);
  let mantissa = select((magnitude & 0x7fffffu) | 0x800000u, 0u, (magnitude >> 23u) < 101u);
  let rest = mantissa & ((1u << shift) - 1u);
  let tie = 1u << (shift - 1u);
  let whole = mantissa >> shift;
  let nearest = f32(whole + select(0u, 1u, rest > tie || (rest == tie && (whole & 1u) == 1u))) * 5.9604644775390625e-8;
  return select(nearest, -nearest, (bits >> 31u) == 1u);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.x + group.y * groups.x) * workgroupSize + thread;
  if (i >= params.elements) { return; }
  var v = f32(conditional[params.conditionalStart + i]);
  if (form != 0u) {
    let u = f32(unconditional[params.unconditionalStart + i]);
    if (form == 1u) {
      v = toFloat16(u + toFloat16(params.guidance * toFloat16(v - u)));
    } else {
      v = toFloat16(toFloat16((1.0 + params.guidance) * v) - toFloat16(params.guidance * u));
    }
  }
  x[i] = State(toFloat16(f32(x[i]) - toFloat16(params.dt * v)));
}
