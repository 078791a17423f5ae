// Sixteen channels of a slice in workgroup memory, from vector `deep` of its rows on, added to sum00 to sum34 of a subgroup whose rows of x begin at
// `atX` and whose rows of the weight begin at `atW`. By hand: an array of matrices indexed in a loop lives in memory, not in registers.
      let left0 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + (0u * pitch + deep), pitch);
      let left1 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + (16u * pitch + deep), pitch);
      let left2 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + (32u * pitch + deep), pitch);
      let left3 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + (48u * pitch + deep), pitch);
      let right0 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + (0u * pitch + deep), pitch);
      sum00 = subgroupMatrixMultiplyAccumulate(left0, right0, sum00);
      sum10 = subgroupMatrixMultiplyAccumulate(left1, right0, sum10);
      sum20 = subgroupMatrixMultiplyAccumulate(left2, right0, sum20);
      sum30 = subgroupMatrixMultiplyAccumulate(left3, right0, sum30);
      let right1 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + (16u * pitch + deep), pitch);
      sum01 = subgroupMatrixMultiplyAccumulate(left0, right1, sum01);
      sum11 = subgroupMatrixMultiplyAccumulate(left1, right1, sum11);
      sum21 = subgroupMatrixMultiplyAccumulate(left2, right1, sum21);
      sum31 = subgroupMatrixMultiplyAccumulate(left3, right1, sum31);
      let right2 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + (32u * pitch + deep), pitch);
      sum02 = subgroupMatrixMultiplyAccumulate(left0, right2, sum02);
      sum12 = subgroupMatrixMultiplyAccumulate(left1, right2, sum12);
      sum22 = subgroupMatrixMultiplyAccumulate(left2, right2, sum22);
      sum32 = subgroupMatrixMultiplyAccumulate(left3, right2, sum32);
      let right3 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + (48u * pitch + deep), pitch);
      sum03 = subgroupMatrixMultiplyAccumulate(left0, right3, sum03);
      sum13 = subgroupMatrixMultiplyAccumulate(left1, right3, sum13);
      sum23 = subgroupMatrixMultiplyAccumulate(left2, right3, sum23);
      sum33 = subgroupMatrixMultiplyAccumulate(left3, right3, sum33);
      if (fragmentColumns > 4u) {
        let right4 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + (64u * pitch + deep), pitch);
        sum04 = subgroupMatrixMultiplyAccumulate(left0, right4, sum04);
        sum14 = subgroupMatrixMultiplyAccumulate(left1, right4, sum14);
        sum24 = subgroupMatrixMultiplyAccumulate(left2, right4, sum24);
        sum34 = subgroupMatrixMultiplyAccumulate(left3, right4, sum34);
      }
