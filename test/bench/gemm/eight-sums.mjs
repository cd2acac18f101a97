/**
 * Step 2, eight sums: c [n, n] = a [n, n] b [n, n] in plain JavaScript, 2 rows by 4 columns of c at a time.
 *
 *   n a multiple of 4
 *
 * Six loads feed eight multiply-adds, which do not wait for each other. (4 x 4 is no faster: sixteen sums do not fit
 * the registers.)
 */
export function eightSums({ n }, [a, b], [c]) {
  for (let row = 0; row < n; row += 2) {
    for (let column = 0; column < n; column += 4) {
      let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0]
      for (let k = 0, atA = row * n, atB = column; k < n; k++, atA++, atB += n) {
        const u0 = a[atA]
        const u1 = a[atA + n]
        const v0 = b[atB]
        const v1 = b[atB + 1]
        const v2 = b[atB + 2]
        const v3 = b[atB + 3]
        s00 += u0 * v0
        s01 += u0 * v1
        s02 += u0 * v2
        s03 += u0 * v3
        s10 += u1 * v0
        s11 += u1 * v1
        s12 += u1 * v2
        s13 += u1 * v3
      }
      const at = row * n + column
      c.set([s00, s01, s02, s03], at)
      c.set([s10, s11, s12, s13], at + n)
    }
  }
}
