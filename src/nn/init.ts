/**
 * Initial values. All draws are rounded to float32, so that a seed gives the same numbers on every device. Formulas and
 * names are those of torch.nn.init.
 */
import seedrandom from 'seedrandom'
import type { Device } from '../device/device.js'
import { checkSeed } from '../device/seed.js'
import { Slot } from '../device/slot.js'
import { checkArgument, FUNCTION, type Kind } from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { checkShape, type Shape, showShape, sizeOf } from '../tensor/shape.js'

/** Uniform in [0, 1); each call draws the next number. */
export type Random = () => number

/**
 * A generator: the same seed draws the same numbers on every machine.
 * @throws ArgumentError  a seed that is not a whole number from 0 to 2^32 - 1
 */
export function generator(seed: number): Random {
  checkSeed('generator', seed)
  return seedrandom(String(seed))
}

const DEFAULT = new Slot<Random>(() => generator(0))

/** The generator of layers without a `random` of their own. A device has one, so that equal layers draw different values. */
export const defaultRandom = (device: Device): Random => device.slot(DEFAULT)

/** U(low, high). */
export function uniform(shape: Shape, random: Random, low = 0, high = 1): Float32Array {
  checkDraw('uniform', shape, random)
  checkFinite('uniform', low, high)
  return Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * random())
}

/** N(mean, deviation^2), by the method of Box and Muller: two uniform draws give two normal ones. */
export function normal(shape: Shape, random: Random, mean = 0, deviation = 1): Float32Array {
  checkDraw('normal', shape, random)
  checkFinite('normal', mean, deviation)
  const values = new Float32Array(sizeOf(shape))
  for (let i = 0; i < values.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random()))
    const angle = 2 * Math.PI * random()
    values[i] = mean + radius * Math.cos(angle)
    if (i + 1 < values.length) values[i + 1] = mean + radius * Math.sin(angle)
  }
  return values
}

/**
 * U(-b, b) with b = sqrt(6 / ((1 + a^2) fanIn)), which keeps the variance through leaky ReLUs of slope a.
 * PyTorch's Linear and Conv2d use the default, sqrt(5): then b = 1 / sqrt(fanIn).
 */
export function kaimingUniform(shape: Shape, random: Random, a = Math.sqrt(5)): Float32Array {
  checkFinite('kaimingUniform', a)
  const bound = Math.sqrt(6 / ((1 + a * a) * fans(shape).fanIn))
  return uniform(shape, random, -bound, bound)
}

/** N(0, s^2) with s = sqrt(2 / ((1 + a^2) fanIn)); a = 0 is for ReLU. */
export function kaimingNormal(shape: Shape, random: Random, a = 0): Float32Array {
  checkFinite('kaimingNormal', a)
  return normal(shape, random, 0, Math.sqrt(2 / ((1 + a * a) * fans(shape).fanIn)))
}

/** U(-b, b) with b = gain sqrt(6 / (fanIn + fanOut)). */
export function xavierUniform(shape: Shape, random: Random, gain = 1): Float32Array {
  checkFinite('xavierUniform', gain)
  const { fanIn, fanOut } = fans(shape)
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut))
  return uniform(shape, random, -bound, bound)
}

/** N(0, s^2) with s = gain sqrt(2 / (fanIn + fanOut)). */
export function xavierNormal(shape: Shape, random: Random, gain = 1): Float32Array {
  checkFinite('xavierNormal', gain)
  const { fanIn, fanOut } = fans(shape)
  return normal(shape, random, 0, gain * Math.sqrt(2 / (fanIn + fanOut)))
}

/** For a weight [out, in, ...kernel]: how many inputs each output depends on, and how many outputs each input reaches. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  checkShape('fans', shape)
  if (shape.length < 2) throw new ShapeError(`fans: ${showShape(shape)} is not a weight, [out, in, ...kernel]`)
  const window = sizeOf(shape.slice(2))
  return { fanIn: shape[1] * window, fanOut: shape[0] * window }
}

/** @throws ShapeError, ArgumentError  not a shape, or not a generator */
function checkDraw(name: string, shape: Shape, random: Random): void {
  checkShape(name, shape)
  checkArgument(name, 'random', random, GENERATOR)
}

const GENERATOR: Kind = { ...FUNCTION, told: 'a generator, such as nn.generator(1)' }

function checkFinite(name: string, ...values: number[]): void {
  for (const value of values)
    if (!Number.isFinite(value)) throw new ArgumentError(`${name}: ${showValue(value)} is not finite`)
}
