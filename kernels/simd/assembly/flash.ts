/**
 * Attention whose probabilities are never stored: y [queries, width] = softmax(scale q k^T + mask) v, and its gradient.
 *
 *   q [queries, depth], k [keys, depth], v [keys, width], one of each for each element of the batch
 *
 * Scores exist a tile at a time: tileRows queries and ATTENTION_KEYS keys, which stay in the second-level cache
 * between the two products that make and use them. Forward, tile after tile along the keys, for each row:
 *
 *   m' = max(m, max s),   e = exp(s - m'),   l = l exp(m - m') + sum of e,   y = y exp(m - m') + e v
 *
 * At the end y / l is the output and m + log l, the log-sum-exp of the row, is kept. With it the gradient makes the
 * probabilities of a tile again, p = exp(s - logSumExp), and adds the tile's part:
 *
 *   ds = scale p (dp - dy . y),  dp = dy v^T        dq += ds k,   dk += ds^T q,   dv += p^T dy
 *
 * With dropout, dropped(p) takes the place of p in y and dv, and dropped(dp) that of dp. If `causal`, tiles and parts of
 * tiles that no row sees are not computed: half of the work. The cut into tiles depends on sizes alone.
 */
import { ATTENTION_HEADER_BYTES, ATTENTION_KEYS, ATTENTION_ROW_BYTES } from '../layout'
import { dropout } from './machine/dropout'
import { exp, expOfShare, log } from './machine/exp'
import { combine, map, mapFew, take } from './machine/lines'
import { ownSlot } from './machine/parallel'
import { divide, exponentials } from './machine/rows'
import { masked, scaled } from './machine/scores'
import { AttentionSizes } from './machine/sizes'
import { addHigh, addLow, sumOfFour } from './machine/sums'
import { matmul } from './product/matmul'

/** The head of the workspace, which kernels/simd/attention.ts stores. The start of each element's mask follows it. */
@unmanaged
class Heads extends AttentionSizes {
  @inline get factor(): f32 { return reinterpret<f32>(this.scale) }
  @inline get keep(): f32 { return reinterpret<f32>(this.keepScale) }

  /** the address of the mask for a query, or 0 */
  @inline maskOf(b: i32, query: i32): usize {
    if (this.mask == 0) return 0
    const starts = changetype<usize>(this) + ATTENTION_HEADER_BYTES
    return this.mask + load<i32>(starts + <usize>b * 4) + query * this.maskRow
  }
}

/** The workspace of this thread: a product's, the rows' maxima and sums, two tiles. */
@inline
function slotOf(heads: Heads): usize {
  const table = (ATTENTION_HEADER_BYTES + heads.batch * 4 + 63) & ~63
  return changetype<usize>(heads) + table + ownSlot() * heads.slotBytes
}

@inline
function product(
  heads: Heads, slot: usize, a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, transposeA: bool, transposeB: bool,
  accumulate: bool,
): void {
  matmul(a, b, 0, c, m, n, k, transposeA, transposeB, accumulate, slot, heads.productDepth, heads.productHeight, 1)
}

/** The number of keys, from key `first` on, that a query sees. */
@inline
function seenBy(heads: Heads, query: i32, first: i32, count: i32): i32 {
  return heads.causal ? max(0, min(count, query + 1 - first)) : count
}

/** Blocks of rows first .. first + units - 1, counted through the whole batch. */
export function attention(units: i32, first: i32, workspace: usize): void {
  const heads = changetype<Heads>(workspace)
  const slot = slotOf(heads)
  const blocks = (heads.queries + heads.tileRows - 1) / heads.tileRows
  for (; units > 0; units--, first++) attend(heads, slot, first / blocks, (first % blocks) * heads.tileRows)
}

