/**
 * What an op is, and how it runs.
 *
 * An op is declared once: its shape rule, its forward as kernel calls, and for each input its gradient
 * with what that gradient must have saved. `saves` is the op's cost in memory, so it is said per
 * gradient: what no wanted gradient asks for is not saved.
 *
 * Note [Gradients go somewhere]
 *   A gradient is not returned but sent to a `Target`, as the kernel call that makes it. So it can be
 *   added straight into a parameter's gradient buffer, or into what another use of the tensor sent
 *   before, without a temporary where the kernel can accumulate.
 */
import type { KernelName, KernelParameters } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { DeviceMismatchError } from '../tensor/errors.js'
import { adopt } from '../tensor/scope.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import type { Sample } from './sample.js'
import { isRecording, record, type Saved } from './tape.js'

/** What forward and gradient both see. */
export interface Call<Options> {
  readonly device: Device
  readonly options: Options
  /** of the inputs */
  readonly shapes: readonly Shape[]
  /** of the output */
  readonly shape: Shape
  /** Memory for the length of this call. */
  workspace(size: number): Storage
}

export interface ForwardCall<Options> extends Call<Options> {
  readonly inputs: readonly Storage[]
  readonly output: Storage
  readonly extras: readonly Storage[]
}

export interface BackwardCall<Options> extends Call<Options> {
  /** the gradient of the output */
  readonly dy: Storage
  /** A saved input; must be in `saves`. */
  input(index: number): Storage
  /** The saved output; 'output' must be in `saves`. */
  output(): Storage
  /** A saved extra; 'extras' must be in `saves`. */
  extra(index: number): Storage
}

/** Where the gradient of one input goes: Note [Gradients go somewhere]. */
export interface Target {
  /** The gradient is the output of this kernel (its other parameters aside, `accumulate` is ours to say). */
  run<Name extends KernelName>(kernel: Name, parameters: KernelParameters[Name], inputs: readonly Storage[]): void
  /** The gradient is what `storage` holds, as it is. */
  pass(storage: Storage): void
}

export interface Gradient<Options> {
  readonly saves: readonly Saved[]
  /** @param index  of the input, for gradients that serve several */
  send(call: BackwardCall<Options>, target: Target, index: number): void
}

export interface Op<Options> {
  readonly name: string
  /** @throws ShapeError  naming the op and the shapes */
  shape(shapes: readonly Shape[], options: Options): Shape
  /** Sizes of further results that only the gradient wants (a norm's mean and variance). */
  extras?(shapes: readonly Shape[], options: Options): readonly number[]
  /** Absent: the output is the first input under another shape, and shares its storage. */
  forward?(call: ForwardCall<Options>): void
  /** One for each input, the last serving all further ones; null where none is defined (indices). */
  readonly gradients: readonly (Gradient<Options> | null)[]
  /** numbers of the inputs that the output is linear in, for the adjoint test */
  readonly linear?: readonly number[]
  readonly samples: readonly Sample<Options>[]
}

/** The gradient of input `index`. */
export function gradientFor<Options>(op: Op<Options>, index: number): Gradient<Options> | null {
  return op.gradients[Math.min(index, op.gradients.length - 1)]
}

/** A public function that carries its op, so that the table of all ops needs no second list. */
export type OpFunction<F> = F & { readonly op: Op<unknown> }

export function define<Options, F extends (...args: never[]) => Tensor>(op: Op<Options>, call: F): OpFunction<F> {
  return Object.assign(call, { op: op as Op<unknown> })
}

/**
 * Run an op: check, allocate the output, run the kernels, record.
 * @throws ShapeError, DeviceMismatchError, DisposedError, BudgetExceededError  before anything has changed
 */
export function apply<Options>(op: Op<Options>, inputs: readonly Tensor[], options: Options): Tensor {
  const { device } = inputs[0]
  const storages = inputs.map((input) => operand(op.name, device, input))
  const shapes = inputs.map((input) => input.shape)
  const shape = op.shape(shapes, options)
  device.announce(op.name, [...shapes, shape])
  const extras: Storage[] = []
  const output = op.forward ? device.alloc(sizeOf(shape), 'activation') : share(device, storages[0])
  try {
    for (const size of op.extras?.(shapes, options) ?? []) extras.push(device.alloc(size, 'activation'))
    withWorkspace(device, (workspace) =>
      op.forward?.({ device, options, shapes, shape, workspace, inputs: storages, output, extras }),
    )
  } catch (error) {
    for (const storage of [output, ...extras]) device.release(storage)
    throw error
  }
  const result = adopt(new Tensor(device, output, shape))
  remember(op, inputs, storages, options, result, extras)
  for (const extra of extras) device.release(extra)
  return result
}

/** Run `fn` with an allocator of temporaries, freed when it ends. */
export function withWorkspace<T>(device: Device, fn: (workspace: (size: number) => Storage) => T): T {
  const taken: Storage[] = []
  try {
    return fn((size) => {
      const storage = device.alloc(size, 'workspace')
      taken.push(storage)
      return storage
    })
  } finally {
    for (const storage of taken) device.release(storage)
  }
}

function operand(op: string, device: Device, input: Tensor): Storage {
  if (input.device !== device) {
    throw new DeviceMismatchError(`${op}: the tensors are on two devices, ${device.kind} and ${input.device.kind}`)
  }
  return input.storage(op)
}

function share(device: Device, storage: Storage): Storage {
  device.retain(storage)
  return storage
}

/** Put the call on the tape, with what the wanted gradients need. */
function remember<Options>(
  op: Op<Options>,
  inputs: readonly Tensor[],
  storages: readonly Storage[],
  options: Options,
  output: Tensor,
  extras: readonly Storage[],
): void {
  if (!isRecording(output.device)) return
  const wanted = inputs.map((input, i) => (input.requiresGrad ? gradientFor(op, i) : null))
  if (wanted.every((gradient) => gradient === null)) return
  const saved = new Map<Saved, readonly Storage[]>()
  for (const name of new Set(wanted.flatMap((gradient) => gradient?.saves ?? []))) {
    saved.set(name, name === 'extras' ? extras : [name === 'output' ? output.storage(op.name) : storages[name]])
  }
  output.requiresGrad = true
  output.recorded = true
  const inputShapes = inputs.map((input) => input.shape)
  record(output.device, { op: op as Op<unknown>, options, inputs, output, inputShapes, saved })
}
