/**
 * Winograd's transforms of weights and of sums, with the matrices of winograd.ts. A place is one of the 16 numbers of a
 * transformed tile, and `place` the bytes from a place to the next.
 */

/** G g G': from nine numbers, `tap` bytes apart, to sixteen, `place` bytes apart. */
export function transformFilter(to: usize, place: usize, from: usize, tap: usize): void {
  for (let column: usize = 0; column < 3; column++) {
    // the columns of G g stand where the places 0, 1, 2 of each row will be
    const g0 = load<f32>(from)
    const g1 = load<f32>(from + 3 * tap)
    const g2 = load<f32>(from + 6 * tap)
    const outer: f32 = 0.5 * (g0 + g2)
    const inner: f32 = 0.5 * g1
    store<f32>(to + column * place, g0)
    store<f32>(to + (4 + column) * place, outer + inner)
    store<f32>(to + (8 + column) * place, outer - inner)
    store<f32>(to + (12 + column) * place, g2)
    from += tap
  }
  for (let row = 0; row < 4; row++) {
    const g0 = load<f32>(to)
    const g1 = load<f32>(to + place)
    const g2 = load<f32>(to + 2 * place)
    const outer: f32 = 0.5 * (g0 + g2)
    const inner: f32 = 0.5 * g1
    store<f32>(to + place, outer + inner)
    store<f32>(to + 2 * place, outer - inner)
    store<f32>(to + 3 * place, g2)
    to += 4 * place
  }
}

/** The first row of A', or the second, times a column of m, whose numbers lie four places apart. */
@inline
export function summed(m: usize, place: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(m), v128.load(m + 4 * place)), v128.load(m + 8 * place))
}
@inline
export function difference(m: usize, place: usize): v128 {
  return f32x4.sub(f32x4.sub(v128.load(m + 4 * place), v128.load(m + 8 * place)), v128.load(m + 12 * place))
}

/** A row of A' m times A: the left and the right outputs of four tiles. Stores the first `bytes` of them. */
@inline
export function storeRow(
  to: usize, bytes: usize, start: v128, m0: v128, m1: v128, m2: v128, m3: v128, slot: usize,
): void {
  const left = f32x4.add(start, f32x4.add(f32x4.add(m0, m1), m2))
  const right = f32x4.add(start, f32x4.sub(f32x4.sub(m1, m2), m3))
  const low = v128.shuffle<f32>(left, right, 0, 4, 1, 5)
  const high = v128.shuffle<f32>(left, right, 2, 6, 3, 7)
  if (bytes >= 32) {
    v128.store(to, low)
    v128.store(to, high, 16)
  } else {
    v128.store(slot, low)
    v128.store(slot, high, 16)
    memory.copy(to, slot, bytes)
  }
}

/** G' m G, the adjoint of `transformFilter`: from sixteen numbers, `place` bytes apart, to nine side by side, or added to them. */
export function transformFilterBack(to: usize, from: usize, place: usize, accumulate: bool): void {
  for (let column: usize = 0; column < 3; column++) {
    const m0 = columnBack(from, place, column)
    const m1 = columnBack(from + 4 * place, place, column)
    const m2 = columnBack(from + 8 * place, place, column)
    const m3 = columnBack(from + 12 * place, place, column)
    const inner: f32 = 0.5 * (m1 + m2)
    put(to, m0 + inner, accumulate)
    put(to + 12, 0.5 * (m1 - m2), accumulate)
    put(to + 24, inner + m3, accumulate)
    to += 4
  }
}

/** A number of a row of m G. */
@inline
function columnBack(row: usize, place: usize, column: usize): f32 {
  const m1 = load<f32>(row + place)
  const m2 = load<f32>(row + 2 * place)
  if (column == 1) return 0.5 * (m1 - m2)
  return 0.5 * (m1 + m2) + load<f32>(column == 0 ? row : row + 3 * place)
}

@inline
function put(to: usize, value: f32, accumulate: bool): void {
  store<f32>(to, accumulate ? load<f32>(to) + value : value)
}