function attend(heads: Heads, slot: usize, b: i32, query: i32): void {
  const depth = heads.depth
  const width = heads.width
  const rows = min(heads.tileRows, heads.queries - query)
  const row = b * heads.queries + query
  const sums = slot + heads.productBytes
  const tile = sums + ((heads.tileRows * ATTENTION_ROW_BYTES + 63) & ~63)
  const q = heads.q + <usize>(row * depth) * 4
  const y = heads.y + <usize>(row * width) * 4
  const k = heads.k + <usize>(b * heads.keys * depth) * 4
  const v = heads.v + <usize>(b * heads.keys * width) * 4
  for (let i = 0; i < rows; i++) {
    store<f64>(sums + i * ATTENTION_ROW_BYTES, 0)
    store<f32>(sums + i * ATTENTION_ROW_BYTES, -Infinity, 8)
  }
  const end = seenBy(heads, query + rows - 1, 0, heads.keys)
  for (let key = 0; key < end; key += ATTENTION_KEYS) {
    const count = min(ATTENTION_KEYS, end - key)
    product(heads, slot, q, k + <usize>(key * depth) * 4, tile, rows, count, depth, false, true, false)
    let s = tile
    for (let i = 0; i < rows; i++) {
      const own = sums + i * ATTENTION_ROW_BYTES
      const alpha = weigh(heads, s, own, b, query + i, key, count)
      if (key > 0 && alpha != 1) map<Times>(width, y + <usize>(i * width) * 4, y + <usize>(i * width) * 4, f32x4.splat(alpha), f32x4.splat(0))
      s += <usize>count * 4
    }
    product(heads, slot, tile, v + <usize>(key * width) * 4, y, rows, width, count, false, false, key > 0)
  }
  for (let i = 0; i < rows; i++) {
    const own = sums + i * ATTENTION_ROW_BYTES
    const total = f32x4.splat(<f32>load<f64>(own))
    divide(y + <usize>(i * width) * 4, width, 1, 4, total)
    store<f32>(heads.logSumExp + <usize>(row + i) * 4, load<f32>(own, 8) + f32x4.extract_lane(log(total), 0))
  }
}

/**
 * Turns a row of a tile into exponentials, 0 where the query does not see the key, and counts them in the row's maximum
 * and sum. Returns the factor for the earlier sums.
 */
function weigh(heads: Heads, s: usize, sums: usize, b: i32, query: i32, key: i32, count: i32): f32 {
  const seen = seenBy(heads, query, key, count)
  const mask = heads.maskOf(b, query)
  const maskKey = heads.maskKey
  const largest = mask == 0
    ? scaled(s, s, seen, heads.factor)
    : masked(s, s, seen, heads.factor, mask + <usize>key * maskKey, maskKey)
  const before = load<f32>(sums, 8)
  const top = max(before, f32x4.extract_lane(largest, 0))
  // so far every key may be hidden
  const base: f32 = top == -Infinity ? 0 : top
  const total = exponentials(s, s, seen, 1, 4, f32x4.splat(base))
  if (seen < count) memory.fill(s + <usize>seen * 4, 0, <usize>(count - seen) * 4)
  const alpha: f32 = before == top ? 1 : f32x4.extract_lane(exp(f32x4.splat(before - base)), 0)
  store<f64>(sums, load<f64>(sums) * alpha + f32x4.extract_lane(total, 0))
  store<f32>(sums, top, 8)
  if (heads.keep != 0) drop(heads, s, b, query, key, seen)
  return alpha
}

/** Dropout of `count` scores of a query, from a key on: a call for each block of 2^32 positions. */
function drop(heads: Heads, s: usize, b: i32, query: i32, key: i32, count: i32): void {
  const row = <i64>(b * heads.queries + query)
  let position = (<i64>heads.firstHigh << 32) + (<i64>heads.firstLow & 0xffffffff) + row * heads.keys + key
  while (count > 0) {
    const high = <i32>(position >> 32)
    const part = <i32>min<i64>(count, (<i64>(high + 1) << 32) - position)
    // Note [Counter of a mask] in kernels/dropout.ts
    const call = heads.call + 2048 * high
    dropout(part, s, s, heads.seed, heads.step, call, <i32>position, heads.threshold, heads.keep)
    s += <usize>part * 4
    position += part
    count -= part
  }
}

@unmanaged class Times {
  @inline apply(x: v128, p: v128, _q: v128): v128 { return f32x4.mul(x, p) }
}

/** exp(scale s - logSumExp), a share of 1 */
@unmanaged class Powers {
  @inline apply(x: v128, p: v128, q: v128): v128 { return expOfShare(f32x4.sub(f32x4.mul(x, p), q)) }
}

/** scale p (dp - dy . y) */
@unmanaged class ScoreSlopes {
  @inline apply(a: v128, b: v128, p: v128, q: v128, _r: v128): v128 {
    return f32x4.mul(f32x4.mul(q, b), f32x4.sub(a, p))
  }
}

/**
 * The gradients of units first .. first + units - 1. A unit is an element of the batch. If keys are split, it is half an
 * element: the keys before `split`, or those from `split` on, whose part of dq goes to `halfDq`.
 */
