// Where row m of some lies in the tensor that has them in segments: first, count, stride.
fn segmentedRow(m: u32, segmented: bool, segment: vec3u) -> u32 {
  if (!segmented) { return m; }
  return segment.x + m / segment.y * segment.z + m % segment.y;
}
