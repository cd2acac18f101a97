/** Softmax of whole attention scores [batch, queries, keys] along the keys. Not here: attention itself (flash.ts). */
import { at, exponential } from './machine/builtins.js'
import { elements, partialSizes } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import type { Four, Texels } from './machine/program.js'
import {
  MAXIMA,
  type Place,
  SCORE_HELPERS,
  SCORES,
  type Scaling,
  type Sizes,
  score,
  scoreArguments,
  scoreGroups,
  seen,
  TOTALS,
} from './machine/scores.js'

function shareOf(
  i: number,
  row: number,
  max: Texels,
  total: Texels,
  scores: Texels,
  mask: Texels,
  sizes: Sizes,
  scaling: Scaling,
  place: Place,
  batch: Four,
  strides: Four,
): number {
  if (seen(i, sizes, place) > 0) {
    return exponential(score(i, scores, mask, sizes, scaling, batch, strides) - at(max, row)) / at(total, row)
  }
  return 0
}

const SHARES = elements('attentionSoftmax', shareOf, ['texels', 'texels', ...SCORES], SCORE_HELPERS)

export const attentionSoftmax: GpuKernel<'attentionSoftmax'> = {
  programs: [MAXIMA, TOTALS, SHARES].flatMap(({ programs }) => programs),
  workspaces: (p) => [p.batch * p.queries, p.batch * p.queries, ...partialSizes(scoreGroups(p))],
  run(gpu, p, [scores, mask], [y], [max, total, partial]) {
    const own = scoreArguments(p, scores, mask)
    MAXIMA.run(gpu, scoreGroups(p), own, max, partial)
    TOTALS.run(gpu, scoreGroups(p), [max, ...own], total, partial)
    SHARES.run(gpu, scoreGroups(p), [max, total, ...own], y)
  },
}
