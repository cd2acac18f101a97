/** Arbitraries for fast-check: values are exact in binary and shrink to readable ones. */
import fc from 'fast-check'
import type { Device } from '../device/device.js'
import {
  Dropout,
  GELU,
  generator,
  LayerNorm,
  Linear,
  type Module,
  ReLU,
  Sequential,
  Sigmoid,
  Tanh,
} from '../nn/index.js'
import { fromHost } from '../tensor/create.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

export interface ShapeBounds {
  /** default 0 */
  minRank?: number
  /** default 4 */
  maxRank?: number
  /** default 4 */
  maxDim?: number
}

/** Small shapes, in which dims of 1 are more frequent than by chance. */
export function shapes({ minRank = 0, maxRank = 4, maxDim = 4 }: ShapeBounds = {}): fc.Arbitrary<number[]> {
  const dim = fc.oneof(
    { weight: 1, arbitrary: fc.constant(1) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: maxDim }) },
  )
  return fc.array(dim, { minLength: minRank, maxLength: maxRank })
}

/** Multiples of 1/16 in [-2, 2]: sums and products of a few are exact in float32. */
export const gridValue = (): fc.Arbitrary<number> => fc.integer({ min: -32, max: 32 }).map((i) => i / 16)

/** Odd multiples of 1/32 in [-2, 2]: like gridValue, but never on a kink at 0. */
export const offGridValue = (): fc.Arbitrary<number> => fc.integer({ min: -32, max: 31 }).map((i) => (2 * i + 1) / 32)

/** Host arrays of a shape, or of any small shape. */
export function hostArrays(shape?: Shape, value: fc.Arbitrary<number> = gridValue()): fc.Arbitrary<HostArray> {
  const ofShape = (shape: Shape): fc.Arbitrary<HostArray> => {
    const size = sizeOf(shape)
    return fc
      .array(value, { minLength: size, maxLength: size })
      .map((values) => ({ data: Float64Array.from(values), shape }))
  }
  return shape ? ofShape(shape) : shapes().chain(ofShape)
}

/** Tensors on a device, with values as in `hostArrays`. Each is made when it is called, in the scope of the caller. */
export const tensors = (
  device: Device,
  shape?: Shape,
  value: fc.Arbitrary<number> = gridValue(),
): fc.Arbitrary<() => Tensor> => hostArrays(shape, value).map((array) => () => fromHost(device, array))

/** A model that was drawn: it is made anew on each device, with the same initial values. */
export interface DrawnModule {
  readonly model: (device: Device) => Sequential
  readonly layers: readonly string[]
}

/**
 * Small models [N, features] -> [N, outputs]: linear layers with biases, activations without corners or with one, layer norm and dropout.
 * The list of its layers shrinks.
 */
export function modules(features: number, outputs: number): fc.Arbitrary<DrawnModule> {
  const layer = fc.constantFrom(...Object.keys(LAYERS))
  const drawn = fc.record({
    layers: fc.array(layer, { maxLength: 4 }),
    width: fc.integer({ min: 2, max: 6 }),
    seed: fc.nat(),
  })
  return drawn.map(({ layers, width, seed }) => ({
    layers,
    model: (device) => {
      const random = generator(seed)
      const linear = (from: number, to: number): Linear => new Linear(device, from, to, { random })
      const inner = layers.flatMap((name) => [LAYERS[name](device, width), linear(width, width)])
      return new Sequential(linear(features, width), ...inner, linear(width, outputs))
    },
  }))
}

const LAYERS: Readonly<Record<string, (device: Device, width: number) => Module>> = {
  tanh: (device) => new Tanh(device),
  sigmoid: (device) => new Sigmoid(device),
  gelu: (device) => new GELU(device),
  relu: (device) => new ReLU(device),
  layerNorm: (device, width) => new LayerNorm(device, width),
  dropout: (device) => new Dropout(device, 0.25),
}
