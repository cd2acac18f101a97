/**
 * Rows of a table [entries, width] by index [rows], and the gradient of the table.
 *
 * Rows are copied whole, and added sixteen numbers at a time. An entry can have any number of rows. Its rows are linked
 * first, so that each entry is summed in one go, in double precision (sums.ts). An index becomes an address only after
 * a comparison: an index that is not a whole number in [0, entries) neither reads nor writes the table.
 */
import { put, take } from './machine/lines'
import { addHigh, addLow, putSums, putSums16 } from './machine/sums'

/** table, indices -> y [rows, width]; a row of NaN for an index without an entry */
export function embedding(table: usize, indices: usize, y: usize, rows: i32, width: i32, entries: i32): void {
  const widthBytes = <usize>width * 4
  for (; rows > 0; rows--) {
    const entry = entryOf(load<f32>(indices), entries)
    if (entry >= 0) memory.copy(y, table + <usize>entry * widthBytes, widthBytes)
    else for (let at: usize = 0; at < widthBytes; at += 4) store<f32>(y + at, NaN)
    indices += 4
    y += widthBytes
  }
}

/**
 * dy [rows, width], indices -> dtable: every entry is the sum of its rows, in their order.
 * @param links  workspace: [entries] the first row of each entry, then [rows] the next row of the same entry
 */
export function embeddingGradient(
  dy: usize, indices: usize, dtable: usize, rows: i32, width: i32, entries: i32, accumulate: bool, links: usize,
): void {
  const nexts = links + <usize>entries * 4
  memory.fill(links, 0xff, <usize>entries * 4)
  for (let row = rows - 1; row >= 0; row--) {
    const entry = entryOf(load<f32>(indices + <usize>row * 4), entries)
    if (entry < 0) continue
    const first = links + <usize>entry * 4
    store<i32>(nexts + <usize>row * 4, load<i32>(first))
    store<i32>(first, row)
  }
  const widthBytes = <usize>width * 4
  for (let entry = 0; entry < entries; entry++) {
    const first = load<i32>(links + <usize>entry * 4)
    if (first >= 0 && load<i32>(nexts + <usize>first * 4) < 0) {
      const row = dy + <usize>first * widthBytes
      if (accumulate) addRow(dtable, row, width)
      else memory.copy(dtable, row, widthBytes)
    } else if (first >= 0) {
      let column = 0
      for (; column + 16 <= width; column += 16) {
        sumOf16(first, nexts, dy + <usize>column * 4, widthBytes, dtable + <usize>column * 4, accumulate)
      }
      for (; column < width; column += 4) {
        const count = min(4, width - column)
        sumOf4(first, nexts, dy + <usize>column * 4, widthBytes, dtable + <usize>column * 4, count, accumulate)
      }
    } else if (!accumulate) {
      memory.fill(dtable, 0, widthBytes)
    }
    dtable += widthBytes
  }
}

function addRow(to: usize, row: usize, width: i32): void {
  for (; width > 0; width -= 4) {
    put(to, f32x4.add(take(to, width), take(row, width)), width)
    to += 16
    row += 16
  }
}

/** Sums sixteen columns of `row` and of the rows linked to it. */
function sumOf16(row: i32, nexts: usize, dy: usize, widthBytes: usize, to: usize, accumulate: bool): void {
  const zero = f64x2.splat(0)
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero
  do {
    const from = dy + <usize>row * widthBytes
    const a = v128.load(from)
    s0 = addLow(s0, a)
    s1 = addHigh(s1, a)
    const b = v128.load(from, 16)
    s2 = addLow(s2, b)
    s3 = addHigh(s3, b)
    const c = v128.load(from, 32)
    s4 = addLow(s4, c)
    s5 = addHigh(s5, c)
    const d = v128.load(from, 48)
    s6 = addLow(s6, d)
    s7 = addHigh(s7, d)
    row = load<i32>(nexts + <usize>row * 4)
  } while (row >= 0)
  putSums16(to, s0, s1, s2, s3, s4, s5, s6, s7, accumulate)
}

function sumOf4(
  row: i32, nexts: usize, dy: usize, widthBytes: usize, to: usize, count: i32, accumulate: bool,
): void {
  let low = f64x2.splat(0)
  let high = low
  do {
    const four = take(dy + <usize>row * widthBytes, count)
    low = addLow(low, four)
    high = addHigh(high, four)
    row = load<i32>(nexts + <usize>row * 4)
  } while (row >= 0)
  putSums(to, low, high, count, accumulate)
}

/** The entry of an index; -1 for an index outside the table, and for NaN. */
@inline
function entryOf(index: f32, entries: i32): i32 {
  return index >= 0 && <f64>index < <f64>entries && floor(index) == index ? <i32>index : -1
}
