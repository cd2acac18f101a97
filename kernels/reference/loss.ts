/**
 * Losses by row, and their gradients through a weighted mean.
 *
 * A forward gives every row its loss and its weight; `weightedMean` (reduce.ts) combines them, so the loss is
 * sum(w l) / total and its gradient towards a row scales by dy w / total. A row of weight 0, and every row if the total
 * is 0, gets exactly 0: nothing is multiplied, so a NaN in the row does not spread. A target that is neither a class
 * nor ignoreIndex makes its loss and its gradient NaN.
 */
import { UNARY } from '../functions.js'
import type { Kernels } from '../kernels.js'
import { softmaxScale } from './machine/maxima.js'

/**
 * logits [outer, classes, inner], targets [outer, inner], weights? [outer] -> losses, weights [outer, inner]
 * loss = (1 - s) (-log p_target) + s / classes * sum of -log p_c, with -log p_c = logTotal + max - x_c
 */
export const crossEntropyRows: Kernels['crossEntropyRows'] = (
  { outer, classes, inner, ignoreIndex, labelSmoothing, weighted },
  [logits, targets, sampleWeights],
  [losses, weights],
) => {
  for (let o = 0; o < outer; o++) {
    const sampleWeight = weighted ? sampleWeights[o] : 1
    for (let i = 0; i < inner; i++) {
      const row = o * inner + i
      const target = targets[row]
      if (target === ignoreIndex) {
        losses[row] = 0
        weights[row] = 0
        continue
      }
      const start = o * classes * inner + i
      const { max, total } = softmaxScale(logits, start, classes, inner)
      const logTotal = Math.log(total)
      const logit = isClass(target, classes) ? logits[start + target * inner] : Number.NaN
      let loss = (1 - labelSmoothing) * (logTotal - (logit - max))
      if (labelSmoothing > 0) {
        let all = 0
        for (let c = 0; c < classes; c++) all += logTotal - (logits[start + c * inner] - max)
        loss += (labelSmoothing / classes) * all
      }
      losses[row] = loss
      weights[row] = sampleWeight
    }
  }
}

/** dy, total (scalars), logits, targets, weights? as above -> dlogits [outer, classes, inner] */
export const crossEntropyGradient: Kernels['crossEntropyGradient'] = (
  { outer, classes, inner, ignoreIndex, labelSmoothing, weighted },
  [dy, total, logits, targets, sampleWeights],
  [dlogits],
) => {
  for (let o = 0; o < outer; o++) {
    const sampleWeight = weighted ? sampleWeights[o] : 1
    for (let i = 0; i < inner; i++) {
      const target = targets[o * inner + i]
      const start = o * classes * inner + i
      const scale = rowScale(dy[0], total[0], target === ignoreIndex ? 0 : sampleWeight)
      if (scale === undefined) {
        for (let c = 0; c < classes; c++) dlogits[start + c * inner] = 0
        continue
      }
      const row = softmaxScale(logits, start, classes, inner)
      if (!isClass(target, classes)) row.total = Number.NaN
      for (let c = 0, at = start; c < classes; c++, at += inner) {
        const wanted = (c === target ? 1 - labelSmoothing : 0) + labelSmoothing / classes
        dlogits[at] = scale * (Math.exp(logits[at] - row.max) / row.total - wanted)
      }
    }
  }
}

const isClass = (target: number, classes: number) => Number.isInteger(target) && target >= 0 && target < classes

/** dy weight / total; undefined for a row that does not count. */
function rowScale(dy: number, total: number, weight: number): number | undefined {
  return weight === 0 || total === 0 ? undefined : dy * (weight / total)
}

interface PointLoss {
  loss(prediction: number, target: number): number
  /** towards the prediction */
  derivative(prediction: number, target: number): number
}

/** share * size, but a share of 0 costs 0 even if the size is infinite. */
const weighted = (share: number, size: number) => (share === 0 ? 0 : share * size)

const POINT_LOSS: { readonly [Name in 'squaredError' | 'binaryCrossEntropyWithLogits']: PointLoss } = {
  squaredError: {
    loss: (p, t) => (p - t) * (p - t),
    derivative: (p, t) => 2 * (p - t),
  },
  // -t log s(x) - (1 - t) log(1 - s(x)), s the sigmoid: softplus(x) - x t, with max(x, 0) - x t in one piece
  binaryCrossEntropyWithLogits: {
    loss: (x, t) => weighted(x > 0 ? 1 - t : t, Math.abs(x)) + Math.log1p(Math.exp(-Math.abs(x))),
    derivative: (x, t) => UNARY.sigmoid.f(x, 0, 0) - t,
  },
}

/** prediction, target [rows, size] -> losses [rows] */
export const lossRows: Kernels['lossRows'] = ({ rows, size, function: name }, [prediction, target], [losses]) => {
  const { loss } = POINT_LOSS[name]
  for (let r = 0; r < rows; r++) {
    let total = 0
    for (let i = r * size; i < (r + 1) * size; i++) total += loss(prediction[i], target[i])
    losses[r] = total / size
  }
}

/** dy, total (scalars), prediction, target [rows, size], weights [rows] -> dprediction [rows, size] */
export const lossRowsGradient: Kernels['lossRowsGradient'] = (
  { rows, size, function: name },
  [dy, total, prediction, target, weights],
  [dprediction],
) => {
  const { derivative } = POINT_LOSS[name]
  for (let r = 0; r < rows; r++) {
    const scale = rowScale(dy[0], total[0], weights[r])
    for (let i = r * size; i < (r + 1) * size; i++) {
      dprediction[i] = scale === undefined ? 0 : (scale / size) * derivative(prediction[i], target[i])
    }
  }
}
