/**
 * Softmax of attention scores [batch, queries, keys] along the keys. For a key that the query does not see, a program
 * selects 0 instead of multiplying by 0, so that a NaN in its score does not spread.
 *
 * `batch` and `strides` say where the mask of each sample begins.
 */
import type { AttentionRows } from '../kernels.js'
import { listed } from '../strides.js'
import { at, exponential, infinity, quotient } from './machine/builtins.js'
import { elements, type Groups, partialSizes, reduction } from './machine/groups.js'
import { AXES, inner, offsetsWalk } from './machine/indexing.js'
import type { GpuKernel } from './machine/kernel.js'
import { type ArgumentKind, type Four, type Helpers, type Named, packed, type Texels } from './machine/program.js'

const SIZES = ['queries', 'keys', 'causal', 'masked'] as const
/** The mask begins at maskStart and has strides along queries and keys. */
const SCALING = ['scale', 'maskStart', 'strideQuery', 'strideKey'] as const
type Sizes = Named<typeof SIZES>
type Scaling = Named<typeof SCALING>

/** 1 where the query of score i sees its key, else 0. */
function seen(i: number, sizes: Sizes): number {
  const row = quotient(i, sizes.keys)
  const query = row - quotient(row, sizes.queries) * sizes.queries
  if (sizes.causal > 0 && i - row * sizes.keys > query) {
    return 0
  }
  return 1
}

/** scale score + mask */
function score(
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
  batch: Four,
  strides: Four,
): number {
  if (seen(j, sizes) > 0) {
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
  batch: Four,
  strides: Four,
): number {
  if (seen(j, sizes) > 0) {
    return exponential(score(j, scores, mask, sizes, scaling, batch, strides) - at(max, row))
  }
  return 0
}

function shareOf(
  i: number,
  row: number,
  max: Texels,
  total: Texels,
  scores: Texels,
  mask: Texels,
  sizes: Sizes,
  scaling: Scaling,
  batch: Four,
  strides: Four,
): number {
  if (seen(i, sizes) > 0) {
    return exponential(score(i, scores, mask, sizes, scaling, batch, strides) - at(max, row)) / at(total, row)
  }
  return 0
}

const SCORES: readonly ArgumentKind[] = ['texels', 'texels', SIZES, SCALING, 'four', 'four']
const HELPERS: Helpers = {
  ...AXES,
  seen: { source: seen, kinds: ['number', SIZES] },
  score: { source: score, kinds: ['number', ...SCORES] },
}

const MAXIMA = reduction('attentionSoftmax, maxima', 'max', scoreTerm, SCORES, HELPERS)
const TOTALS = reduction('attentionSoftmax, totals', 'sum', powerTerm, ['texels', ...SCORES], HELPERS)
const SHARES = elements('attentionSoftmax', shareOf, ['texels', 'texels', ...SCORES], HELPERS)

const rowsOf = ({ batch, queries, keys }: AttentionRows): Groups => ({
  shape: [batch * queries, keys],
  reduced: [false, true],
})

export const attentionSoftmax: GpuKernel<'attentionSoftmax'> = {
  programs: [MAXIMA, TOTALS, SHARES].flatMap(({ programs }) => programs),
  workspaces: (p) => [p.batch * p.queries, p.batch * p.queries, ...partialSizes(rowsOf(p))],
  run(gpu, p, [scores, values], [y], [max, total, partial]) {
    const { first, shape, strides } = offsetsWalk(listed(p.mask?.starts ?? [0]))
    const { strideQuery, strideKey } = p.mask ?? { strideQuery: 0, strideKey: 0 }
    const sizes = packed(SIZES, { ...p, masked: p.mask !== null })
    const scaling = packed(SCALING, { scale: p.scale, maskStart: first, strideQuery, strideKey })
    const own = [scores, p.mask ? values : scores, sizes, scaling, shape, strides]
    MAXIMA.run(gpu, rowsOf(p), own, max, partial)
    TOTALS.run(gpu, rowsOf(p), [max, ...own], total, partial)
    SHARES.run(gpu, rowsOf(p), [max, total, ...own], y)
  },
}
