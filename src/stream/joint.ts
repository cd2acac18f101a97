/**
 * A loss that compares samples, over a mini-batch that is split.
 *
 * Note [Joint loss]
 *   Every micro-batch sends its outputs to the host, where those of the whole mini-batch stand. When all are there, loss and
 *   gradient are computed once, from all outputs together. Then each micro-batch brings in the rows of the gradient that
 *   belong to its own outputs, and goes back from there. So the gradient is a total that the step itself reads (Note
 *   [Barriers] in step/levels.ts): forward and backward run in different passes, and what the backward needs of the forward
 *   is stored or made again as anything else. For a loss over embeddings this is known as GradCache (Gao et al., "Scaling
 *   Deep Contrastive Learning Batch Size under Memory Limited Setup", arXiv:2101.06983).
 */
import type { Floats } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import { RehearsalError } from '../device/errors.js'
import { forget } from '../device/promise.js'
import { Storage } from '../device/storage.js'
import { add, mul } from '../ops/binary.js'
import { sum } from '../ops/reduce.js'
import { bringIn, sendOut } from '../step/record.js'
import { empty } from '../tensor/create.js'
import { sizeOf } from '../tensor/shape.js'
import { isShape, isTensor, type Key, mapMembers, membersOf, pathOf, type Tensors } from '../tensor/structure.js'
import type { Tensor } from '../tensor/tensor.js'
import { place } from './micro-batch.js'
import { type Outputs, shapesOf } from './rows.js'

/** The values of one output for the whole mini-batch, and their gradient. */
interface Member {
  readonly values: Floats
  readonly gradient: Floats
}

export class Joint {
  /** stands for the outputs of all micro-batches, and for their gradient: it is written by the former and read for the latter */
  readonly #gate = new Storage(0, 0, 'buffer')
  #members = new Map<Key, Member>()
  #pending: Promise<void>[] = []

  constructor(readonly device: Device) {
    this.#gate.isTotal = true
  }

  /** The bytes of the host that the outputs of a mini-batch and their gradient take. */
  bytesOf(outputs: Outputs, all: number): number {
    const shapes = membersOf(shapesOf(outputs, all), isShape)
    return 2 * shapes.reduce((total, [, shape]) => total + sizeOf(shape) * this.device.elementBytes, 0)
  }

  /** Make room for the outputs of a mini-batch of `all` samples. */
  begin(outputs: Outputs, all: number): void {
    // a step that failed may have left some
    this.#pending = []
    const floats = (size: number) => (this.device.elementBytes === 4 ? new Float32Array(size) : new Float64Array(size))
    this.#members = new Map(
      membersOf(shapesOf(outputs, all), isShape).map(([key, shape]) => {
        const size = sizeOf(shape)
        const known = this.#members.get(key)
        return [key, known?.values.length === size ? known : { values: floats(size), gradient: floats(size) }]
      }),
    )
  }

  /** Record that a micro-batch sends its outputs. @param before  samples of the mini-batch in the micro-batches before */
  send(outputs: Tensors, samples: number, before: number): void {
    for (const [key, y] of membersOf(outputs, isTensor)) {
      const send = (placed: Storage) => this.#copy(placed, this.#rows(key, 'values', y, before / samples))
      sendOut(this.device, y.storage('loss'), this.#gate, send)
    }
  }

  /**
   * Record that a micro-batch sends its outputs, and gets their gradient.
   * @returns the sum of outputs times gradients: its gradient is that of the loss. null: no output has a gradient
   */
  surrogate(outputs: Tensors, samples: number, before: number): Tensor | null {
    const { device } = this
    this.send(outputs, samples, before)
    const terms = membersOf(outputs, isTensor)
      .filter(([, y]) => y.requiresGrad)
      .map(([key, y]) => {
        const gradient = empty('loss', device, y.shape)
        bringIn(device, this.#gate, gradient.storage('loss'), (placed) =>
          device.upload(placed, this.#rows(key, 'gradient', y, before / samples)),
        )
        return sum(mul(y, gradient))
      })
    return terms.length > 0 ? terms.reduce((a, b) => add(a, b)) : null
  }

  /** The outputs of the whole mini-batch, as the loss takes them. */
  gathered(outputs: Outputs, all: number): Tensors {
    return mapMembers(shapesOf(outputs, all), isShape, (shape, key) => {
      const host = this.device.live ? { data: this.#member(key).values, shape } : undefined
      return place(this.device, shape, host)
    })
  }

  /** Record that the gradients of these outputs are sent to the host. */
  sendGradients(gathered: Tensors): void {
    for (const [key, leaf] of membersOf(gathered, isTensor)) {
      const { grad } = leaf
      if (grad) {
        const send = (placed: Storage) => this.#copy(placed, this.#member(key).gradient)
        sendOut(this.device, grad.storage('loss'), this.#gate, send)
        leaf.grad = null
        grad.dispose()
      } else if (this.device.live) {
        this.#member(key).gradient.fill(0)
      }
    }
  }

  /** Resolves when everything that was sent is on the host. */
  async sent(): Promise<void> {
    await Promise.all(this.#pending.splice(0))
  }

  /** The part of a micro-batch, when it runs: a step is recorded before there is room for its outputs. */
  #rows(key: Key, what: 'values' | 'gradient', y: Tensor, piecesBefore: number): Floats {
    const start = piecesBefore * y.size
    return this.#member(key)[what].subarray(start, start + y.size)
  }

  #member(key: Key): Member {
    const member = this.#members.get(key)
    if (member) return member
    throw new RehearsalError(
      `the loss: the model returned ${pathOf('output', key)}, which it did not when it was planned`,
    )
  }

  #copy(placed: Storage, target: Floats): void {
    const copied = this.device.copyOut(placed, target)
    if (!copied) return
    // nobody waits for it if the step fails before
    forget(copied)
    this.#pending.push(copied)
  }
}
