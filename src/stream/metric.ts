/** Accuracy, counted on the host from the outputs of an evaluation. */
import type { AnyBatch } from '../data/index.js'
import type { AnyLoss } from '../ops/loss.js'
import { ExactSum, valueAt } from '../ops/targets.js'
import type { HostArray, HostData } from '../tensor/host.js'
import { type Shape, sameShape, splitAt } from '../tensor/shape.js'
import { type Arrays, isArray } from '../tensor/structure.js'

/**
 * The share of targets that equal the class with the largest output. Each target counts with the weight of its sample, and
 * targets that the loss ignores are left out. Among equal outputs the first counts as the largest; if an output is NaN,
 * the target counts as wrong.
 *
 * An accuracy exists if targets are class indices: whole numbers of shape [N, ...] for outputs [N, C, ...], or [N, T]
 * for outputs of rows [N T, C], with C >= 2. Targets outside [0, C) are left out. For several outputs or targets there is
 * none.
 */
export class Accuracy {
  readonly #loss: AnyLoss
  readonly #correct = new ExactSum()
  readonly #counted = new ExactSum()
  #classes = true

  constructor(loss: AnyLoss) {
    this.#loss = loss
  }

  /** Undefined if targets are not class indices, or all of them are left out. */
  get value(): number | undefined {
    return this.#classes && this.#counted.total > 0 ? this.#correct.total / this.#counted.total : undefined
  }

  add(outputs: Arrays, { targets, weights }: AnyBatch): void {
    if (isArray(outputs) && isArray(targets)) this.#add(outputs, targets, weights)
    else this.#classes = false
  }

  #add({ data, shape }: HostArray, targets: HostArray, weights?: HostArray): void {
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
      if (largest(data, first, classes, inner) === target) this.#correct.add(weight)
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

/** The index of the largest of `count` outputs, which are `stride` apart; -1 if one is NaN. */
function largest(outputs: HostData, first: number, count: number, stride: number): number {
  let best = 0
  for (let c = 0; c < count; c++) {
    const value = outputs[first + c * stride]
    if (Number.isNaN(value)) return -1
    if (value > outputs[first + best * stride]) best = c
  }
  return best
}
