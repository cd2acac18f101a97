/** Accuracy, counted on the host from outputs that were read anyway. */
import type { Floats } from '../../kernels/kernels.js'
import type { Batch } from '../data/index.js'
import type { Loss } from '../ops/loss.js'
import { ExactSum, valueAt } from '../ops/targets.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, sameShape, splitAt } from '../tensor/shape.js'

/**
 * The share of targets that are named by the largest of their outputs, each target with the weight of its sample: what
 * counts nothing in the loss counts nothing here. The first of equal outputs is the largest; outputs with a NaN name none.
 *
 * Targets are class indices where outputs are [N, C, ...] and they [N, ...], or outputs are rows [N T, C] and they
 * [N, T]; with C >= 2, and all of them whole numbers. Those outside [0, C) count nothing. Otherwise there is no accuracy.
 */
export class Accuracy {
  readonly #loss: Loss
  readonly #correct = new ExactSum()
  readonly #counted = new ExactSum()
  #classes = true

  constructor(loss: Loss) {
    this.#loss = loss
  }

  /** Undefined where targets are no class indices, or none counts. */
  get value(): number | undefined {
    return this.#classes && this.#counted.total > 0 ? this.#correct.total / this.#counted.total : undefined
  }

  /** @param shape  of the outputs */
  add(outputs: Floats, shape: Shape, { targets, weights }: Batch): void {
    this.#classes &&= areClasses(targets, shape)
    if (!this.#classes) return
    const { size: classes, inner } = splitAt(shape, 1)
    const each = targets.data.length / targets.shape[0]
    for (let i = 0; i < targets.data.length; i++) {
      const target = valueAt(targets, i)
      if (!(target >= 0 && target < classes) || this.#loss.ignores?.(target)) continue
      const weight = weights ? valueAt(weights, Math.floor(i / each)) : 1
      this.#counted.add(weight)
      const first = Math.floor(i / inner) * classes * inner + (i % inner)
      if (largest(outputs, first, classes, inner) === target) this.#correct.add(weight)
    }
  }
}

function areClasses(targets: HostArray, shape: Shape): boolean {
  if (shape.length < 2 || shape[1] < 2) return false
  const rows = shape.length === 2 && targets.data.length === shape[0]
  if (!rows && !sameShape(targets.shape, [shape[0], ...shape.slice(2)])) return false
  for (let i = 0; i < targets.data.length; i++) if (!Number.isInteger(valueAt(targets, i))) return false
  return true
}

/** Which of `count` outputs, `stride` apart, is the largest; -1 where one is NaN. */
function largest(outputs: Floats, first: number, count: number, stride: number): number {
  let best = 0
  for (let c = 0; c < count; c++) {
    const value = outputs[first + c * stride]
    if (Number.isNaN(value)) return -1
    if (value > outputs[first + best * stride]) best = c
  }
  return best
}
