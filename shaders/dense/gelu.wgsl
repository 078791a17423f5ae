// For kernels with an `alias Values`: f32 or a vector of them.
// GELU by the error function: v Phi(v) = max(v, 0) - |v| Phi(-|v|), and Phi(-t) = 2^P(t), P fitted so that the largest error of |v| Phi(-|v|) is
// 4.5e-8 in f32. One exponential and no division, which is what counts behind a product: 40 to 80 of them a thread.
fn gelu(v: Values) -> Values {
  let t = abs(v);
  let low = t * (0.007245411165 + t * (-0.000272067788 + t * (-0.000131476671 + t * (2.80577024e-5 - t * 1.90213268e-6))));
  let p = -1.0 + t * (-1.151111007 + t * (-0.459162146 + t * (-0.052627604 + low)));
  return max(v, Values()) - t * exp2(p);
}
