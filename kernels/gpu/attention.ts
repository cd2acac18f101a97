/** Softmax of attention scores along the keys. A key that is not seen is chosen away, so that a NaN in it stays there. */
import type { AttentionRows } from '../kernels.js'
import { listed } from '../offsets.js'
import { at, exponential, infinity, quotient } from './machine/builtins.js'
import { elements, type Groups, partialSizes, reduction } from './machine/groups.js'
import { AXES, inner, offsetsWalk } from './machine/indexing.js'
import type { GpuKernel } from './machine/kernel.js'
import type { ArgumentKind, Four, Helpers, Texels } from './machine/program.js'

/*
 * scores [batch, queries, keys]
 * sizes: queries, keys, 1 where causal, 1 where there is a mask
 * scaling: scale; of the mask, where it begins and its strides along queries and keys
 * batch, strides: where in the mask each of the batch begins
 */

/** Is it the score of a key that its query sees? */
function seen(i: number, sizes: Four): number {
  const row = quotient(i, sizes[1])
  const query = row - quotient(row, sizes[0]) * sizes[0]
  if (sizes[2] > 0 && i - row * sizes[1] > query) {
    return 0
  }
  return 1
}

/** scale score + mask */
function score(
  i: number,
  scores: Texels,
  mask: Texels,
  sizes: Four,
  scaling: Four,
  batch: Four,
  strides: Four,
): number {
  const scaled = scaling[0] * at(scores, i)
  if (sizes[3] > 0) {
    const row = quotient(i, sizes[1])
    const sample = quotient(row, sizes[0])
    const query = row - sample * sizes[0]
    const start = scaling[1] + inner(sample, batch, strides)
    return scaled + at(mask, start + query * scaling[2] + (i - row * sizes[1]) * scaling[3])
  }
  return scaled
}

function scoreTerm(
  j: number,
  _row: number,
  scores: Texels,
  mask: Texels,
  sizes: Four,
  scaling: Four,
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
  sizes: Four,
  scaling: Four,
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
  sizes: Four,
  scaling: Four,
  batch: Four,
  strides: Four,
): number {
  if (seen(i, sizes) > 0) {
    return exponential(score(i, scores, mask, sizes, scaling, batch, strides) - at(max, row)) / at(total, row)
  }
  return 0
}

const SCORES: readonly ArgumentKind[] = ['texels', 'texels', 'four', 'four', 'four', 'four']
const HELPERS: Helpers = {
  ...AXES,
  seen: { source: seen, kinds: ['number', 'four'] },
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
    const sizes: Four = [p.queries, p.keys, p.causal ? 1 : 0, p.mask ? 1 : 0]
    const scaling: Four = [p.scale, first, p.mask?.strideQuery ?? 0, p.mask?.strideKey ?? 0]
    const own = [scores, p.mask ? values : scores, sizes, scaling, shape, strides]
    MAXIMA.run(gpu, rowsOf(p), own, max, partial)
    TOTALS.run(gpu, rowsOf(p), [max, ...own], total, partial)
    SHARES.run(gpu, rowsOf(p), [max, total, ...own], y)
  },
}
