/**
 * The options of cross-entropy, however its logits are made: which targets count, with which weight, and how they are
 * smoothed.
 */
import { type Known, NUMBER } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { tensor } from '../tensor/create.js'
import type { HostArray } from '../tensor/host.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { equal } from './binary.js'
import { embedding } from './embedding.js'
import { checkTargets, ExactSum, keptWeight, valueAt } from './targets.js'
import { where } from './where.js'

export interface CrossEntropyOptions {
  /** targets equal to this are ignored; default -100 */
  ignoreIndex?: number
  /** s in [0, 1]: the target distribution is (1 - s) one-hot + s / C; default 0 */
  labelSmoothing?: number
}

export const OPTIONS: Known<CrossEntropyOptions> = { ignoreIndex: NUMBER, labelSmoothing: NUMBER }

export type Classes = Required<CrossEntropyOptions>

export const CLASSES: Classes = { ignoreIndex: -100, labelSmoothing: 0 }

/** @throws ArgumentError  an ignoreIndex that is not a whole number, a labelSmoothing outside [0, 1] */
export function classes(
  op: string,
  { ignoreIndex = CLASSES.ignoreIndex, labelSmoothing = CLASSES.labelSmoothing }: CrossEntropyOptions,
): Classes {
  if (!Number.isInteger(ignoreIndex)) throw new ArgumentError(`${op}: ignoreIndex ${ignoreIndex} is not a whole number`)
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`${op}: labelSmoothing ${labelSmoothing} is outside [0, 1]`)
  }
  return { ignoreIndex, labelSmoothing }
}

/**
 * A copy of the weights of the classes, or undefined.
 * @throws ArgumentError  a weight below 0 or not finite
 */
export function sharesOf(op: string, classWeights: readonly number[] | undefined): readonly number[] | undefined {
  const shares = classWeights && [...classWeights]
  if (shares && !shares.every((share) => share >= 0 && share < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError(`${op}: classWeights are [${shares}]; each must be a number of at least 0`)
  }
  return shares
}

/** The weight of the class of each target [rows] -> [rows, 1]. */
export function byClassOf(targets: Tensor, shares: readonly number[], { ignoreIndex }: Classes): Tensor {
  const table = tensor(targets.device, shares, [shares.length, 1])
  return embedding(table, where(equal(targets, ignoreIndex), 0, targets))
}

/** The sum of the weights of the classes of these targets, on the host. */
function weightByClass(targets: HostArray, shares: readonly number[], own: Classes, weights?: HostArray): number {
  const each = targets.data.length / targets.shape[0]
  const sum = new ExactSum()
  for (let i = 0; i < targets.data.length; i++) {
    const target = valueAt(targets, i)
    const share = target === own.ignoreIndex ? 0 : shares[target]
    sum.add(share * (weights ? valueAt(weights, Math.floor(i / each)) : 1))
  }
  return sum.total
}

/**
 * The host half of a cross-entropy with these options: the check of targets, and their weight.
 * @param shares     the weights of the classes
 * @param classesOf  the number of classes of outputs of this shape
 * @param targetsOf  the shape of their targets
 */
export function classHost(
  op: string,
  own: Classes,
  shares: readonly number[] | undefined,
  classesOf: (outputShape: Shape) => number,
  targetsOf: (outputShape: Shape) => Shape,
) {
  const { ignoreIndex } = own
  const ignores = (target: number): boolean => target === ignoreIndex
  return {
    ignores,
    weight: (targets: HostArray, weights?: HostArray): number =>
      shares ? weightByClass(targets, shares, own, weights) : keptWeight(ignores, targets, weights),
    check: (targets: HostArray, outputShape: Shape): void => {
      const count = classesOf(outputShape)
      const allowed = `a class, a whole number from 0 to ${count - 1}, nor ignoreIndex ${ignoreIndex}`
      checkTargets(op, targets, targetsOf(outputShape), allowed, (value) => {
        return value === ignoreIndex || (Number.isInteger(value) && value >= 0 && value < count)
      })
    },
  }
}
