/** Running an op: check, allocate, run the kernels, record. The declaration of an op is in declaration.ts. */
import type { Device } from '../device/device.js'
import { placeOf } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import { door, type Signature } from '../memory/arguments.js'
import { DeviceMismatchError, twoDevices } from '../tensor/errors.js'
import { adopt } from '../tensor/scope.js'
import { checkSetting } from '../tensor/setting.js'
import { frozen, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import type { Gradient, Op, Saved } from './declaration.js'
import { isRecording, Node, record } from './tape.js'

export type { BackwardCall, Call, ForwardCall, Gradient, Op, Target } from './declaration.js'

/** The gradient of input `index`. */
export function gradientFor<Options>(op: Op<Options>, index: number): Gradient<Options> | null {
  return op.gradients[Math.min(index, op.gradients.length - 1)]
}

/** A public function that carries its op, so that the table of all ops can be made from the functions. */
export type OpFunction<F> = F & { readonly op: Op<unknown> }

/**
 * The public function of an op.
 * @param signature  its arguments, which are checked before `call` gets them
 */
export function define<Options, F extends (...args: never[]) => Tensor | readonly Tensor[]>(
  op: Op<Options>,
  signature: Signature,
  call: F,
  name = op.name,
): OpFunction<F> {
  const check = door(name, signature)
  const checked = (...given: Parameters<F>): Tensor | readonly Tensor[] => {
    check(given)
    return call(...given)
  }
  Object.defineProperty(checked, 'name', { value: name })
  return Object.assign(checked as F, { op: op as Op<unknown> })
}

/**
 * Run an op: check, allocate the output, run the kernels, record.
 * @throws ShapeError, ArgumentError, DeviceMismatchError, DisposedError, BudgetExceededError  before anything has changed
 */
export function apply<Options>(op: Op<Options>, inputs: readonly Tensor[], options: Options): Tensor {
  const { device } = inputs[0]
  const storages = inputs.map((input) => operand(op.name, device, input))
  const shapes = inputs.map((input) => input.shape)
  const shape = frozen(op.shape(shapes, options))
  for (const [name, value] of Object.entries(op.settings?.(options) ?? {})) checkSetting(device, op.name, name, value)
  device.op = op.name
  const extras: Storage[] = []
  const output = op.forward ? device.alloc(sizeOf(shape), 'activation') : share(device, storages[0])
  try {
    if (!op.extrasOnlyForGradients || wantsGradient(op, inputs)) {
      for (const size of op.extras?.(shapes, options) ?? []) extras.push(device.alloc(size, 'activation'))
    }
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

/** Run `fn` with a function that allocates temporaries. They are freed when `fn` ends. */
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
    throw new DeviceMismatchError(`${op}: ${twoDevices(device, input.device)}`)
  }
  return input.storage(placeOf(op, device))
}

function share(device: Device, storage: Storage): Storage {
  device.retain(storage)
  return storage
}

/** For each input, its gradient if it is wanted. */
const wantedGradients = <Options>(op: Op<Options>, inputs: readonly Tensor[]) =>
  inputs.map((input, i) => (input.requiresGrad ? gradientFor(op, i) : null))

const wantsGradient = <Options>(op: Op<Options>, inputs: readonly Tensor[]): boolean =>
  isRecording(inputs[0].device) && wantedGradients(op, inputs).some((gradient) => gradient !== null)

/** Put the call on the tape, and save what the wanted gradients need. */
function remember<Options>(
  op: Op<Options>,
  inputs: readonly Tensor[],
  storages: readonly Storage[],
  options: Options,
  output: Tensor,
  extras: readonly Storage[],
): void {
  if (!wantsGradient(op, inputs)) return
  const saved = new Map<Saved, readonly Storage[]>()
  for (const gradient of wantedGradients(op, inputs)) {
    for (const name of gradient?.saves ?? []) {
      if (name === 'extras') saved.set(name, extras)
      else if (name === 'output') saved.set(name, [output.storage(op.name)])
      else if (name < storages.length) saved.set(name, [storages[name]])
    }
  }
  output.requiresGrad = true
  output.recorded = true
  const inputShapes = inputs.map((input) => input.shape)
  record(output.device, new Node(op as Op<unknown>, options, inputs, output, inputShapes, saved))
}
