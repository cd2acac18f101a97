/**
 * Tensor: a passive record of shape, device and storage. Ops are in ops/, lifetimes in scope.ts, and the device decides
 * where a tensor is stored.
 */
import type { Device } from '../device/device.js'
import { RehearsalError } from '../device/errors.js'
import type { Storage } from '../device/storage.js'
import { formatBytes } from '../memory/bytes.js'
import { DisposedError, ShapeError } from './errors.js'
import type { HostData } from './host.js'
import { frozen, type Shape, showShape, sizeOf } from './shape.js'

/** Nested numbers, as deep as the tensor's rank. */
export type NestedArray = number | NestedArray[]

/** Nested numbers that are only read, such as `[[1, 2], [3, 4]] as const`; a row may be a typed array. */
export type NestedNumbers = number | HostData | readonly NestedNumbers[]

/** The recorder of the op that made a tensor: a node of the tape. */
export interface Producer {
  /** Called when the tensor is disposed. */
  outputGone(): void
}

/** Numbers of one shape on a device. Every op is also a method: `x.matmul(w).add(b)`. */
export class Tensor {
  /** Does a gradient flow to or through it? */
  requiresGrad = false
  /** Was it made by a recorded op? Then it is not a leaf, and has no gradient buffer of its own. */
  recorded = false
  /** The node of the op that made it, for as long as a backward may need the node. */
  producer: Producer | null = null
  /** The standing gradient of a leaf, or null before the first backward. Backward adds to it; `zeroGrad` resets it. */
  grad: Tensor | null = null
  /** Where it was made, if the device tracks origins. */
  readonly origin: string | null
  /** A frozen copy of the list that it was made with. */
  readonly shape: Shape
  readonly #size: number
  /** the list in which it was made, or null */
  readonly #list: object | null
  #storage: Storage | null

  /** Takes over one reference to `storage`. Users make tensors with `tensor`, `zeros` and ops. */
  constructor(
    readonly device: Device,
    storage: Storage,
    shape: Shape,
  ) {
    this.shape = frozen(shape)
    this.#size = sizeOf(this.shape)
    this.#storage = storage
    this.#list = device.list
    this.origin = device.trackOrigins ? originOf(new Error()) : null
  }

  get [Symbol.toStringTag](): string {
    return 'Tensor'
  }

  get rank(): number {
    return this.shape.length
  }

  /** Number of elements. */
  get size(): number {
    return this.#size
  }

  get dtype(): 'float32' | 'float64' {
    return this.device.elementBytes === 4 ? 'float32' : 'float64'
  }

  get disposed(): boolean {
    return this.#storage === null
  }

  /** False if the tensor is disposed, or was made in a recording that has ended. */
  get usable(): boolean {
    return this.#storage !== null && !isOver(this.#storage, this.device)
  }

  /**
   * Its storage, the operand of kernels.
   * @param op  the op that asks, for the error
   * @throws DisposedError   its storage was freed
   * @throws RehearsalError  it was made in a recording that has ended
   */
  storage(op: string): Storage {
    if (this.#storage && isOver(this.#storage, this.device)) {
      throw new RehearsalError(
        `${op}: this tensor of shape ${showShape(this.shape)} was made while a step was planned, and has no values. ` +
          `A module keeps values between steps in a buffer made in its constructor.${this.#where()}`,
      )
    }
    if (!this.#storage) {
      throw new DisposedError(
        `${op}: this tensor of shape ${showShape(this.shape)} is disposed. Tensors made in a scope or a step end ` +
          'with it: return it from the scope, keep() it, or make it a buffer in the constructor of its module.' +
          this.#where(),
      )
    }
    return this.#storage
  }

  /**
   * Free it now instead of at the end of its scope. Storage that a view or the tape still needs stays. A second call
   * has no effect.
   * @throws RehearsalError  a step that is being recorded must not free a tensor from outside it
   */
  dispose(): void {
    const storage = this.#storage
    if (!storage) return
    const { list, closed } = this.device
    if (list && this.#list !== list && !this.device.live) {
      throw new RehearsalError(
        `dispose: this tensor of shape ${showShape(this.shape)} stands outside the step that is being recorded: ` +
          `free it between steps.${this.#where()}`,
      )
    }
    this.#storage = null
    if (closed || isOver(storage, this.device)) return
    this.device.release(storage)
    this.producer?.outputGone()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Its values, flat and row-major, as a copy. */
  data(): Promise<Float32Array | Float64Array> {
    return this.device.read(this.storage('data'))
  }

  /** Its values as nested arrays; a number for a scalar. */
  array(): Promise<NestedArray> {
    return this.device.read(this.storage('array')).then((values) => nest(values, this.shape, 0, 0, this.size))
  }

  /** Its only value. @throws ShapeError  more than one element */
  item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: ${showShape(this.shape)} has ${this.size} elements, not one`)
    return this.device.read(this.storage('item')).then((values) => values[0])
  }

  toString(): string {
    const bytes = formatBytes(this.size * this.device.elementBytes)
    const state = this.usable ? bytes : 'disposed'
    return `Tensor ${showShape(this.shape)} ${this.dtype} on ${this.device.kind}, ${state}${this.requiresGrad ? ', requires grad' : ''}`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #where(): string {
    if (this.origin) return `\nIt was made ${this.origin}`
    return ' (Open the device with trackOrigins: true to see where it was made.)'
  }
}

/** Is it the value of a list that is no longer recorded? */
const isOver = ({ list }: Storage, device: Device): boolean => list !== null && list !== device.list

/** The first line of the stack that is outside of the library. */
function originOf(error: Error): string {
  const lines = (error.stack ?? '').split('\n').slice(1)
  const library = /[\\/](src|kernels)[\\/](tensor|ops|nn|autograd|stream|device|optim)[\\/]/
  return (lines.find((line) => !library.test(line)) ?? lines.at(-1) ?? 'at an unknown place').trim()
}

function nest(values: ArrayLike<number>, shape: Shape, axis: number, from: number, size: number): NestedArray {
  if (axis === shape.length) return values[from]
  const step = size / shape[axis]
  return Array.from({ length: shape[axis] }, (_, i) => nest(values, shape, axis + 1, from + i * step, step))
}
