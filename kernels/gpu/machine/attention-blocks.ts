/**
 * What attention and its gradient share on a GPU: blocks of keys, their products, and the probabilities of a block,
 * exp(score - logSumExp). The last block is filled up with keys of zeros, which no query sees.
 */
import type { Attention } from '../../attention.js'
import type { KernelParameters } from '../../kernels.js'
import { at, exponential, infinity, isNotANumber, notANumber, quotient } from './builtins.js'
import { elements } from './groups.js'
import { eachValue, type Four, type Gpu, type Helpers, type Named, packed, type Texels } from './program.js'
import { COUNTER, type Counter, drawing, KEY, type Key, RANDOM } from './random.js'
import { type Place, SCORE_HELPERS, SCORES, type Scaling, type Sizes, score, seen } from './scores.js'

/** The keys of a block: the workspaces hold a few numbers for each query and key of a block. */
const BLOCK = 128

declare function drawn(row: number, width: number, i: number, key: Key, counter: Counter): number

/** `least` 0: no dropout. With `spreads`, a NaN is never dropped: a query that sees no key gives NaN. */
const DROP = ['least', 'scale', 'spreads'] as const
export type Drop = Named<typeof DROP>

/** dropout of a value for score i */
export function kept(x: number, i: number, sizes: Sizes, place: Place, key: Key, counter: Counter, drop: Drop): number {
  if (drop.least > 0) {
    const row = quotient(i, sizes.keys)
    return drawn(row, place.all, place.first + i - row * sizes.keys, key, counter) >= drop.least ? drop.scale * x : 0
  }
  return x
}

/** exp(score - logSumExp); NaN where the query sees no key at all */
export function share(
  i: number,
  row: number,
  logSumExp: Texels,
  scores: Texels,
  mask: Texels,
  sizes: Sizes,
  scaling: Scaling,
  batch: Four,
  strides: Four,
): number {
  const z = at(logSumExp, row)
  if (isNotANumber(z) > 0 || z === -infinity()) {
    return notANumber()
  }
  return exponential(score(i, scores, mask, sizes, scaling, batch, strides) - z)
}

function keptShare(
  i: number,
  row: number,
  logSumExp: Texels,
  scores: Texels,
  mask: Texels,
  sizes: Sizes,
  scaling: Scaling,
  place: Place,
  batch: Four,
  strides: Four,
  key: Key,
  counter: Counter,
  drop: Drop,
): number {
  if (seen(i, sizes, place) > 0) {
    const p = share(i, row, logSumExp, scores, mask, sizes, scaling, batch, strides)
    if (drop.spreads > 0 && isNotANumber(p) > 0) {
      return p
    }
    return kept(p, i, sizes, place, key, counter, drop)
  }
  return 0
}

/** A block [batch, count, width] of x [batch, all, width], from `first` on, filled up with zeros. */
export const BLOCKS = ['all', 'count', 'first', 'width'] as const
export type Blocks = Named<typeof BLOCKS>

function blockOf(i: number, x: Texels, blocks: Blocks): number {
  const row = quotient(i, blocks.width)
  const b = quotient(row, blocks.count)
  const key = blocks.first + row - b * blocks.count
  if (key < blocks.all) {
    return at(x, (b * blocks.all + key) * blocks.width + i - row * blocks.width)
  }
  return 0
}

const [, , SIZES, SCALING, PLACE] = SCORES
export const DRAWN = [KEY, COUNTER, DROP] as const
export const HELPERS: Helpers = {
  ...SCORE_HELPERS,
  ...RANDOM,
  kept: { source: kept, kinds: ['number', 'number', SIZES, PLACE, ...DRAWN] },
  share: { source: share, kinds: ['number', 'number', 'texels', 'texels', 'texels', SIZES, SCALING, 'four', 'four'] },
}
export const SHARES = elements('attention, shares', keptShare, ['texels', ...SCORES, ...DRAWN], HELPERS)
export const TAKEN = eachValue('attention, block', blockOf, ['texels', BLOCKS])

/** The number of blocks, and of keys in each. */
export function cut({ keys }: Attention) {
  const blocks = Math.ceil(keys / BLOCK)
  return { blocks, count: Math.ceil(keys / blocks) }
}

type Product = KernelParameters['matmul']

/** The products of a block: of each head, op(a) [m, k] and op(b) [k, n]. */
export function products(p: Attention) {
  const order = { largest: p.batch - 1, list: () => Array.from({ length: p.batch }, (_, b) => b) }
  const { queries, depth, width } = p
  const { count } = cut(p)
  const of = (m: number, k: number, n: number, transposeA: boolean, transposeB: boolean): Product => {
    return {
      batch: p.batch,
      offsetsA: order,
      offsetsB: order,
      m,
      k,
      n,
      transposeA,
      transposeB,
      bias: false,
      accumulate: false,
    }
  }
  return {
    scores: of(queries, depth, count, false, true),
    outputs: of(queries, count, width, false, false),
    slopes: of(queries, width, count, false, true),
    dq: of(queries, count, depth, false, false),
    dk: of(count, queries, depth, true, false),
    dv: of(count, queries, width, true, false),
  }
}

/** Hands out workspaces in the order of their sizes. */
export function dealer<Operand>(workspaces: readonly Operand[]) {
  let next = 0
  return (count: number): readonly Operand[] => {
    next += count
    return workspaces.slice(next - count, next)
  }
}

/** The sizes of the copies of a block of k and one of v; none if a single block has all keys. */
export function copySizes(p: Attention): readonly number[] {
  const { blocks, count } = cut(p)
  return blocks === 1 ? [] : [p.batch * count * p.depth, p.batch * count * p.width]
}

/** The numbers of dropout, as arguments; without dropout all values are kept. */
export function dropArguments({ dropout }: Attention, spreads: boolean): readonly Four[] {
  const { key, counter, least, scale } = drawing(dropout ?? { rate: 0, seed: 0, step: 0, call: 0, first: 0 })
  return [key, counter, packed(DROP, { least, scale, spreads })]
}

/** Keys and values of the block that begins with key `first`: copied, unless it is the only one. */
export function block<Operand>(
  gpu: Gpu<Operand>,
  p: Attention,
  [k, v]: readonly Operand[],
  copies: readonly Operand[],
  first: number,
): readonly Operand[] {
  if (copies.length === 0) return [k, v]
  const { count } = cut(p)
  gpu.run(TAKEN, [k, packed(BLOCKS, { all: p.keys, count, first, width: p.depth })], copies[0])
  gpu.run(TAKEN, [v, packed(BLOCKS, { all: p.keys, count, first, width: p.width })], copies[1])
  return copies
}
