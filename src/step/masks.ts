/**
 * A mask in place of a tensor.
 *
 * The gradient of relu, leakyRelu or clamp asks of each element only on which side it lies. Where nothing else in the
 * backward reads the tensor, a bit for each element is made of it right after it is written, and the tensor can go with its
 * last use in the forward. Where a gradient needs its numbers (a convolution its input), it stays and no mask is made.
 */
import { type MaskedFunction, TWO_SLOPES } from '../../kernels/functions.js'
import type { KernelParameters } from '../../kernels/kernels.js'
import { maskSize } from '../../kernels/packing.js'
import type { Device } from '../device/device.js'
import type { Instruction, Sink } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'

/** What is recorded: record.ts. */
interface List extends Sink {
  readonly instructions: Instruction[]
}

const isMasked = (name: string): name is MaskedFunction => Object.hasOwn(TWO_SLOPES, name)

/** A gradient that asks on which side each element of its second operand lies: as a mask, and by the mask. */
interface Asked {
  readonly mask: KernelParameters['mask']
  readonly gradient: KernelParameters['maskGradient']
}

function asked({ name, parameters }: Instruction): Asked | null {
  if (name !== 'unaryGradient') return null
  const { function: f, size, a, b } = parameters as KernelParameters['unaryGradient']
  if (!isMasked(f)) return null
  return { mask: { size, function: f, a, b }, gradient: { size, slope: TWO_SLOPES[f].other(a) } }
}

/** Let gradients of a recording read masks where that frees a tensor for the time between forward and backward. */
export function useMasks(device: Device, recording: List): void {
  const { instructions } = recording
  const askers = askersOf(device, recording)
  if (askers.size === 0) return
  const masks = new Map<Instruction, Storage>()
  const recorded = instructions.splice(0)
  device.through(recording, () => {
    for (const instruction of recorded) {
      const { op, module, reads, writes } = instruction
      device.op = op
      device.module = module
      const mask = masks.get(instruction)
      const gradient = asked(instruction)?.gradient
      if (mask && gradient) device.run('maskGradient', gradient, [reads[0], mask], writes)
      else recording.perform(instruction)
      for (const storage of writes) {
        for (const [asker, parameters] of askers.get(storage) ?? []) {
          const made = device.alloc(maskSize(storage.size), 'activation')
          device.run('mask', parameters, [storage], [made])
          device.release(made)
          masks.set(asker, made)
        }
      }
    }
  })
}

type Askers = Map<Instruction, KernelParameters['mask']>

/** The tensors that the forward writes once and of which the backward asks for sides alone: each with the gradients that ask. */
function askersOf({ allocator, elementBytes }: Device, recording: List): Map<Storage, Askers> {
  const askers = new Map<Storage, Askers>()
  const written = new Set<Storage>()
  const others = new Set<Storage>()
  let isBackward = false
  for (const instruction of recording.instructions) {
    const { op, reads, writes, changes } = instruction
    isBackward ||= op === 'backward'
    for (const storage of writes) {
      if (changes || written.has(storage) || isBackward) others.add(storage)
      written.add(storage)
    }
    if (!isBackward) continue
    const asks = asked(instruction)
    reads.forEach((storage, j) => {
      if (asks && j === 1) askers.set(storage, new Map(askers.get(storage)).set(instruction, asks.mask))
      else others.add(storage)
    })
  }
  for (const [storage, { size: count }] of askers) {
    const { list, references, size, bytes } = storage
    const isOwn = list === recording && references === 0 && written.has(storage)
    const isSmaller = count * allocator.costOf(maskSize(size) * elementBytes) < allocator.costOf(bytes)
    if (!isOwn || !isSmaller || others.has(storage)) askers.delete(storage)
  }
  return askers
}
