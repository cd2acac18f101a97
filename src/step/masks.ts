/**
 * A mask in place of a tensor.
 *
 * The gradient of relu, leakyRelu or clamp asks of each element only on which side it lies. So a mask is made of the tensor
 * right after the tensor is written: a bit for each element. If no other gradient needs the tensor, it ends with its last use in the
 * forward. If another does (of a convolution, whose input it is), the mask can be made late: Note [Late] in again.ts. The
 * plan takes what needs fewer bytes.
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

/** The tensors that the forward writes once, each with the gradients that ask for sides alone. */
function askersOf({ allocator, elementBytes }: Device, recording: List): Map<Storage, Askers> {
  const askers = new Map<Storage, Askers>()
  const writers = new Map<Storage, number>()
  let isBackward = false
  for (const instruction of recording.instructions) {
    isBackward ||= instruction.op === 'backward'
    for (const storage of instruction.writes) writers.set(storage, (writers.get(storage) ?? 0) + (isBackward ? 2 : 1))
    const asks = isBackward && asked(instruction)
    const [, s] = instruction.reads
    if (asks) askers.set(s, new Map(askers.get(s)).set(instruction, asks.mask))
  }
  for (const [storage, { size: count }] of askers) {
    const { list, references, size, bytes } = storage
    const isOwn = list === recording && references === 0 && writers.get(storage) === 1
    const isSmaller = count * allocator.costOf(maskSize(size) * elementBytes) < allocator.costOf(bytes)
    if (!isOwn || !isSmaller) askers.delete(storage)
  }
  return askers
}
