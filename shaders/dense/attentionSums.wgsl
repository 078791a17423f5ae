  // The middle of attentionSubgroupMatrix.wgsl and attentionKeyParts.wgsl, whose headers say what it does: sums of 128 queries from `query0` on over
  // `keyCount` keys from row `firstKey` on, in `low0` .. `high4`, with `largest` and `total` of this thread's query.
  // Longer than 150 lines: unrolled by hand, so that matrices stay in registers and offsets constant, as measured in docs/attention.md.
  let own = thread * rowPitch;                 // this thread's query
  let even = thread / 32u * 32u * rowPitch;    // queries 0, 2, .. 30 of this subgroup
  let odd = even + rowPitch;                   // queries 1, 3, .. 31
  let low = even;                              // queries 0 .. 15
  let high = low + 16u * rowPitch;             // queries 16 .. 31

  let keyHere = thread / vectors;              // of a tile's 16 x vectors this thread carries one, in heads of 80 some carry two
  let columnHere = thread % vectors;
  let putHere = keyHere * pitch + columnHere;
  let keyThere = (thread + tileQueries) / vectors;
  let columnThere = (thread + tileQueries) % vectors;
  let putThere = keyThere * pitch + columnThere;
  let carriesTwo = headBlocks > 4u && thread < tileKeys * vectors - tileQueries;
  let fromKey = params.keyColumn + head * vectors;
  let fromValue = params.valueColumn + head * vectors;
  let firstK = loadK(fromKey + columnHere, firstKey, keyHere, keyCount);
  var nextK = loadK(fromKey + columnHere, firstKey, tileKeys + keyHere, keyCount);
  var nextV = loadV(fromValue + columnHere, firstKey, keyHere, keyCount);
  var moreK = vec4<u32>();
  var moreV = vec4<u32>();

  // Queries and results move with whole rows in neighbouring lanes: four vectors of a row by four threads, four rows each.
  let fromQuery = params.queryColumn + head * vectors;
  let moved = thread / 4u;
  let column = thread % 4u;
  let put = moved * rowPitch + column;
  let rows = vec4u(query0 + moved) + vec4u(0u, 1u, 2u, 3u) * rowsApart;
  let left = loadQueries(fromQuery + column, firstQuery, rows, queryCount);
  let right = loadQueries(fromQuery + 4u + column, firstQuery, rows, queryCount);
  tileK[putHere] = firstK;
  if (carriesTwo) {
    tileK[putThere] = loadK(fromKey + columnThere, firstKey, keyThere, keyCount);
    moreK = loadK(fromKey + columnThere, firstKey, tileKeys + keyThere, keyCount);
    moreV = loadV(fromValue + columnThere, firstKey, keyThere, keyCount);
  }
  putQueries(put, left);
  workgroupBarrier();
  let evenQ0 = subgroupMatrixLoad<Left, row_major>(&scores, even, matrixPitch);
  let oddQ0 = subgroupMatrixLoad<Left, row_major>(&scores, odd, matrixPitch);
  let evenQ1 = subgroupMatrixLoad<Left, row_major>(&scores, even + 2u, matrixPitch);
  let oddQ1 = subgroupMatrixLoad<Left, row_major>(&scores, odd + 2u, matrixPitch);
  workgroupBarrier();
  putQueries(put, right);
  workgroupBarrier();
  let evenQ2 = subgroupMatrixLoad<Left, row_major>(&scores, even, matrixPitch);
  let oddQ2 = subgroupMatrixLoad<Left, row_major>(&scores, odd, matrixPitch);
  let evenQ3 = subgroupMatrixLoad<Left, row_major>(&scores, even + 2u, matrixPitch);
  let oddQ3 = subgroupMatrixLoad<Left, row_major>(&scores, odd + 2u, matrixPitch);
  if (headBlocks > 4u) {
    workgroupBarrier();
    putQueries(put, loadQueries(fromQuery + 8u + column % 2u, firstQuery, rows, queryCount));
    workgroupBarrier();
  }
  let evenQ4 = subgroupMatrixLoad<Left, row_major>(&scores, even, matrixPitch); // of heads of 80
  let oddQ4 = subgroupMatrixLoad<Left, row_major>(&scores, odd, matrixPitch);

  // The next ones without a table, from vector to vector.
  let stepK = tileKeys * params.keyStride;
  let stepV = tileKeys * params.valueStride;
  let lastK = (firstKey + keyCount - 1u) * params.keyStride + fromKey + columnHere;
  let lastV = (firstKey + keyCount - 1u) * params.valueStride + fromValue + columnHere;
  var atK = (firstKey + 2u * tileKeys + keyHere) * params.keyStride + fromKey + columnHere;
  if (!wholeKeyTiles) { atK = min(atK, lastK); }
  var atV = (firstKey + tileKeys + keyHere) * params.valueStride + fromValue + columnHere;
  var largest = 0.0; // score of this thread's query, in powers of two
  var total = 0.0;
  var lastWeight = 0.0;
  var factor = 1.0;
  var low0: Sum; var low1: Sum; var low2: Sum; var low3: Sum; var low4: Sum;
  var high0: Sum; var high1: Sum; var high2: Sum; var high3: Sum; var high4: Sum;
  let tiles = (keyCount + tileKeys - 1u) / tileKeys;
  for (var tile = 0u; tile < tiles; tile++) {
    let key0 = tile * tileKeys;
    // `= Sum()`: in a loop Dawn does not clear variables by itself.
    var evenScore = Sum();
    var oddScore = Sum();
    let k0 = subgroupMatrixLoad<Right, col_major>(&tileK, 0u, pitch);
    evenScore = subgroupMatrixMultiplyAccumulate(evenQ0, k0, evenScore);
    oddScore = subgroupMatrixMultiplyAccumulate(oddQ0, k0, oddScore);
    let k1 = subgroupMatrixLoad<Right, col_major>(&tileK, 2u, pitch);
    evenScore = subgroupMatrixMultiplyAccumulate(evenQ1, k1, evenScore);
    oddScore = subgroupMatrixMultiplyAccumulate(oddQ1, k1, oddScore);
    let k2 = subgroupMatrixLoad<Right, col_major>(&tileK, 4u, pitch);
    evenScore = subgroupMatrixMultiplyAccumulate(evenQ2, k2, evenScore);
    oddScore = subgroupMatrixMultiplyAccumulate(oddQ2, k2, oddScore);
    let k3 = subgroupMatrixLoad<Right, col_major>(&tileK, 6u, pitch);
    evenScore = subgroupMatrixMultiplyAccumulate(evenQ3, k3, evenScore);
    oddScore = subgroupMatrixMultiplyAccumulate(oddQ3, k3, oddScore);
    if (headBlocks > 4u) {
      let k4 = subgroupMatrixLoad<Right, col_major>(&tileK, 8u, pitch);
      evenScore = subgroupMatrixMultiplyAccumulate(evenQ4, k4, evenScore);
      oddScore = subgroupMatrixMultiplyAccumulate(oddQ4, k4, oddScore);
    }
    workgroupBarrier(); // weights and V of the last tile are used up
    subgroupMatrixStore<row_major>(&scores, even, evenScore, matrixPitch);
    subgroupMatrixStore<row_major>(&scores, odd, oddScore, matrixPitch);
    workgroupBarrier(); // scores are there, K is used up
    let s0 = floats(own); let s1 = floats(own + 1u); let s2 = floats(own + 2u); let s3 = floats(own + 3u);
    let four = max(max(s0, s1), max(s2, s3));
    let best = params.scale * max(max(four.x, four.y), max(four.z, four.w));
    factor = 1.0;
    if (tile == 0u) { largest = best; }
    if (best > largest + 8.0) {
      factor = exp2(largest - best);
      largest = best;
      atomicStore(&grown, tile);
    }
    let scale = vec4f(params.scale);
    let shift = vec4f(-largest);
    let w0 = exp2(fma(s0, scale, shift)); let w1 = exp2(fma(s1, scale, shift));
    let w2 = exp2(fma(s2, scale, shift)); let w3 = exp2(fma(s3, scale, shift));
    let added = (w0 + w1) + (w2 + w3);
    total = total * factor + ((added.x + added.y) + (added.z + added.w));
    if (!wholeKeyTiles) { lastWeight = w3.w; }
    scores[own] = halves(w0, w1);
    if (wholeKeyTiles) { tileV[putHere] = nextV; } // measured: docs/attention.md
    scores[own + 1u] = halves(w2, w3);
    if (!wholeKeyTiles) { tileV[putHere] = nextV; }
    tileK[putHere] = nextK;
    if (carriesTwo) {
      tileV[putThere] = moreV;
      tileK[putThere] = moreK;
    }
    let rescaled = workgroupUniformLoad(&grown) == tile && tile > 0u; // holds barriers: weights, V and the next K are there
    let lowWeight = subgroupMatrixLoad<Left, row_major>(&scores, low, rowPitch);
    let highWeight = subgroupMatrixLoad<Left, row_major>(&scores, high, rowPitch);
    if (rescaled) {
      workgroupBarrier(); // weights are in registers
      subgroupMatrixStore<row_major>(&scores, low, low0, rowPitch);
      subgroupMatrixStore<row_major>(&scores, high, high0, rowPitch);
      scaleRow(own, factor);
      low0 = subgroupMatrixLoad<Sum, row_major>(&scores, low, rowPitch);
      high0 = subgroupMatrixLoad<Sum, row_major>(&scores, high, rowPitch);
      workgroupBarrier();
      subgroupMatrixStore<row_major>(&scores, low, low1, rowPitch);
      subgroupMatrixStore<row_major>(&scores, high, high1, rowPitch);
      scaleRow(own, factor);
      low1 = subgroupMatrixLoad<Sum, row_major>(&scores, low, rowPitch);
      high1 = subgroupMatrixLoad<Sum, row_major>(&scores, high, rowPitch);
      workgroupBarrier();
      subgroupMatrixStore<row_major>(&scores, low, low2, rowPitch);
      subgroupMatrixStore<row_major>(&scores, high, high2, rowPitch);
      scaleRow(own, factor);
      low2 = subgroupMatrixLoad<Sum, row_major>(&scores, low, rowPitch);
      high2 = subgroupMatrixLoad<Sum, row_major>(&scores, high, rowPitch);
      workgroupBarrier();
      subgroupMatrixStore<row_major>(&scores, low, low3, rowPitch);
      subgroupMatrixStore<row_major>(&scores, high, high3, rowPitch);
      scaleRow(own, factor);
      low3 = subgroupMatrixLoad<Sum, row_major>(&scores, low, rowPitch);
      high3 = subgroupMatrixLoad<Sum, row_major>(&scores, high, rowPitch);
      workgroupBarrier();
      if (headBlocks > 4u) {
        subgroupMatrixStore<row_major>(&scores, low, low4, rowPitch);
        subgroupMatrixStore<row_major>(&scores, high, high4, rowPitch);
        scaleRow(own, factor);
        low4 = subgroupMatrixLoad<Sum, row_major>(&scores, low, rowPitch);
        high4 = subgroupMatrixLoad<Sum, row_major>(&scores, high, rowPitch);
        workgroupBarrier();
      }
    }
    if (hasKeyRows) {
      nextV = loadV(fromValue + columnHere, firstKey, key0 + tileKeys + keyHere, keyCount);
      nextK = loadK(fromKey + columnHere, firstKey, key0 + 2u * tileKeys + keyHere, keyCount);
    } else if (wholeKeyTiles) {
      nextV = v[atV]; // behind the last tile whatever WGSL's bounds give: nobody multiplies it
      nextK = k[atK];
      atV += stepV;
      atK += stepK;
    } else {
      nextV = vec4<u32>();
      if (atV <= lastV) { nextV = v[atV]; }
      nextK = k[atK];
      atV += stepV;
      atK = min(atK + stepK, lastK);
    }
    if (carriesTwo) {
      moreV = loadV(fromValue + columnThere, firstKey, key0 + tileKeys + keyThere, keyCount);
      moreK = loadK(fromKey + columnThere, firstKey, key0 + 2u * tileKeys + keyThere, keyCount);
    }
    let v0 = subgroupMatrixLoad<Right, row_major>(&tileV, 0u, pitch);
    low0 = subgroupMatrixMultiplyAccumulate(lowWeight, v0, low0);
    high0 = subgroupMatrixMultiplyAccumulate(highWeight, v0, high0);
    let v1 = subgroupMatrixLoad<Right, row_major>(&tileV, 2u, pitch);
    low1 = subgroupMatrixMultiplyAccumulate(lowWeight, v1, low1);
    high1 = subgroupMatrixMultiplyAccumulate(highWeight, v1, high1);
    let v2 = subgroupMatrixLoad<Right, row_major>(&tileV, 4u, pitch);
    low2 = subgroupMatrixMultiplyAccumulate(lowWeight, v2, low2);
    high2 = subgroupMatrixMultiplyAccumulate(highWeight, v2, high2);
    let v3 = subgroupMatrixLoad<Right, row_major>(&tileV, 6u, pitch);
    low3 = subgroupMatrixMultiplyAccumulate(lowWeight, v3, low3);
    high3 = subgroupMatrixMultiplyAccumulate(highWeight, v3, high3);
    if (headBlocks > 4u) {
      let v4 = subgroupMatrixLoad<Right, row_major>(&tileV, 8u, pitch);
      low4 = subgroupMatrixMultiplyAccumulate(lowWeight, v4, low4);
      high4 = subgroupMatrixMultiplyAccumulate(highWeight, v4, high4);
    }
  }
  if (!wholeKeyTiles) { total -= f32(tiles * tileKeys - keyCount) * lastWeight; } // which the last key's repetitions added
