// matmulSubgroupMatrix.wgsl for products with few tiles, which would leave most of a GPU idle: every tile is computed by `parts`
// workgroups, each over a part of the channels (and taps), and matmulPartsSum.wgsl adds up what they store. Sums go to memory as the
// matrices that they are. Needs: channels a multiple of 32; columns of 4; inputStride and inputColumn multiples of 8.
override fragmentColumns: u32 = 4; // 4 or 5: tiles of 128 or 160 columns
// include "dense/matmulParams"
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;            // f16 [rows in, inputStride]
@group(0) @binding(1) var<storage, read> weight: array<vec4<u32>>;       // f16 [weights, columns, taps * channels]
@group(0) @binding(2) var<storage, read> neighbours: array<i32>;         // [imageRowsOut, taps]
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;          // [parts, tiles, subgroups, rows of matrices, columns of matrices, 16, 16]
@group(0) @binding(4) var<uniform> params: Params;

const pitch = 5u; // vectors of 8 halves between rows of a slice: 32 halves and 8 of padding
const sliceW = 640u; // first vector of the weight's slice, after 128 rows of x
const none = 0xffffffffu;
var<workgroup> tiles: array<vec4<u32>, 640u + fragmentColumns * 160u>; // a slice of x and one of weight

// include "dense/segmentedRow"
// include "dense/blocks"
// include "dense/matmulMatrices"

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tilesOfPart = params.partRows / 128u * params.columnTiles;
  let part = (group.x + group.y * groups.x) / tilesOfPart;
  if (part >= params.parts) { return; }
  let tile = (group.x + group.y * groups.x) % tilesOfPart;
  let row0 = tile / params.columnTiles * 128u;
  let column0 = tile % params.columnTiles * (32u * fragmentColumns);
  let inner = params.taps * params.channels;
  let depth = (inner / 32u + params.parts - 1u) / params.parts * 32u;
  let firstK = part * depth;
  let endK = min(firstK + depth, inner);
// include "dense/matmulSums"
  // The matrices of a subgroup one after the other, 64 vectors each: row by row through the tile of the subgroup.
  let to = ((part * tilesOfPart + tile) * 4u + subgroup) * fragmentColumns * 256u;
  subgroupMatrixStore<row_major>(&y, to + 0u * fragmentColumns + 0u, sum00, 4u);
  subgroupMatrixStore<row_major>(&y, to + 0u * fragmentColumns + 64u, sum01, 4u);
  subgroupMatrixStore<row_major>(&y, to + 0u * fragmentColumns + 128u, sum02, 4u);
  subgroupMatrixStore<row_major>(&y, to + 0u * fragmentColumns + 192u, sum03, 4u);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&y, to + 0u * fragmentColumns + 256u, sum04, 4u); }
  subgroupMatrixStore<row_major>(&y, to + 64u * fragmentColumns + 0u, sum10, 4u);
  subgroupMatrixStore<row_major>(&y, to + 64u * fragmentColumns + 64u, sum11, 4u);
  subgroupMatrixStore<row_major>(&y, to + 64u * fragmentColumns + 128u, sum12, 4u);
  subgroupMatrixStore<row_major>(&y, to + 64u * fragmentColumns + 192u, sum13, 4u);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&y, to + 64u * fragmentColumns + 256u, sum14, 4u); }
  subgroupMatrixStore<row_major>(&y, to + 128u * fragmentColumns + 0u, sum20, 4u);
  subgroupMatrixStore<row_major>(&y, to + 128u * fragmentColumns + 64u, sum21, 4u);
  subgroupMatrixStore<row_major>(&y, to + 128u * fragmentColumns + 128u, sum22, 4u);
  subgroupMatrixStore<row_major>(&y, to + 128u * fragmentColumns + 192u, sum23, 4u);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&y, to + 128u * fragmentColumns + 256u, sum24, 4u); }
  subgroupMatrixStore<row_major>(&y, to + 192u * fragmentColumns + 0u, sum30, 4u);
  subgroupMatrixStore<row_major>(&y, to + 192u * fragmentColumns + 64u, sum31, 4u);
  subgroupMatrixStore<row_major>(&y, to + 192u * fragmentColumns + 128u, sum32, 4u);
  subgroupMatrixStore<row_major>(&y, to + 192u * fragmentColumns + 192u, sum33, 4u);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&y, to + 192u * fragmentColumns + 256u, sum34, 4u); }
}
