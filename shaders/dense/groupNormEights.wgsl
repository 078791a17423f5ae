// In groupNormPartials.wgsl and groupNormOfGroups.wgsl: `sum` of the differences to `shift` of a thread's `count` values of x, from `at` on, `step`
// apart, and of their `squares`, eight at a time; `left` remain.
    var sum = Values();
    var squares = Values();
    var left = count;
    for (; left >= 8u; left -= 8u) {
      let a = Values(x[at]) - shift;
      let b = Values(x[at + step]) - shift;
      let c = Values(x[at + 2u * step]) - shift;
      let d = Values(x[at + 3u * step]) - shift;
      let e = Values(x[at + 4u * step]) - shift;
      let f = Values(x[at + 5u * step]) - shift;
      let g = Values(x[at + 6u * step]) - shift;
      let h = Values(x[at + 7u * step]) - shift;
      sum += ((a + b) + (c + d)) + ((e + f) + (g + h));
      squares += ((a * a + b * b) + (c * c + d * d)) + ((e * e + f * f) + (g * g + h * h));
      at += 8u * step;
    }
