// Included behind declarations of `members`, a set (engine/kernels/mesh/bitSet.ts), and params.words, the words of its bits.
fn isMember(id: u32) -> bool {
  return ((members[id / 32u] >> (id % 32u)) & 1u) == 1u;
}

// The members below `id`.
fn rankOf(id: u32) -> u32 {
  let word = id / 32u;
  var rank = members[params.words + word / 8u];
  for (var w = word & 0xfffffff8u; w < word; w++) { rank += countOneBits(members[w]); }
  return rank + countOneBits(members[word] & ((1u << (id % 32u)) - 1u));
}
