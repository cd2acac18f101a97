/**
 * Values on the host: what data sets hold and what uploads read. Nothing here touches a device.
 */

export type HostData =
  | Uint8Array
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
