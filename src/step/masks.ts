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
import type { Instruction, Sink, Whereabouts } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'

/** What is recorded: record.ts. */
interface List extends Sink {
  readonly values: readonly Storage[]
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
  const start = instructions.findIndex(({ op }) => op === 'backward')
  const askers = start < 0 ? NOBODY : askersOf(device, recording, start)
  if (askers.size === 0) return
  const masks = new Map<Instruction, Storage>()
  const recorded = instructions.splice(0)
  const last: Whereabouts = { op: device.op, module: device.module }
  const at = ({ op, module }: Whereabouts): void => {
    device.op = op
    device.module = module
  }
  device.through(recording, () => {
    recorded.forEach((instruction, i) => {
      const { reads, writes } = instruction
      const mask = i < start ? undefined : masks.get(instruction)
      const gradient = mask && asked(instruction)?.gradient
      if (gradient) {
        at(instruction)
        device.run('maskGradient', gradient, [reads[0], mask], writes)
      } else recording.perform(instruction)
      // what has askers is written in the forward alone
      if (i >= start) return
      for (const storage of writes) {
        for (const [asker, parameters] of askers.get(storage) ?? []) {
          at(instruction)
          const made = device.alloc(maskSize(storage.size), 'activation')
          device.run('mask', parameters, [storage], [made])
          device.release(made)
          masks.set(asker, made)
        }
      }
    })
  })
  at(last)
}

type Askers = Map<Instruction, KernelParameters['mask']>

const NOBODY: ReadonlyMap<Storage, Askers> = new Map()

/**
 * The tensors that the forward writes once, each with the gradients that ask for sides alone.
 * @param start  the first instruction of the backward
 */
function askersOf({ allocator, elementBytes }: Device, recording: List, start: number): ReadonlyMap<Storage, Askers> {
  const { instructions, values } = recording
  const askers = new Map<Storage, Askers>()
  for (let i = start; i < instructions.length; i++) {
    const asks = asked(instructions[i])
    const [, s] = instructions[i].reads
    if (asks) askers.set(s, new Map(askers.get(s)).set(instructions[i], asks.mask))
  }
  if (askers.size === 0) return askers
  const writes = new Int32Array(values.length)
  instructions.forEach(({ writes: written }, i) => {
    for (const { list, index } of written) if (list === recording) writes[index] += i < start ? 1 : 2
  })
  for (const [storage, { size: count }] of askers) {
    const { list, references, size, bytes } = storage
    const isOwn = list === recording && references === 0 && writes[storage.index] === 1
    const isSmaller = count * allocator.costOf(maskSize(size) * elementBytes) < allocator.costOf(bytes)
    if (!isOwn || !isSmaller) askers.delete(storage)
  }
  return askers
}
