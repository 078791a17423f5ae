// Included behind declarations of `inside`, bits of the (r + 1)^3 vertices whose SDF is negative, `tables` (word 0 of a case has its
// loops in bits 0..7, its ambiguous face, 2 * axis + side or 255, in bits 8..15) and params.resolution.

// The case of a cube, the sum of 2^corner over its corners inside.
fn caseOfCube(cube: u32) -> u32 {
  let r = params.resolution;
  let at = vec3u(cube / (r * r), cube / r % r, cube % r);
  var found = 0u;
  for (var corner = 0u; corner < 8u; corner++) {
    let p = at + ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
    let vertex = (p.x * (r + 1u) + p.y) * (r + 1u) + p.z;
    found |= ((inside[vertex / 32u] >> (vertex % 32u)) & 1u) << corner;
  }
  return found;
}

fn ambiguousFace(found: u32) -> u32 {
  return (tables[found * 8u] >> 8u) & 255u;
}

// A flagged case whose neighbour across its ambiguous face is flagged too becomes its complement; both are looked up as they were.
fn resolvedCase(cube: u32, found: u32) -> u32 {
  let face = ambiguousFace(found);
  if (face == 255u) { return found; }
  let r = params.resolution;
  var neighbour = vec3u(cube / (r * r), cube / r % r, cube % r);
  neighbour[face / 2u] += (face & 1u) * 2u - 1u;
  if (any(neighbour >= vec3u(r))) { return found; } // below 0 wraps
  if (ambiguousFace(caseOfCube((neighbour.x * r + neighbour.y) * r + neighbour.z)) == 255u) { return found; }
  return 255u - found;
}
