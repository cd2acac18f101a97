/**
 * Lifetimes: a scope frees the tensors made inside it when it ends, by a return or by an error.
 *
 * Scopes belong to a device and are synchronous: a scope that could be left in the middle of an
 * `await` would free, or fail to free, somebody else's tensors.
 */
import type { Device } from '../device/device.js'
import { RehearsalError } from '../device/errors.js'
import { forget, isPromise } from '../device/promise.js'
import { Slot } from '../device/slot.js'
import { checkArgument, FUNCTION } from '../memory/arguments.js'
import { formatBytes } from '../memory/bytes.js'
import { ScopeError } from './errors.js'
import { DEVICE, TENSOR } from './kinds.js'
import { showShape } from './shape.js'
import { Tensor } from './tensor.js'

interface Frame {
  tensors: Set<Tensor>
  /** run when the frame ends, one for each key: the tape drops its nodes with the outermost scope */
  endings: Map<object, () => void>
}

const FRAMES = new Slot<Frame[]>(() => [])
/** for each running `allOrNothing`, the innermost last: the functions that undo what it has made */
const MAKING = new Slot<(() => void)[][]>(() => [])
/** Does the forward of a step run? */
const FORWARD = new Slot(() => ({ runs: false }))
/** every usable tensor; filled only when the device tracks origins */
const TRACKED = new Slot<Set<Tensor>>(() => new Set())

/** Hand a new tensor to the innermost scope; outside any scope it lives until it is disposed. */
export function adopt(tensor: Tensor): Tensor {
  tensor.device.slot(FRAMES).at(-1)?.tensors.add(tensor)
  if (tensor.device.trackOrigins) tensor.device.slot(TRACKED).add(tensor)
  return tensor
}

/**
 * Like `adopt`, but no scope will free it: parameters, buffers, optimizer state.
 * @throws RehearsalError  the forward of a step made it
 */
export function standing(tensor: Tensor): Tensor {
  if (tensor.device.slot(FORWARD).runs) {
    const { category } = tensor.storage('standing')
    tensor.dispose()
    throw new RehearsalError(
      `the forward made a ${category} of shape ${showShape(tensor.shape)}. It would be another one in every micro-batch, and ` +
        'no optimizer would know it: make it in the constructor of its module.',
    )
  }
  if (tensor.device.trackOrigins) tensor.device.slot(TRACKED).add(tensor)
  ifAllFails(tensor.device, () => tensor.dispose())
  return tensor
}

/** Run `fn`, the forward of a step, in which nothing that stands can be made. */
export function asForward<T>(device: Device, fn: () => T): T {
  const forward = device.slot(FORWARD)
  const before = forward.runs
  forward.runs = true
  try {
    return fn()
  } finally {
    forward.runs = before
  }
}

/** Run `undo` if the innermost running `allOrNothing` fails. */
export function ifAllFails(device: Device, undo: () => void): void {
  device.slot(MAKING).at(-1)?.push(undo)
}

/**
 * Run `make`. If it throws, free the standing tensors that were made in it (parameters, buffers, gradients, optimizer
 * state, those of a Streamer) and throw the same error: a model that does not fit leaves nothing behind. The library's own
 * layers, models and optimizers are made in this way. Wrap the construction of a class of your own, because its
 * constructor cannot be watched from within, and of a Sequential, whose layers are made before it:
 *
 *     const net = nn.allOrNothing(device, () => new Net(device))
 *
 * @throws ScopeError  make returned a Promise or a generator
 */
export function allOrNothing<T>(device: Device, make: () => T): T {
  checkArgument('allOrNothing', 'device', device, DEVICE)
  checkArgument('allOrNothing', 'make', make, FUNCTION)
  const making = device.slot(MAKING)
  const undos: (() => void)[] = []
  making.push(undos)
  try {
    const result = make()
    checkSynchronous('allOrNothing: make', result)
    making.at(-2)?.push(...undos)
    return result
  } catch (error) {
    for (const undo of undos.reverse()) undo()
    throw error
  } finally {
    making.pop()
  }
}

/**
 * Call `makeEnding()` now, once for each key, and the function that it returns when the outermost running scope ends.
 */
export function whenScopesEnd(device: Device, key: object, makeEnding: () => () => void): void {
  const outermost = device.slot(FRAMES)[0]
  if (outermost && !outermost.endings.has(key)) outermost.endings.set(key, makeEnding())
}

/**
 * Run `fn` and free every tensor made inside it, except those it returns (also inside arrays and
 * plain objects) and those given to `keep`. A nested scope hands the tensors that it returns to the outer scope.
 * @throws ScopeError  fn returned a Promise or a generator
 */
export function scope<T>(device: Device, fn: () => T): T {
  const frames = device.slot(FRAMES)
  const frame: Frame = { tensors: new Set(), endings: new Map() }
  frames.push(frame)
  let escaping: Tensor[] = []
  try {
    const result = fn()
    checkSynchronous('scope: fn', result)
    escaping = collect(result, []).filter((tensor) => frame.tensors.delete(tensor))
    return result
  } finally {
    frames.pop()
    for (const tensor of frame.tensors) tensor.dispose()
    for (const ending of frame.endings.values()) ending()
    for (const tensor of escaping) frames.at(-1)?.tensors.add(tensor)
  }
}

/** Take a tensor out of its scope: it now lives until `dispose`. */
export function keep<T extends Tensor>(tensor: T): T {
  checkArgument('keep', 'tensor', tensor, TENSOR)
  for (const frame of tensor.device.slot(FRAMES)) frame.tensors.delete(tensor)
  return tensor
}

/**
 * The tensors that are alive and where each was made: look here when held bytes grow.
 * Needs `trackOrigins: true` when the device is opened; empty otherwise.
 */
export function liveTensors(device: Device): string[] {
  checkArgument('liveTensors', 'device', device, DEVICE)
  const tracked = device.slot(TRACKED)
  for (const tensor of tracked) if (tensor.disposed) tracked.delete(tensor)
  return [...tracked].map((tensor) => {
    const storage = tensor.storage('liveTensors')
    const bytes = storage.placed ? storage.block.bytes : storage.bytes
    return `${storage.category} ${showShape(tensor.shape)} ${formatBytes(bytes)} ${tensor.origin}`
  })
}

function checkSynchronous(what: string, result: unknown): void {
  if (!isPromise(result) && !isGenerator(result)) return
  if (isPromise(result)) forget(result)
  throw new ScopeError(`${what} must be synchronous: it returned a Promise or a generator. Await outside of it.`)
}

const isGenerator = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'next' in value && Symbol.iterator in value

/** The tensors in a value: the value itself, or inside arrays and plain objects at any depth. */
function collect(value: unknown, found: Tensor[], seen = new Set<unknown>()): Tensor[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return found
  seen.add(value)
  if (value instanceof Tensor) found.push(value)
  else if (Array.isArray(value)) for (const item of value) collect(item, found, seen)
  else if ([Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    for (const item of Object.values(value)) collect(item, found, seen)
  }
  return found
}
