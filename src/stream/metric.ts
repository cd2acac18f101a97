/** Accuracy, counted on the host from outputs that were read anyway. */
import type { Floats } from '../../kernels/kernels.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, sameShape, splitAt } from '../tensor/shape.js'

/**
 * How many targets are named by the largest of their outputs.
 * @param shape    of the outputs: [n, classes, ...]
 * @param targets  class indices [n, ...]; those outside [0, classes) are not counted. Targets of any other
 *                 shape are not class indices: nothing is counted
 */
export function countCorrect(outputs: Floats, shape: Shape, targets: HostArray): { correct: number; counted: number } {
  const score = { correct: 0, counted: 0 }
  if (shape.length < 2 || !sameShape(targets.shape, [shape[0], ...shape.slice(2)])) return score
  const { outer, size: classes, inner } = splitAt(shape, 1)
  for (let row = 0; row < outer * inner; row++) {
    const target = targets.data[row] * (targets.scale ?? 1)
    if (!(target >= 0 && target < classes)) continue
    const base = Math.floor(row / inner) * classes * inner + (row % inner)
    let best = 0
    for (let c = 1; c < classes; c++) if (outputs[base + c * inner] > outputs[base + best * inner]) best = c
    score.counted++
    if (best === target) score.correct++
  }
  return score
}