export function attentionGradient(units: i32, first: i32, workspace: usize): void {
  const heads = changetype<Heads>(workspace)
  const slot = slotOf(heads)
  const split = heads.split
  for (; units > 0; units--, first++) {
    if (split == heads.keys) attendBack(heads, slot, first, 0, split, heads.dq)
    else if ((first & 1) == 0) attendBack(heads, slot, first >> 1, 0, split, heads.dq)
    else attendBack(heads, slot, first >> 1, split, heads.keys, heads.halfDq)
  }
}

/** The parts of keys first .. end - 1: dk, dv, and their part of dq. */
function attendBack(heads: Heads, slot: usize, b: i32, first: i32, end: i32, dq: usize): void {
  const queries = heads.queries
  const depthBytes = <usize>heads.depth * 4
  const widthBytes = <usize>heads.width * 4
  const own = <usize>(b * heads.keys + first)
  memory.fill(heads.dk + own * depthBytes, 0, <usize>(end - first) * depthBytes)
  memory.fill(heads.dv + own * widthBytes, 0, <usize>(end - first) * widthBytes)
  // there may be queries that see none of these keys
  if (first > 0) memory.fill(dq + <usize>(b * queries) * depthBytes, 0, <usize>queries * depthBytes)
  for (let key = first; key < end; key += ATTENTION_KEYS) {
    for (let query = 0; query < queries; query += heads.tileRows) {
      const rows = min(heads.tileRows, queries - query)
      const count = seenBy(heads, query + rows - 1, key, min(ATTENTION_KEYS, end - key))
      if (count > 0) tileBack(heads, slot, b, query, rows, key, count, dq)
    }
  }
}

/** Adds the part of one tile to the gradients. */
function tileBack(
  heads: Heads, slot: usize, b: i32, query: i32, rows: i32, key: i32, count: i32, dq: usize,
): void {
  const depth = heads.depth
  const width = heads.width
  const row = <usize>(b * heads.queries + query)
  const own = <usize>(b * heads.keys + key)
  const q = row * depth * 4
  const y = row * width * 4
  const k = own * depth * 4
  const v = own * width * 4
  const p = slot + heads.productBytes + ((heads.tileRows * ATTENTION_ROW_BYTES + 63) & ~63)
  const ds = p + heads.tileBytes
  product(heads, slot, heads.q + q, heads.k + k, p, rows, count, depth, false, true, false)
  product(heads, slot, heads.dy + y, heads.v + v, ds, rows, count, width, false, true, false)
  for (let i = 0; i < rows; i++) slopesOfRow(heads, b, query + i, key, count, p + <usize>(i * count) * 4, ds + <usize>(i * count) * 4)
  product(heads, slot, p, heads.dy + y, heads.dv + v, count, width, rows, true, false, true)
  product(heads, slot, ds, heads.q + q, heads.dk + k, count, depth, rows, true, false, true)
  product(heads, slot, ds, heads.k + k, dq + q, rows, depth, count, false, false, key > 0)
}

/** q k^T, dp -> dropped(p), ds, in place, for one row of a tile. */
function slopesOfRow(heads: Heads, b: i32, query: i32, key: i32, count: i32, p: usize, ds: usize): void {
  const row = <usize>(b * heads.queries + query)
  const width = heads.width
  const seen = seenBy(heads, query, key, count)
  const mask = heads.maskOf(b, query)
  const logSumExp = v128.load_splat<f32>(heads.logSumExp + row * 4)
  let factor = f32x4.splat(heads.factor)
  if (mask != 0) {
    masked(p, p, seen, heads.factor, mask + <usize>key * heads.maskKey, heads.maskKey)
    factor = f32x4.splat(1)
  }
  mapFew<Powers>(seen, p, p, factor, logSumExp)
  const drops = heads.keep != 0
  if (drops) drop(heads, ds, b, query, key, seen)
  const product = dot(heads.dy + row * width * 4, heads.y + row * width * 4, width)
  combine<ScoreSlopes>(seen, ds, p, ds, f32x4.splat(product), f32x4.splat(heads.factor), factor)
  if (drops) drop(heads, p, b, query, key, seen)
  if (seen < count) {
    memory.fill(p + <usize>seen * 4, 0, <usize>(count - seen) * 4)
    memory.fill(ds + <usize>seen * 4, 0, <usize>(count - seen) * 4)
  }
}

/** The sum of a [n] times b [n]. */
function dot(a: usize, b: usize, n: i32): f32 {
  let low = f64x2.splat(0)
  let high = low
  for (; n > 0; n -= 4) {
    const four = f32x4.mul(take(a, n), take(b, n))
    low = addLow(low, four)
    high = addHigh(high, four)
    a += 16
    b += 16
  }
  return <f32>sumOfFour(low, high)
}
