/**
 * Values on the host: data sets hold them and uploads read them. Nothing here touches a device.
 */
import { ArgumentError, showValue } from '../memory/errors.js'

export type HostData =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

/** A flat row-major array with its shape. The value of an element is `data[i] * scale`: images stay uint8 until upload. */
export interface HostArray {
  readonly data: HostData
  readonly shape: readonly number[]
  /** default 1 */
  readonly scale?: number
}

/** @throws ArgumentError  not an array of numbers only, and not a typed array of numbers (one of BigInts is refused) */
export function checkNumbers(op: string, data: unknown): asserts data is ArrayLike<number> {
  if (Array.isArray(data)) {
    const at = data.findIndex((value) => typeof value !== 'number')
    if (at >= 0) throw new ArgumentError(`${op}: ${showValue(data[at])} at ${at} is not a number`)
  } else if (!isNumbers(data)) {
    throw new ArgumentError(
      `${op}: ${showValue(data)} holds no numbers: give an array, or a typed array such as Float32Array`,
    )
  }
}

/** Array.isArray, which for TypeScript leaves out lists that are only read. */
export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

/** Is it a list, or a typed array of numbers? */
export const isRow = (value: unknown): value is ArrayLike<unknown> & Iterable<unknown> =>
  Array.isArray(value) || isNumbers(value)

/** Is it a typed array of numbers, not of BigInts? */
const isNumbers = (data: unknown): boolean =>
  ArrayBuffer.isView(data) &&
  !(data instanceof DataView || data instanceof BigInt64Array || data instanceof BigUint64Array)

/** @throws ArgumentError  not a finite number */
export function checkScale(op: string, scale: unknown): void {
  if (typeof scale === 'number' && Number.isFinite(scale)) return
  throw new ArgumentError(`${op}: scale ${showValue(scale)} is not a finite number`)
}
