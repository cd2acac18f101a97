/**
 * The tape: the ops that ran, in order, with what their gradients need. It belongs to a device; what is
 * recorded inside a scope ends with the outermost scope, so a forward without a backward leaks nothing.
 * Walking it is autograd's business.
 */
import { type Device, Slot } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { whenScopesEnd } from '../tensor/scope.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Op, Saved } from './declaration.js'

/** One recorded op. Tensors serve as names here: their storage may be gone, unless it is in `saved`. */
export interface Node {
  readonly op: Op<unknown>
  readonly options: unknown
  readonly inputs: readonly Tensor[]
  readonly output: Tensor
  readonly inputShapes: readonly Shape[]
  /** each holds one reference until the node is dropped */
  readonly saved: ReadonlyMap<Saved, readonly Storage[]>
}

interface Tape {
  device: Device
  nodes: Node[]
}

const TAPES = new Slot<{ tape: Tape | null }>(
  () => ({ tape: null }),
  ({ tape }) => tape && keepOnly(tape, new Set()),
)
const RECORDING = new Slot(() => ({ on: true }))

/** The recorded nodes of a device, oldest first. */
export function tapeOf(device: Device): Node[] {
  const holder = device.slot(TAPES)
  holder.tape ??= { device, nodes: [] }
  return holder.tape.nodes
}

export function record(device: Device, node: Node): void {
  const nodes = tapeOf(device)
  whenScopesEnd(device, TAPES, () => {
    const before = new Set(nodes)
    return () => keepOnly({ device, nodes }, before)
  })
  for (const storages of node.saved.values()) for (const storage of storages) device.retain(storage)
  nodes.push(node)
}

/** Let go of what a node saved. */
export function dropNode(device: Device, node: Node): void {
  for (const storages of node.saved.values()) for (const storage of storages) device.release(storage)
}

export const isRecording = (device: Device): boolean => device.slot(RECORDING).on

/** Run `fn` without recording: its results need no gradient and nothing is saved. */
export function noGrad<T>(device: Device, fn: () => T): T {
  const recording = device.slot(RECORDING)
  const before = recording.on
  recording.on = false
  try {
    return fn()
  } finally {
    recording.on = before
  }
}

/** Drop all other nodes. Not a matter of length: a backward may have used up nodes that are older than the scope. */
function keepOnly({ device, nodes }: Tape, kept: ReadonlySet<Node>): void {
  for (const node of nodes.splice(0)) {
    if (kept.has(node)) nodes.push(node)
    else dropNode(device, node)
  }
}
