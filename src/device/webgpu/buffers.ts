/**
 * The buffers behind an allocator's blocks: made, destroyed and exchanged on the device itself.
 *
 * Whether there was memory for a buffer is known some time after it is made. Every read waits for that; a buffer that
 * there was no memory for fails the read, and is not reused. If a commit has begun in the meantime, values are lost, and so the
 * device counts as lost.
 */
import type { Textures } from '../../memory/texture-allocator.js'
import { DeviceError } from '../errors.js'
import type { Adapter } from './adapter.js'

const { STORAGE, COPY_SRC, COPY_DST } = { STORAGE: 0x80, COPY_SRC: 0x4, COPY_DST: 0x8 }

/** The buffer of a block. */
export interface Tensor {
  readonly buffer: GPUBuffer
  /** no other buffer of the device has it */
  readonly id: number
}

/** A buffer of which the driver has not said yet whether there was memory for it. */
interface Doubt {
  readonly settled: Promise<void>
  isCommitted: boolean
}

export class DeviceBuffers implements Textures {
  /** called with the address of a buffer that could not be made */
  onBroken: (address: number) => void = () => {}
  readonly #made = new Map<number, Tensor>()
  readonly #doubts = new Set<Doubt>()
  #bytes = 0
  #nextId = 0
  #fault: string | null = null

  /** @param release  called before a buffer is destroyed */
  constructor(
    readonly adapter: Adapter,
    readonly release: (tensor: Tensor) => void,
  ) {}

  /** of all buffers of blocks */
  get bytes(): number {
    return this.#bytes
  }

  create(address: number, bytes: number): void {
    const { device } = this.adapter
    device.pushErrorScope('validation')
    device.pushErrorScope('out-of-memory')
    try {
      const buffer = device.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC | COPY_DST })
      this.#made.set(address, { buffer, id: this.#nextId++ })
      this.#bytes += bytes
    } finally {
      this.#doubt(address, bytes, [device.popErrorScope(), device.popErrorScope()])
    }
  }

  delete(address: number): void {
    const tensor = this.of(address)
    this.release(tensor)
    this.#bytes -= tensor.buffer.size
    tensor.buffer.destroy()
    this.#made.delete(address)
  }

  of(address: number): Tensor {
    const tensor = this.#made.get(address)
    if (!tensor) throw new RangeError(`there is no buffer ${address}`)
    return tensor
  }

  /** Exchange the buffers of two blocks, which must have one size. */
  exchange(a: number, b: number): void {
    const tensor = this.of(a)
    this.#made.set(a, this.of(b))
    this.#made.set(b, tensor)
  }

  /** Standing values change from now on, with the help of all buffers that were made. */
  commit(): void {
    for (const doubt of this.#doubts) doubt.isCommitted = true
  }

  /** Wait until it is known whether all buffers made so far exist. @throws DeviceError  one does not */
  async certain(): Promise<void> {
    while (this.#doubts.size > 0) await Promise.all([...this.#doubts].map(({ settled }) => settled))
    const fault = this.#fault
    if (!fault) return
    this.#fault = null
    // commands that use the buffer were refused too
    this.adapter.forgive()
    throw new DeviceError(`the GPU is out of memory: give a smaller budget (${fault})`)
  }

  close(): void {
    for (const { buffer } of this.#made.values()) buffer.destroy()
    this.#made.clear()
    this.#bytes = 0
  }

  #doubt(address: number, bytes: number, answers: readonly Promise<GPUError | null>[]): void {
    const decide = (errors: readonly (GPUError | null)[]): void => {
      this.#doubts.delete(doubt)
      const error = errors.find((error) => error)
      if (!error) return
      if (doubt.isCommitted) this.adapter.lose()
      else this.#fault ??= `a buffer of ${bytes} bytes: ${error.message}`
      this.onBroken(address)
    }
    // a device that is lost answers with an error of its own, and is found by its reads
    const settled = Promise.all(answers).then(decide, () => decide([]))
    const doubt: Doubt = { settled, isCommitted: false }
    this.#doubts.add(doubt)
  }
}
