// The middle of main in matmulSubgroupMatrix.wgsl and matmulParts.wgsl: sum00 to sum34 are the products of a tile's rows from row0 and
// columns from column0, over the channels (and taps, which turn fastest) from firstK to endK of inner. All are multiples of 32.
// Unrolled by hand, so that matrices stay in registers and offsets constant, as measured (docs/matmul.md).
  let subgroup = thread / 32u;
  let loadRow = thread / 4u % 2u * 4u + thread / 8u % 4u + subgroup * 8u; // of 32: neighbours are four rows apart, so that eight threads
  let loadVector = thread % 4u;                                           // store to different banks
  let at = loadRow * pitch + loadVector;
  let atX = subgroup / 2u * 64u * pitch;
  let atW = sliceW + subgroup % 2u * 16u * fragmentColumns * pitch;
  var sum00: Sum; var sum01: Sum; var sum02: Sum; var sum03: Sum; var sum04: Sum;
  var sum10: Sum; var sum11: Sum; var sum12: Sum; var sum13: Sum; var sum14: Sum;
  var sum20: Sum; var sum21: Sum; var sum22: Sum; var sum23: Sum; var sum24: Sum;
  var sum30: Sum; var sum31: Sum; var sum32: Sum; var sum33: Sum; var sum34: Sum;
  let firstWeight = (params.firstRow + row0) / params.weightRows * params.columns;
  let firstW0 = weightVector(firstWeight + min(column0 + 0u + loadRow, params.columns - 1u), inner) + loadVector;
  let firstW1 = weightVector(firstWeight + min(column0 + 32u + loadRow, params.columns - 1u), inner) + loadVector;
  let firstW2 = weightVector(firstWeight + min(column0 + 64u + loadRow, params.columns - 1u), inner) + loadVector;
  let firstW3 = weightVector(firstWeight + min(column0 + 96u + loadRow, params.columns - 1u), inner) + loadVector;
  let firstW4 = weightVector(firstWeight + min(column0 + 128u + loadRow, params.columns - 1u), inner) + loadVector;
  var hood0: vec2u; var hood1: vec2u; var hood2: vec2u; var hood3: vec2u;
  var first0: u32; var first1: u32; var first2: u32; var first3: u32;
  var tap = 0u;
  var channel0 = 0u;
  if (gathered) {
    tap = firstK / 32u % params.taps;
    channel0 = firstK / 32u / params.taps * 32u;
    hood0 = neighbourhood(row0 + 0u + loadRow); first0 = neighbourVector(hood0, tap);
    hood1 = neighbourhood(row0 + 32u + loadRow); first1 = neighbourVector(hood1, tap);
    hood2 = neighbourhood(row0 + 64u + loadRow); first2 = neighbourVector(hood2, tap);
    hood3 = neighbourhood(row0 + 96u + loadRow); first3 = neighbourVector(hood3, tap);
  } else {
    first0 = firstVector(row0 + 0u + loadRow);
    first1 = firstVector(row0 + 32u + loadRow);
    first2 = firstVector(row0 + 64u + loadRow);
    first3 = firstVector(row0 + 96u + loadRow);
  }
  {
    let channel = select(firstK, channel0, gathered);
    let k = select(firstK, tap * params.channels + channel0, gathered);
    let x0 = loadX(first0, along(blockedX, channel) + loadVector);
    let x1 = loadX(first1, along(blockedX, channel) + loadVector);
    let x2 = loadX(first2, along(blockedX, channel) + loadVector);
    let x3 = loadX(first3, along(blockedX, channel) + loadVector);
    let w0 = weight[firstW0 + along(blockedWeight, k)];
    let w1 = weight[firstW1 + along(blockedWeight, k)];
    let w2 = weight[firstW2 + along(blockedWeight, k)];
    let w3 = weight[firstW3 + along(blockedWeight, k)];
    var w4: vec4<u32>;
    if (fragmentColumns > 4u) { w4 = weight[firstW4 + along(blockedWeight, k)]; }
    tiles[at] = x0;
    tiles[at + 160u] = x1;
    tiles[at + 320u] = x2;
    tiles[at + 480u] = x3;
    tiles[sliceW + at] = w0;
    tiles[sliceW + at + 160u] = w1;
    tiles[sliceW + at + 320u] = w2;
    tiles[sliceW + at + 480u] = w3;
    if (fragmentColumns > 4u) { tiles[sliceW + at + 640u] = w4; }
  }
  workgroupBarrier();
  if (gathered && params.taps > 1u) {
    let tapAfter = select(tap + 1u, 0u, tap + 1u == params.taps);
    first0 = neighbourVector(hood0, tapAfter);
    first1 = neighbourVector(hood1, tapAfter);
    first2 = neighbourVector(hood2, tapAfter);
    first3 = neighbourVector(hood3, tapAfter);
  }
  // Loaded and stored in the same turn: a value carried into the next turn is copied at the end of this one, and the copy waits for it.
  for (var k0 = firstK; k0 < endK; k0 += 32u) {
    var nextK = min(k0 + 32u, endK - 32u); // of a row of weight
    var channel = nextK;
    if (gathered) { // taps inside channels: the first level cache then holds the rows for all taps
      tap += 1u;
      if (tap == params.taps) {
        tap = 0u;
        channel0 = min(channel0 + 32u, params.channels - 32u);
      }
      channel = channel0;
      nextK = tap * params.channels + channel;
    }
    let x0 = loadX(first0, along(blockedX, channel) + loadVector);
    let x1 = loadX(first1, along(blockedX, channel) + loadVector);
    let x2 = loadX(first2, along(blockedX, channel) + loadVector);
    let x3 = loadX(first3, along(blockedX, channel) + loadVector);
    let w0 = weight[firstW0 + along(blockedWeight, nextK)];
    let w1 = weight[firstW1 + along(blockedWeight, nextK)];
    let w2 = weight[firstW2 + along(blockedWeight, nextK)];
    let w3 = weight[firstW3 + along(blockedWeight, nextK)];
    var w4: vec4<u32>;
    if (fragmentColumns > 4u) { w4 = weight[firstW4 + along(blockedWeight, nextK)]; }
    if (gathered) { // a turn ahead
      let tapAfter = select(tap + 1u, 0u, tap + 1u == params.taps);
      first0 = neighbourVector(hood0, tapAfter);
      first1 = neighbourVector(hood1, tapAfter);
      first2 = neighbourVector(hood2, tapAfter);
      first3 = neighbourVector(hood3, tapAfter);
    }
    {
      const deep = 0u;
// include "dense/matmulSlice"
    }
    {
      const deep = 2u;
// include "dense/matmulSlice"
    }
    workgroupBarrier();
    tiles[at] = x0;
    tiles[at + 160u] = x1;
    tiles[at + 320u] = x2;
    tiles[at + 480u] = x3;
    tiles[sliceW + at] = w0;
    tiles[sliceW + at + 160u] = w1;
    tiles[sliceW + at + 320u] = w2;
    tiles[sliceW + at + 480u] = w3;
    if (fragmentColumns > 4u) { tiles[sliceW + at + 640u] = w4; }
    workgroupBarrier();
  }
