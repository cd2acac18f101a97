/**
 * Metrics for `evaluate` and `fit`: `streamer.evaluate(test, { metrics: { top5: metrics.topK(5) } })`. All are for classes:
 * targets are whole numbers, [N] or [N, ...] for outputs [N, C] or [N, C, ...], or [N, T] for rows [N T, C].
 */
import type { AnyBatch } from '../data/index.js'
import { BOOLEAN, checkArgument, door, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { valueAt } from '../ops/targets.js'
import type { HostArray } from '../tensor/host.js'
import { splitAt } from '../tensor/shape.js'
import { type Arrays, isArray } from '../tensor/structure.js'
import { areClasses, largest, type Metric } from './metric.js'

/** One target, and where the outputs of its classes stand. */
interface Position {
  readonly target: number
  /** output c is data[first + c * stride] */
  readonly first: number
  readonly stride: number
  readonly classes: number
  readonly data: HostArray['data']
}

/** A metric that looks at one target at a time. Targets outside [0, C) and `ignoreIndex` are left out. */
function eachTarget(
  ignoreIndex: number | undefined,
  see: (position: Position) => void,
  value: () => number | undefined,
): Metric {
  let classes = true
  return {
    add(outputs: Arrays, { targets }: AnyBatch) {
      classes &&= isArray(outputs) && isArray(targets) && areClasses(targets, outputs.shape)
      if (!classes || !isArray(outputs) || !isArray(targets)) return
      const { data, shape } = outputs
      const { size, inner } = splitAt(shape, 1)
      for (let i = 0; i < targets.data.length; i++) {
        const target = valueAt(targets, i)
        if (!(target >= 0 && target < size) || target === ignoreIndex) continue
        see({ target, first: Math.floor(i / inner) * size * inner + (i % inner), stride: inner, classes: size, data })
      }
    },
    get value() {
      return classes ? value() : undefined
    },
  }
}

export interface MetricOptions {
  /** the target that does not count */
  readonly ignoreIndex?: number
}

export interface OverlapOptions extends MetricOptions {
  /** does class 0 count? default true */
  readonly background?: boolean
}

const checkTopK = door('topK', { k: NUMBER, options: optionsOf<MetricOptions>({ ignoreIndex: NUMBER }) })
const OVERLAP = optionsOf<OverlapOptions>({ ignoreIndex: NUMBER, background: BOOLEAN })

/**
 * The share of targets that are among the k classes with the largest outputs. Of equal outputs the first counts as the larger.
 * @throws ArgumentError  k is no positive whole number
 */
export function topK(k: number, options: MetricOptions = {}): () => Metric {
  checkTopK([k, options])
  if (!Number.isSafeInteger(k) || k < 1) throw new ArgumentError(`topK: k is ${k}; it must be a positive whole number`)
  return () => {
    let [found, counted] = [0, 0]
    const see = ({ target, first, stride, classes, data }: Position): void => {
      const own = data[first + target * stride]
      let before = 0
      for (let c = 0; c < classes; c++) {
        const other = data[first + c * stride]
        // a NaN is before everything, so that its target counts as wrong
        if (c !== target && !(c < target ? other < own : other <= own)) before++
      }
      counted++
      if (before < k) found++
    }
    return eachTarget(options.ignoreIndex, see, () => (counted > 0 ? found / counted : undefined))
  }
}

/**
 * The mean over the classes of intersection / union, where a class has a set of targets and a set of places where its
 * output is the largest. Classes whose sets are both empty are left out.
 */
export const meanIoU = (options: OverlapOptions = {}): (() => Metric) =>
  overlap('meanIoU', options, (both, target, found) => both / (target + found - both))

/** The mean over the classes of 2 intersection / (targets + found), the coefficient of Dice; all else is as in `meanIoU`. */
export const dice = (options: OverlapOptions = {}): (() => Metric) =>
  overlap('dice', options, (both, target, found) => (2 * both) / (target + found))

function overlap(
  name: string,
  options: OverlapOptions,
  measure: (both: number, target: number, found: number) => number,
): () => Metric {
  checkArgument(name, 'options', options, OVERLAP)
  const { ignoreIndex, background = true } = options
  return () => {
    const counts: { both: number; target: number; found: number }[] = []
    const of = (c: number) => (counts[c] ??= { both: 0, target: 0, found: 0 })
    const see = ({ target, first, stride, classes, data }: Position): void => {
      const found = largest(data, first, classes, stride)
      of(target).target++
      // -1: an output is NaN
      if (found >= 0) of(found).found++
      if (found === target) of(target).both++
    }
    const value = (): number | undefined => {
      const each = counts.flatMap((count, c) =>
        count && (background || c > 0) ? [measure(count.both, count.target, count.found)] : [],
      )
      return each.length > 0 ? each.reduce((a, b) => a + b, 0) / each.length : undefined
    }
    return eachTarget(ignoreIndex, see, value)
  }
}
