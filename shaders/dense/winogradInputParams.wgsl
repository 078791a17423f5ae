// What the host says to the inputs of Winograd's convolutions, included between their own aliases and their bindings.
override workgroupSize: u32 = 64;
override normalised: bool = false;
override silu: bool = false;
override blockedV: bool = false;             // v lies in blocks (blocks.wgsl)
struct Params {
  height: u32, width: u32, vectors: u32,     // of an image; channels / those of a thread
  tilesY: u32, tilesX: u32,
  strip: u32, strips: u32,                   // tiles of a thread; strips of a column of tiles
  threads: u32,
  batchRows: u32,                            // tiles of all images, padded
  firstImage: u32,                           // of this window, for factors
}
