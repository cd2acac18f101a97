/** Softmax and losses: assembly/softmax.ts, crossEntropy.ts and loss.ts. */
import type { ClassRows } from '../kernels.js'
import type { SimdKernel } from './kernel.js'

export const softmax: SimdKernel<'softmax'> = {
  run(assembly, { outer, size, inner, log }, [x], [y]) {
    assembly.softmax(x, y, outer, size, inner, Number(log))
  },
}

export const softmaxGradient: SimdKernel<'softmaxGradient'> = {
  run(assembly, { outer, size, inner, log }, [dy, y], [dx]) {
    assembly.softmaxGradient(dy, y, dx, outer, size, inner, Number(log))
  },
}

/** Targets are float32: no target is an ignoreIndex that float32 has not. NaN is equal to none. */
const classes = ({ outer, classes, inner, ignoreIndex, labelSmoothing }: ClassRows): number[] => {
  const ignored = Math.fround(ignoreIndex) === ignoreIndex ? ignoreIndex : Number.NaN
  return [outer, classes, inner, ignored, labelSmoothing]
}

export const crossEntropyRows: SimdKernel<'crossEntropyRows'> = {
  run(assembly, p, [logits, targets, weights = 0], [losses, counts]) {
    assembly.crossEntropyRows(logits, targets, weights, losses, counts, ...classes(p))
  },
}

export const crossEntropyGradient: SimdKernel<'crossEntropyGradient'> = {
  run(assembly, p, [dy, total, logits, targets, weights = 0], [dlogits]) {
    assembly.crossEntropyGradient(dy, total, logits, targets, weights, dlogits, ...classes(p))
  },
}

const isCrossEntropy = (name: 'squaredError' | 'binaryCrossEntropyWithLogits'): number =>
  Number(name === 'binaryCrossEntropyWithLogits')

export const lossRows: SimdKernel<'lossRows'> = {
  run(assembly, { rows, size, function: name }, [prediction, target], [losses]) {
    assembly.lossRows(prediction, target, losses, rows, size, isCrossEntropy(name))
  },
}

export const lossRowsGradient: SimdKernel<'lossRowsGradient'> = {
  run(assembly, { rows, size, function: name }, [dy, total, prediction, target, weights], [dx]) {
    assembly.lossRowsGradient(dy, total, prediction, target, weights, dx, rows, size, isCrossEntropy(name))
  },
}

export const weightedMean: SimdKernel<'weightedMean'> = {
  run(assembly, { rows }, [losses, weights], [mean, total]) {
    assembly.weightedMean(losses, weights, mean, total, rows)
  },
}
