// Rows of x and their neighbours, and the types of matrices, for matmulSubgroupMatrix.wgsl and matmulParts.wgsl.

// First vector of a row of weight.
fn weightVector(row: u32, inner: u32) -> u32 { return placeInBlocks(blockedWeight, row, 0u, inner / 8u, 4u); }

// From the first vector of a row to that of channel k, a multiple of 32.
fn along(blocked: bool, k: u32) -> u32 { return select(k / 8u, k, blocked); }

// First vector of a row of x, or of the row that a neighbour is. Rows past the end are computed and not stored.
fn firstVector(row: u32) -> u32 {
  if (blockedX) { return placeInBlocks(blockedX, min(row, params.rows - 1u), 0u, params.inputStride / 8u, 4u); }
  return (segmentedRow(min(row, params.rows - 1u), segmentedX, params.xSegment) * params.inputStride + params.inputColumn) / 8u;
}

// Where the neighbours of a row stand, and the first row of its image.
fn neighbourhood(row: u32) -> vec2u {
  let m = min(row, params.rows - 1u);
  let image = m / params.imageRowsOut;
  return vec2u((m - image * params.imageRowsOut) * params.taps, image * params.imageRowsIn);
}

fn neighbourVector(hood: vec2u, tap: u32) -> u32 {
  let neighbour = neighbours[hood.x + tap];
  if (neighbour < 0) { return none; }
  return ((hood.y + u32(neighbour)) * params.inputStride + params.inputColumn) / 8u;
}

fn loadX(first: u32, k: u32) -> vec4<u32> {
  if (gathered) { if (first == none) { return vec4<u32>(); } }
  return x[first + k];
}

// After the first function: the reader of declarations cannot parse these types.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
