/** What an evaluation measures on the host, from the outputs of the model: the accuracy, and metrics of the user's own. */
import type { AnyBatch } from '../data/index.js'
import { checkArgument, FUNCTION, type Kind } from '../memory/arguments.js'
import type { AnyLoss } from '../ops/loss.js'
import { ExactSum, valueAt } from '../ops/targets.js'
import type { HostArray, HostData } from '../tensor/host.js'
import { type Shape, sameShape, splitAt } from '../tensor/shape.js'
import { type Arrays, isArray } from '../tensor/structure.js'
import { userCode } from './user-code.js'

/** A measure of an evaluation, which gets the outputs of one micro-batch after the other. */
export interface Metric {
  /**
   * @param outputs  what the model made of the samples: one array, or a list or a record of arrays
   * @param batch    the samples, with their targets and weights
   */
  add(outputs: Arrays, batch: AnyBatch): void
  /** the measure of all samples so far */
  readonly value: number | undefined
}

/** Makes a metric, anew for each evaluation, by the name that its value gets. */
export type Metrics = Readonly<Record<string, () => Metric>>

/** The metrics of one evaluation. @throws ArgumentError  a function that makes no metric */
export function measuring(metrics: Metrics): {
  add: Metric['add']
  values: () => Readonly<Record<string, number | undefined>>
} {
  const made = Object.entries(metrics).map(([name, make]): [name: string, metric: Metric] => {
    checkArgument('evaluate', `metrics.${name}`, make, MAKER)
    const metric: unknown = userCode(`the function of the metric ${name}`, make)
    checkArgument('evaluate', `what metrics.${name} makes`, metric, METRIC)
    return [name, metric as Metric]
  })
  return {
    add: (outputs, batch) => {
      for (const [name, metric] of made) userCode(`the metric ${name}`, () => metric.add(outputs, batch))
    },
    values: () =>
      Object.fromEntries(made.map(([name, metric]) => [name, userCode(`the metric ${name}`, () => metric.value)])),
  }
}

const MAKER: Kind = { ...FUNCTION, told: 'a function that makes a metric, such as () => new TopFive()' }
const METRIC: Kind = {
  told: 'a metric, { add(outputs, batch), value }',
  fits: (value) => typeof value === 'object' && value !== null && 'add' in value && typeof value.add === 'function',
}

/**
 * The share of targets that equal the class with the largest output. Each target counts with the weight of its sample, and
 * targets that the loss ignores are left out. Among equal outputs the first counts as the largest; if an output is NaN,
 * the target counts as wrong.
 *
 * An accuracy exists if targets are class indices: whole numbers of shape [N, ...] for outputs [N, C, ...], or [N, T]
 * for outputs of rows [N T, C], with C >= 2. Targets outside [0, C) are left out. There is none for several outputs or
 * targets, nor if the loss says that outputs are not scores.
 */
export class Accuracy implements Metric {
  readonly #loss: AnyLoss
  readonly #correct = new ExactSum()
  readonly #counted = new ExactSum()
  #classes: boolean

  constructor(loss: AnyLoss) {
    this.#loss = loss
    this.#classes = loss.scores !== false
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

/** Are these targets class indices for outputs of this shape? */
export function areClasses(targets: HostArray, shape: Shape): boolean {
  if (shape.length < 2 || shape[1] < 2) return false
  const rows = shape.length === 2 && targets.data.length === shape[0]
  if (!rows && !sameShape(targets.shape, [shape[0], ...shape.slice(2)])) return false
  for (let i = 0; i < targets.data.length; i++) if (!Number.isInteger(valueAt(targets, i))) return false
  return true
}

/** The index of the largest of `count` outputs, which are `stride` apart; -1 if one is NaN. */
export function largest(outputs: HostData, first: number, count: number, stride: number): number {
  let best = 0
  for (let c = 0; c < count; c++) {
    const value = outputs[first + c * stride]
    if (Number.isNaN(value)) return -1
    if (value > outputs[first + best * stride]) best = c
  }
  return best
}
