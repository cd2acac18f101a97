/**
 * A perceptron and its training, written out in float64 without the library. Tests compare the library's steps with it.
 *
 *     h = tanh(W1 x + b1),   z = W2 h + b2
 */
import { type Batch, type Dataset, fromArrays } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { generator, Linear, type Module, Sequential, Tanh } from '../src/nn/index.js'
import type { HostArray } from '../src/tensor/host.js'
import { fc } from './property.js'

export const FEATURES = 3
const HIDDEN = 4
export const OUTPUTS = 3

/** The same perceptron, made with the library. */
export function perceptron(device: Device): Module {
  const random = generator(3)
  return new Sequential(
    new Linear(device, FEATURES, HIDDEN, { random }),
    new Tanh(device),
    new Linear(device, HIDDEN, OUTPUTS, { random }),
  )
}

/** W1 [HIDDEN, FEATURES], b1, W2 [OUTPUTS, HIDDEN], b2, row by row. */
export type Values = number[][]

export const valuesOf = async (model: Module): Promise<Values> =>
  Promise.all(model.parameters().map(async (parameter) => [...(await parameter.data())]))

export interface Sample {
  x: number[]
  /** one class, or OUTPUTS numbers */
  target: number[]
  weight: number
}

export function samplesOf({ inputs, targets, weights }: Batch): Sample[] {
  const count = inputs.shape[0]
  const row = ({ data, scale = 1 }: HostArray, i: number): number[] => {
    const size = data.length / count
    return Array.from({ length: size }, (_, j) => data[i * size + j] * scale)
  }
  return Array.from({ length: count }, (_, i) => ({
    x: row(inputs, i),
    target: row(targets, i),
    weight: weights ? row(weights, i)[0] : 1,
  }))
}

/** Loss of one sample, and its derivative with respect to each output; null: it does not count. */
export type PointLoss = (outputs: readonly number[], target: readonly number[]) => { loss: number; dz: number[] } | null

export const crossEntropyByHand =
  (smoothing = 0, ignored = -100): PointLoss =>
  (z, [target]) => {
    if (target === ignored) return null
    const sum = z.reduce((total, logit) => total + Math.exp(logit), 0)
    const wanted = z.map((_, c) => smoothing / z.length + (c === target ? 1 - smoothing : 0))
    return {
      loss: wanted.reduce((total, share, c) => total - share * (z[c] - Math.log(sum)), 0),
      dz: z.map((logit, c) => Math.exp(logit) / sum - wanted[c]),
    }
  }

export const squaredErrorByHand: PointLoss = (z, target) => ({
  loss: z.reduce((total, value, c) => total + (value - target[c]) ** 2 / z.length, 0),
  dz: z.map((value, c) => (2 * (value - target[c])) / z.length),
})

export function forwardByHand([w1, b1, w2, b2]: Values, x: readonly number[]): { h: number[]; z: number[] } {
  const linear = (weight: readonly number[], bias: readonly number[], from: readonly number[]): number[] =>
    bias.map((shift, i) => from.reduce((sum, value, j) => sum + weight[i * from.length + j] * value, shift))
  const h = linear(w1, b1, x).map(Math.tanh)
  return { h, z: linear(w2, b2, h) }
}

/** The weighted mean over all samples that count, their total weight, and the gradient of the mean. */
export function learnByHand(values: Values, samples: readonly Sample[], lossOf: PointLoss) {
  const [, b1, w2, b2] = values
  const gradient = values.map((array) => array.map(() => 0))
  const [dw1, db1, dw2, db2] = gradient
  const counted = samples.filter(({ x, target }) => lossOf(forwardByHand(values, x).z, target))
  const total = counted.reduce((sum, { weight }) => sum + weight, 0)
  let loss = 0
  for (const { x, target, weight } of counted) {
    const { h, z } = forwardByHand(values, x)
    const share = weight / total
    const point = lossOf(z, target) ?? { loss: 0, dz: [] }
    loss += share * point.loss
    const dz = point.dz.map((value) => share * value)
    const da = h.map((value, j) => dz.reduce((sum, d, c) => sum + d * w2[c * h.length + j], 0) * (1 - value * value))
    for (const c of b2.keys()) {
      db2[c] += dz[c]
      for (const j of h.keys()) dw2[c * h.length + j] += dz[c] * h[j]
    }
    for (const j of b1.keys()) {
      db1[j] += da[j]
      for (const i of x.keys()) dw1[j * x.length + i] += da[j] * x[i]
    }
  }
  return { loss, weight: total, gradient }
}

