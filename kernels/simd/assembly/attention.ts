/**
 * Softmax of attention scores, a row [keys] for each query, and its gradient.
 *
 *   scores, p, dp, ds [rows, keys]: row r belongs to query r mod queries
 *   mask: row r begins (r - first) maskRow bytes after `mask`, its numbers are maskKey bytes apart; 0 repeats a number
 *
 * The first of three passes scales and masks the scores, leaves them in p and finds their maximum. The other two are
 * those of softmax and find the row in the first-level cache. A causal row is shorter: keys after the query, half of
 * all keys, are neither read nor exponentiated.
 */
import { divide, exponentials, Shares, slopes } from './machine/rows'
import { masked, scaled } from './machine/scores'

/** scores, mask (an address, or 0) -> p = softmax(scale scores + mask), for rows first .. first + rows - 1 */
export function attentionSoftmax(
  scores: usize, p: usize, rows: i32, first: i32, queries: i32, keys: i32, causal: bool, scale: f32,
  mask: usize, maskRow: usize, maskKey: usize,
): void {
  const rowBytes = <usize>keys * 4
  for (let row = first; row < first + rows; row++) {
    const seen = causal ? min(keys, (row % queries) + 1) : keys
    const max = mask == 0 ? scaled(scores, p, seen, scale) : masked(scores, p, seen, scale, mask, maskKey)
    divide(p, seen, 1, 4, exponentials(p, p, seen, 1, 4, max))
    if (seen < keys) memory.fill(p + <usize>seen * 4, 0, <usize>(keys - seen) * 4)
    scores += rowBytes
    p += rowBytes
    mask += maskRow
  }
}

/** dp, p -> ds = scale p (dp - sum of dp p over keys) */
export function attentionSoftmaxGradient(dp: usize, p: usize, ds: usize, rows: i32, keys: i32, scale: f32): void {
  const rowBytes = <usize>keys * 4
  for (; rows > 0; rows--) {
    slopes<Shares>(dp, p, ds, keys, 1, 4, scale)
    dp += rowBytes
    p += rowBytes
    ds += rowBytes
  }
}
