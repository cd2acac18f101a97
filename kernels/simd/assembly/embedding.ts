/**
 * Rows of a table [entries, width] by index [rows], and the gradient that goes back to them.
 *
 * Rows are copied whole and added four numbers at a time; which rows is a matter of chance, so memory is waited for where
 * the table is larger than the caches. An index becomes an address only after it was compared with what there is:
 * one that is not a whole number in [0, entries) reads and writes no table.
 */
import { put, take } from './lines'

/** table, indices -> y [rows, width]; NaN where there is no such entry */
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

/** dy [rows, width], indices -> dtable: every row is added to its entry, in the order of the rows. */
export function embeddingGradient(
  dy: usize, indices: usize, dtable: usize, rows: i32, width: i32, entries: i32, accumulate: bool,
): void {
  const widthBytes = <usize>width * 4
  if (!accumulate) memory.fill(dtable, 0, <usize>entries * widthBytes)
  for (; rows > 0; rows--) {
    const entry = entryOf(load<f32>(indices), entries)
    if (entry >= 0) {
      const to = dtable + <usize>entry * widthBytes
      for (let at: usize = 0; at < widthBytes; at += 16) {
        const left = width - <i32>(at >> 2)
        put(to + at, f32x4.add(take(to + at, left), take(dy + at, left)), left)
      }
    }
    indices += 4
    dy += widthBytes
  }
}

/** -1 where there is none: NaN is not in the range either. */
@inline
function entryOf(index: f32, entries: i32): i32 {
  return index >= 0 && <f64>index < <f64>entries && floor(index) == index ? <i32>index : -1
}
