/** The sums of a range of samples, as one list of numbers: Note [Ranges] in elsewhere.ts. */
import type { Floats } from '../../kernels/kernels.js'
import { reference } from '../../kernels/reference/index.js'
import type { Device } from '../device/device.js'
import { ArgumentError } from '../memory/errors.js'
import { gradientOf } from '../tensor/create.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Program } from './program.js'

/** What micro-batches add to, in order. */
export function tensorsIn({ loss, leaves, totals }: Program): Tensor[] {
  return [loss, ...leaves.map(gradientOf), ...totals.inOrder.flatMap(({ mean, variance }) => [mean, variance])]
}

const sizeOf = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { size }) => sum + size, 0)

const floats = ({ elementBytes }: Device, size: number): Floats =>
  elementBytes === 4 ? new Float32Array(size) : new Float64Array(size)

/** The values of tensors, one after the other. */
export async function readAll(device: Device, tensors: readonly Tensor[]): Promise<Floats> {
  const all = floats(device, sizeOf(tensors))
  let at = 0
  for (const tensor of tensors) {
    all.set(await tensor.data(), at)
    at += tensor.size
  }
  return all
}

/** Write values that `readAll` gave. @throws ArgumentError  they are not as many; nothing was written */
export function writeAll(device: Device, tensors: readonly Tensor[], values: Floats): void {
  const size = sizeOf(tensors)
  if (values.length !== size) throw new ArgumentError(`there are ${values.length} values for ${size} elements`)
  let at = 0
  for (const tensor of tensors) {
    device.upload(tensor.storage('write'), values.subarray(at, at + tensor.size))
    at += tensor.size
  }
}

/** The sums of ranges, added up on the host. */
export class RangeSums {
  readonly size: number
  readonly #tensors: readonly Tensor[]
  readonly #sums: Floats
  /** where the totals begin */
  readonly #totalsAt: number
  #loss = 0
  #samples = 0

  /** @param before  its memory is used again */
  constructor(
    readonly program: Program,
    before?: RangeSums,
  ) {
    this.#tensors = tensorsIn(program)
    this.size = sizeOf(this.#tensors)
    this.#totalsAt = 2 + sizeOf(program.leaves)
    this.#sums = before?.size === this.size ? before.#sums : floats(program.device, this.size)
  }

  /** Add those of the next range. @throws ArgumentError  they are not as many */
  add(range: Floats, samples: number): void {
    const sums = this.#sums
    if (range.length !== this.size) {
      throw new ArgumentError(`a range has ${range.length} sums, and this step has ${this.size}`)
    }
    this.#loss += range[0] + range[1]
    if (this.#samples === 0) sums.set(range)
    else for (let i = 2; i < this.#totalsAt; i++) sums[i] += range[i]
    this.#samples += samples
    const share = samples / this.#samples
    let at = this.#totalsAt
    for (const { mean } of this.program.totals.inOrder) {
      const { size } = mean
      const moments = [sums, range].flatMap((of) => [of.subarray(at, at + size), of.subarray(at + size, at + 2 * size)])
      reference.mergeMoments({ size, share }, moments, moments.slice(0, 2))
      at += 2 * size
    }
  }

  /** Write the sums so far to the device, as micro-batches would have left them. */
  write(): void {
    const loss = Math.fround(this.#loss)
    this.#sums.set([loss, this.#loss - loss])
    writeAll(this.program.device, this.#tensors, this.#sums)
  }
}
