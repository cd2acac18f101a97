/**
 * Scores of attention, scale q k^T + mask, as programs read them: the scores [batch, queries, keys] of a block of keys,
 * which begins with key `first` of `all`. For a key that the query does not see, or that is beyond the last, a program
 * selects 0 instead of multiplying by 0, so that a NaN in its score does not spread.
 */
import type { AttentionRows } from '../../attention.js'
import { listed } from '../../strides.js'
import { at, exponential, infinity, quotient } from './builtins.js'
import { type Groups, reduction } from './groups.js'
import { AXES, inner, offsetsWalk } from './indexing.js'
import { type ArgumentKind, type Four, type Helpers, type Named, packed, type Texels } from './program.js'

const SIZES = ['queries', 'keys', 'causal', 'masked'] as const
/** The mask begins at maskStart and has strides along queries and keys. */
const SCALING = ['scale', 'maskStart', 'strideQuery', 'strideKey'] as const
const PLACE = ['first', 'all'] as const
export type Sizes = Named<typeof SIZES>
export type Scaling = Named<typeof SCALING>
export type Place = Named<typeof PLACE>

/** 1 where the query of score i sees its key, else 0. */
export function seen(i: number, sizes: Sizes, place: Place): number {
  const row = quotient(i, sizes.keys)
  const key = place.first + i - row * sizes.keys
  const query = row - quotient(row, sizes.queries) * sizes.queries
  if (key >= place.all) {
    return 0
  }
  if (sizes.causal > 0 && key > query) {
    return 0
  }
  return 1
}

/** scale score + mask; `batch` and `strides` say where the mask of each sample begins. */
export function score(
  i: number,
  scores: Texels,
  mask: Texels,
  sizes: Sizes,
  scaling: Scaling,
  batch: Four,
  strides: Four,
): number {
  const scaled = scaling.scale * at(scores, i)
  if (sizes.masked > 0) {
    const row = quotient(i, sizes.keys)
    const sample = quotient(row, sizes.queries)
    const query = row - sample * sizes.queries
    const start = scaling.maskStart + inner(sample, batch, strides)
    return scaled + at(mask, start + query * scaling.strideQuery + (i - row * sizes.keys) * scaling.strideKey)
  }
  return scaled
}

function scoreTerm(
  j: number,
  _row: number,
  scores: Texels,
  mask: Texels,
  sizes: Sizes,
  scaling: Scaling,
  place: Place,
  batch: Four,
  strides: Four,
): number {
  if (seen(j, sizes, place) > 0) {
    return score(j, scores, mask, sizes, scaling, batch, strides)
  }
  return -infinity()
}

function powerTerm(
  j: number,
  row: number,
  max: Texels,
  scores: Texels,
  mask: Texels,
  sizes: Sizes,
  scaling: Scaling,
  place: Place,
  batch: Four,
  strides: Four,
): number {
  if (seen(j, sizes, place) > 0) {
    return exponential(score(j, scores, mask, sizes, scaling, batch, strides) - at(max, row))
  }
  return 0
}

/** The arguments of a program that reads scores, and the helpers `seen` and `score` that it calls. */
export const SCORES: readonly ArgumentKind[] = ['texels', 'texels', SIZES, SCALING, PLACE, 'four', 'four']
export const SCORE_HELPERS: Helpers = {
  ...AXES,
  seen: { source: seen, kinds: ['number', SIZES, PLACE] },
  score: { source: score, kinds: ['number', 'texels', 'texels', SIZES, SCALING, 'four', 'four'] },
}

/** The maximum of each row of scores; -Infinity where the query sees no key. */
export const MAXIMA = reduction('attention, maxima', 'max', scoreTerm, SCORES, SCORE_HELPERS)
/** The sum of exp(score - max) of each row; the maxima are given. */
export const TOTALS = reduction('attention, totals', 'sum', powerTerm, ['texels', ...SCORES], SCORE_HELPERS)

export const scoreGroups = ({ batch, queries, keys }: AttentionRows): Groups => ({
  shape: [batch * queries, keys],
  reduced: [false, true],
})

/**
 * The arguments for SCORES.
 * @param count  the number of keys in the block
 */
export function scoreArguments<Operand>(
  p: AttentionRows,
  scores: Operand,
  mask: Operand | undefined,
  first = 0,
  count = p.keys,
): readonly (Operand | Four)[] {
  const { first: start, shape, strides } = offsetsWalk(listed(p.mask?.starts ?? [0]))
  const { strideQuery, strideKey } = p.mask ?? { strideQuery: 0, strideKey: 0 }
  const sizes = packed(SIZES, { ...p, keys: count, masked: p.mask !== null })
  const scaling = packed(SCALING, { scale: p.scale, maskStart: start + first * strideKey, strideQuery, strideKey })
  const place = packed(PLACE, { first, all: p.keys })
  return [scores, p.mask && mask !== undefined ? mask : scores, sizes, scaling, place, shape, strides]
}