/** Updates `values` by a gradient. */
export type Rule = (values: Values, gradient: Values) => void

export const normOf = (gradient: Values): number => Math.hypot(...gradient.flat())

export function sgdByHand(options: {
  rate: (step: number) => number
  momentum?: number
  decay?: number
  clip?: number
}): Rule {
  const { rate, momentum = 0, decay = 0, clip = Infinity } = options
  const velocity: Values = []
  let step = 0
  return (values, gradient) => {
    const scale = Math.min(1, clip / (normOf(gradient) + 1e-6))
    values.forEach((array, k) => {
      velocity[k] ??= array.map(() => 0)
      for (const i of array.keys()) {
        const g = scale * gradient[k][i] + decay * array[i]
        velocity[k][i] = momentum * velocity[k][i] + g
        array[i] -= rate(step) * velocity[k][i]
      }
    })
    step++
  }
}

export function adamByHand({ rate, eps = 1e-8 }: { rate: (step: number) => number; eps?: number }): Rule {
  const [means, squares]: [Values, Values] = [[], []]
  let step = 0
  return (values, gradient) => {
    values.forEach((array, k) => {
      means[k] ??= array.map(() => 0)
      squares[k] ??= array.map(() => 0)
      for (const i of array.keys()) {
        const g = gradient[k][i]
        means[k][i] = 0.9 * means[k][i] + 0.1 * g
        squares[k][i] = 0.999 * squares[k][i] + 0.001 * g * g
        const mean = means[k][i] / (1 - 0.9 ** (step + 1))
        const square = squares[k][i] / (1 - 0.999 ** (step + 1))
        array[i] -= (rate(step) * mean) / (Math.sqrt(square) + eps)
      }
    })
    step++
  }
}

export interface Draw {
  weighted?: boolean
  /** samples whose target is -100 */
  ignored?: readonly number[]
}

/** Arguments of `classBatch` and `valueBatch`, for min to max samples. */
export const drawnSamples = ({ min, max, maxIgnored }: { min: number; max: number; maxIgnored: number }) => ({
  count: fc.integer({ min, max }),
  seed: fc.nat(1000),
  weighted: fc.boolean(),
  ignored: fc.uniqueArray(fc.nat(max - 1), { maxLength: maxIgnored }),
})

/** Samples for the perceptron, with class targets. All arrays are whole numbers with a scale. */
export function classBatch(count: number, seed: number, { weighted = false, ignored = [] }: Draw = {}): Batch {
  const random = generator(seed)
  const whole = (below: number): number => Math.floor(below * random())
  const targets = Int16Array.from({ length: count }, () => 2 * whole(OUTPUTS))
  for (const sample of ignored) if (sample < count) targets[sample] = -200
  return {
    inputs: {
      data: Int8Array.from({ length: count * FEATURES }, () => whole(256) - 128),
      shape: [count, FEATURES],
      scale: 1 / 64,
    },
    targets: { data: targets, shape: [count], scale: 1 / 2 },
    // some samples have weight 0
    ...(weighted && {
      weights: { data: Uint8Array.from({ length: count }, () => whole(9)), shape: [count], scale: 1 / 4 },
    }),
  }
}

/** Samples for the perceptron, with numbers as targets. */
export function valueBatch(count: number, seed: number, { weighted = false }: Draw = {}): Batch {
  const random = generator(seed)
  const { inputs, weights } = classBatch(count, seed, { weighted })
  const data = Int8Array.from({ length: count * OUTPUTS }, () => Math.floor(256 * random()) - 128)
  return { inputs, targets: { data, shape: [count, OUTPUTS], scale: 1 / 128 }, ...(weights && { weights }) }
}

/** A data set that records the samples it is asked for. */
export interface Recorded extends Dataset {
  readonly asked: number[][]
}

export function recorded(batch: Batch): Recorded {
  const dataset = fromArrays(batch)
  const asked: number[][] = []
  return {
    ...dataset,
    asked,
    gather(indices) {
      asked.push(Array.from(indices))
      return dataset.gather(indices)
    },
  }
}

/** An even split: 10 samples, at most 4 at a time, are 4, 3, 3. */
export function evenly(count: number, most: number): number[] {
  const sizes: number[] = []
  for (let left = count, parts = Math.ceil(count / most); parts > 0; parts--) {
    sizes.push(Math.ceil(left / parts))
    left -= Math.ceil(left / parts)
  }
  return sizes
}
