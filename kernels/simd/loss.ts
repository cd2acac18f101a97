/** Softmax and losses: assembly/softmax.ts, cross-entropy.ts and loss.ts; in parts by rows, or by what holds several. */
import type { ClassRows, Rows } from '../kernels.js'
import { BYTES, CHEAP_GRAIN, DEAR_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Cut } from './machine/parts.js'

/** By the outer axis: `count` operands move on by so many numbers, and then comes how many there are. */
const cut = (sizes: readonly number[], grain: number): Cut => ({
  count: sizes.length,
  steps: sizes.map((size) => size * BYTES),
  grain: Math.ceil(grain / Math.max(...sizes)),
})

const alike = (operands: number, { size, inner }: Rows): Cut =>
  cut(new Array<number>(operands).fill(size * inner), DEAR_GRAIN)

export const softmax: SimdKernel<'softmax'> = {
  run(assembly, p, [x], [y]) {
    assembly.inParts('softmax', [x, y, p.outer, p.size, p.inner, Number(p.log)], alike(2, p))
  },
}

export const softmaxGradient: SimdKernel<'softmaxGradient'> = {
  run(assembly, p, [dy, y], [dx]) {
    assembly.inParts('softmaxGradient', [dy, y, dx, p.outer, p.size, p.inner, Number(p.log)], alike(3, p))
  },
}

/** Targets are float32: no target is an ignoreIndex that float32 has not. NaN is equal to none. */
const classes = ({ outer, classes, inner, ignoreIndex, labelSmoothing }: ClassRows): number[] => {
  const ignored = Math.fround(ignoreIndex) === ignoreIndex ? ignoreIndex : Number.NaN
  return [outer, classes, inner, ignored, labelSmoothing]
}

export const crossEntropyRows: SimdKernel<'crossEntropyRows'> = {
  run(assembly, p, [logits, targets, weights = 0], [losses, counts]) {
    const sizes = [p.classes * p.inner, p.inner, Number(p.weighted), p.inner, p.inner]
    const args = [logits, targets, weights, losses, counts, ...classes(p)]
    assembly.inParts('crossEntropyRows', args, cut(sizes, DEAR_GRAIN))
  },
}

export const crossEntropyGradient: SimdKernel<'crossEntropyGradient'> = {
  run(assembly, p, [dy, total, logits, targets, weights = 0], [dlogits]) {
    const sizes = [0, 0, p.classes * p.inner, p.inner, Number(p.weighted), p.classes * p.inner]
    const args = [dy, total, logits, targets, weights, dlogits, ...classes(p)]
    assembly.inParts('crossEntropyGradient', args, cut(sizes, DEAR_GRAIN))
  },
}

type PointwiseLoss = 'squaredError' | 'binaryCrossEntropyWithLogits'

const isCrossEntropy = (name: PointwiseLoss): number => Number(name === 'binaryCrossEntropyWithLogits')

const grainOf = (name: PointwiseLoss): number => (isCrossEntropy(name) ? DEAR_GRAIN : CHEAP_GRAIN)

export const lossRows: SimdKernel<'lossRows'> = {
  run(assembly, { rows, size, function: name }, [prediction, target], [losses]) {
    const args = [prediction, target, losses, rows, size, isCrossEntropy(name)]
    assembly.inParts('lossRows', args, cut([size, size, 1], grainOf(name)))
  },
}

export const lossRowsGradient: SimdKernel<'lossRowsGradient'> = {
  run(assembly, { rows, size, function: name }, [dy, total, prediction, target, weights], [dx]) {
    const args = [dy, total, prediction, target, weights, dx, rows, size, isCrossEntropy(name)]
    assembly.inParts('lossRowsGradient', args, cut([0, 0, size, size, 1, size], grainOf(name)))
  },
}

export const weightedMean: SimdKernel<'weightedMean'> = {
  run(assembly, { rows }, [losses, weights], [mean, total]) {
    assembly.weightedMean(losses, weights, mean, total, rows)
  },
}
