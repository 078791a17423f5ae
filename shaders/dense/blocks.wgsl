// Where a vector of a row lies: row by row or, where `blocked`, in blocks of 8 rows x 32 channels, one after the other along the rows. Rows
// of a block are in the order 0 4 1 5 2 6 3 7: what eight threads of matmulSums.wgsl read at a time is then one cache line.
fn placeInBlocks(blocked: bool, row: u32, vector: u32, vectors: u32, wide: u32) -> u32 { // vectors of a row, vectors of 32 channels
  if (!blocked) { return row * vectors + vector; }
  return (row / 8u * (vectors / wide) + vector / wide) * 8u * wide + (row % 4u * 2u + row / 4u % 2u) * wide + vector % wide;
}
