// Included behind mesh/bitSet with the set of active cubes, declarations of `rows`, the row of every one of them in ascending order, of
// `entries`, array<u32, 8> of an invocation, and params.resolution.

// The cube of which corner `corner` is vertex p, where it is active; otherwise 0xffffffff.
fn activeCubeAt(p: vec3u, corner: u32) -> u32 {
  let r = params.resolution;
  let at = p - ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
  if (any(at >= vec3u(r))) { return 0xffffffffu; } // below 0 wraps
  let cube = (at.x * r + at.y) * r + at.z;
  return select(0xffffffffu, cube, isMember(cube));
}

// Fills `entries` with the active cubes at vertex p as 8 * row + corner, ascending; returns how many.
fn findCubes(p: vec3u) -> u32 {
  var count = 0u;
  for (var corner = 0u; corner < 8u; corner++) {
    let cube = activeCubeAt(p, corner);
    if (cube == 0xffffffffu) { continue; }
    let entry = rows[rankOf(cube)] * 8u + corner;
    var to = count;
    while (to > 0u && entries[to - 1u] > entry) {
      entries[to] = entries[to - 1u];
      to -= 1u;
    }
    entries[to] = entry;
    count += 1u;
  }
  return count;
}
