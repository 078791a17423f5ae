// Included behind declarations of `inside`, bits of the (r + 1)^3 vertices whose SDF is negative, and params.resolution:
// the case of a cube, the sum of 2^corner over its corners inside.
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
