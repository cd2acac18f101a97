/**
 * The range of values that `tensor` was given, so that an op which looks values up can refuse one that is out of range
 * before it runs: on the device the result would be NaN. No range is known of an op's result, nor of what a streamer
 * uploads: its targets are checked on the host.
 */
import { ArgumentError } from '../memory/errors.js'
import type { Tensor } from './tensor.js'

const RANGES = new WeakMap<Tensor, Range>()

export class Range {
  least = Infinity
  most = -Infinity
  /** a value that is no whole number, if there is one */
  fraction: number | null = null

  add(value: number): void {
    if (value < this.least) this.least = value
    if (value > this.most) this.most = value
    if (!Number.isInteger(value)) this.fraction ??= value
  }

  /** Remember that these are the values of `tensor`. */
  of(tensor: Tensor): Tensor {
    RANGES.set(tensor, this)
    return tensor
  }
}

/**
 * @param what     the names of the values
 * @param count    they must be whole numbers from 0 to count - 1
 * @param besides  one other number that they can be
 * @throws ArgumentError  they are known, and one is not
 */
export function checkIndices(op: string, what: string, tensor: Tensor, count: number, besides?: number): void {
  const range = RANGES.get(tensor)
  if (!range) return
  const { least, most, fraction } = range
  const wrong = [fraction, least < 0 ? least : null, most >= count ? most : null].find(
    (value) => value !== null && value !== besides,
  )
  if (wrong === undefined) return
  const or = besides === undefined ? '' : `, or ${besides}`
  throw new ArgumentError(
    `${op}: ${wrong} is among the ${what}; they must be whole numbers from 0 to ${count - 1}${or}`,
  )
}
