// Rows of q and y, of k and v.
fn queryRow(position: u32) -> u32 {
  if (hasQueryRows) { return queryRows[position]; }
  return position;
}

fn keyRow(position: u32) -> u32 {
  if (hasKeyRows) { return keyRows[position]; }
  return position;
}
