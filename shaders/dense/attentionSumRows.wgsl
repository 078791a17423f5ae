  // The end of attentionSubgroupMatrix.wgsl and attentionKeyParts.wgsl: sums over `total`, 16 columns at a time through the rows.
  workgroupBarrier(); // weights are read
  scores[own + 4u].x = bitcast<u32>(1.0 / total); // the padding
  subgroupMatrixStore<row_major>(&scores, low, low0, rowPitch);
  subgroupMatrixStore<row_major>(&scores, high, high0, rowPitch);
  writeRows(head * 4u * headBlocks + 0u, thread, firstQuery, query0, queryCount);
  subgroupMatrixStore<row_major>(&scores, low, low1, rowPitch);
  subgroupMatrixStore<row_major>(&scores, high, high1, rowPitch);
  writeRows(head * 4u * headBlocks + 4u, thread, firstQuery, query0, queryCount);
  subgroupMatrixStore<row_major>(&scores, low, low2, rowPitch);
  subgroupMatrixStore<row_major>(&scores, high, high2, rowPitch);
  writeRows(head * 4u * headBlocks + 8u, thread, firstQuery, query0, queryCount);
  subgroupMatrixStore<row_major>(&scores, low, low3, rowPitch);
  subgroupMatrixStore<row_major>(&scores, high, high3, rowPitch);
  writeRows(head * 4u * headBlocks + 12u, thread, firstQuery, query0, queryCount);
  if (headBlocks > 4u) {
    subgroupMatrixStore<row_major>(&scores, low, low4, rowPitch);
    subgroupMatrixStore<row_major>(&scores, high, high4, rowPitch);
    writeRows(head * 4u * headBlocks + 16u, thread, firstQuery, query0, queryCount);
  }
