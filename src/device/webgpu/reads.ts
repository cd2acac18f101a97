/**
 * Values from buffers to the host, through buffers that the plan counts.
 *
 * A read gives the values at the time of the call. A short one is copied to a buffer of its own, as a command among the
 * others, and nothing waits for it. A long one, or one that finds too few bytes left, goes in parts; until the last, all that the device is
 * asked to do waits in `Line`, in its order, so that it cannot change what is still to be read.
 */
import { DeviceError } from '../errors.js'
import { READ_BYTES } from '../gpu/gpu-kind.js'
import type { Adapter } from './adapter.js'
import type { DeviceBuffers, Tensor } from './buffers.js'
import type { Commands } from './commands.js'

const { MAP_READ, COPY_DST, READ } = { MAP_READ: 0x1, COPY_DST: 0x8, READ: 0x1 }
/** Bytes of the short reads together; and of a part of a long one, at least. */
const HALF = READ_BYTES / 2
/** How long a read that fails waits to be told that the device is lost. */
const LOSS_MS = 200

/** What a device is asked to do, in order. While a read holds it, it waits. */
export class Line {
  #isHeld = false
  #waiting: (() => void)[] = []
  #failure: unknown = null

  get isHeld(): boolean {
    return this.#isHeld
  }

  do(work: () => void): void {
    if (this.#isHeld) this.#waiting.push(work)
    else work()
  }

  hold(): void {
    this.#isHeld = true
  }

  /** Do what waits, until a read holds the line again. */
  resume(): void {
    this.#isHeld = false
    const waiting = this.#waiting
    this.#waiting = []
    while (waiting.length > 0 && !this.#isHeld) {
      try {
        waiting.shift()?.()
      } catch (error) {
        this.#failure ??= error
      }
    }
    this.#waiting = waiting.concat(this.#waiting)
  }

  /** @throws what failed while it waited */
  check(): void {
    const failure = this.#failure
    this.#failure = null
    if (failure) throw failure
  }
}

export class Reads {
  #shortBytes = 0

  constructor(
    readonly adapter: Adapter,
    readonly commands: Commands,
    readonly buffers: DeviceBuffers,
    readonly line: Line,
    /** bytes that buffers of blocks may have */
    readonly mostBytes: number,
  ) {}

  /** @throws DeviceLostError, DeviceError  the values are gone, or something failed that they may depend on */
  async read(tensor: Tensor, size: number): Promise<Float32Array> {
    this.adapter.check('reading values')
    const values = new Float32Array(size)
    const bytes = values.byteLength
    if (bytes > 0) {
      if (this.#shortBytes + bytes <= HALF) await this.#short(tensor, values)
      else await this.#long(tensor, values)
    }
    await this.buffers.certain()
    this.line.check()
    this.adapter.check('reading values')
    return values
  }

  async #short(tensor: Tensor, values: Float32Array): Promise<void> {
    this.#shortBytes += values.byteLength
    try {
      await this.#part(tensor, 0, values)
    } finally {
      this.#shortBytes -= values.byteLength
    }
  }

  async #long(tensor: Tensor, values: Float32Array): Promise<void> {
    this.line.hold()
    try {
      // what the budget leaves is free until the line goes on
      const bytes = Math.max(HALF, this.mostBytes - this.buffers.bytes)
      const length = Math.floor(Math.min(bytes, values.byteLength) / 4)
      for (let from = 0; from < values.length; from += length) {
        await this.#part(tensor, from, values.subarray(from, from + length))
      }
    } finally {
      this.line.resume()
    }
  }

  async #part(tensor: Tensor, from: number, values: Float32Array): Promise<void> {
    const { device } = this.adapter
    const buffer = device.createBuffer({ size: values.byteLength, usage: MAP_READ | COPY_DST })
    try {
      await this.commands.copy(tensor, 4 * from, buffer, values.byteLength)
      await buffer.mapAsync(READ)
      values.set(new Float32Array(buffer.getMappedRange()))
    } catch (error) {
      await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_MS))])
      this.adapter.check('reading values')
      throw new DeviceError(`reading values: WebGPU refused: ${error}`, { cause: error })
    } finally {
      buffer.destroy()
    }
  }
}
