/** Softmax and losses, in parts by their outer axis: assembly/softmax.ts, cross-entropy.ts and loss.ts. */
import type { ClassRows, Rows } from '../kernels.js'
import { BYTES, CHEAP_GRAIN, DEAR_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Cut } from './machine/parts.js'

/**
 * Parts by the outer axis, whose size is the argument after the operands; `sizes` has, for each operand, the numbers at
 * one step of that axis.
 */
const byOuter = (sizes: readonly number[], grain: number): Cut => ({
  count: sizes.length,
  steps: sizes.map((size) => size * BYTES),
  grain: Math.ceil(grain / Math.max(...sizes)),
})

const alike = (operands: number, { size, inner }: Rows): Cut =>
  byOuter(new Array<number>(operands).fill(size * inner), DEAR_GRAIN)

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

/** Targets are float32. An ignoreIndex that float32 cannot hold becomes NaN, which no target equals. */
const classSizes = ({ outer, classes, inner, ignoreIndex, labelSmoothing }: ClassRows): number[] => {
  const ignored = Math.fround(ignoreIndex) === ignoreIndex ? ignoreIndex : Number.NaN
  return [outer, classes, inner, ignored, labelSmoothing]
}

export const crossEntropyRows: SimdKernel<'crossEntropyRows'> = {
  run(assembly, p, [logits, targets, weights = 0], [losses, counts]) {
    const sizes = [p.classes * p.inner, p.inner, Number(p.weighted), p.inner, p.inner]
    const args = [logits, targets, weights, losses, counts, ...classSizes(p)]
    assembly.inParts('crossEntropyRows', args, byOuter(sizes, DEAR_GRAIN))
  },
}

export const crossEntropyGradient: SimdKernel<'crossEntropyGradient'> = {
  run(assembly, p, [dy, total, logits, targets, weights = 0], [dlogits]) {
    const sizes = [0, 0, p.classes * p.inner, p.inner, Number(p.weighted), p.classes * p.inner]
    const args = [dy, total, logits, targets, weights, dlogits, ...classSizes(p)]
    assembly.inParts('crossEntropyGradient', args, byOuter(sizes, DEAR_GRAIN))
  },
}

const GRAINS = { squaredError: CHEAP_GRAIN, binaryCrossEntropyWithLogits: DEAR_GRAIN }

export const lossRows: SimdKernel<'lossRows'> = {
  run(assembly, { rows, size, function: name }, [prediction, target], [losses]) {
    assembly.inParts(`${name}Rows`, [prediction, target, losses, rows, size], byOuter([size, size, 1], GRAINS[name]))
  },
}

export const lossRowsGradient: SimdKernel<'lossRowsGradient'> = {
  run(assembly, { rows, size, function: name }, [dy, total, prediction, target, weights], [dx]) {
    const args = [dy, total, prediction, target, weights, dx, rows, size]
    assembly.inParts(`${name}Gradient`, args, byOuter([0, 0, size, size, 1, size], GRAINS[name]))
  },
}

export const weightedMean: SimdKernel<'weightedMean'> = {
  run(assembly, { rows }, [losses, weights], [mean, total]) {
    assembly.weightedMean(losses, weights, mean, total, rows)
  },
}
