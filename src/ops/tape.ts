/**
 * The tape: the ops that ran, in order, with what their gradients need. It belongs to a device; what is
 * recorded inside a scope ends with the outermost scope, so a forward without a backward leaks nothing.
 * Walking it is autograd's business.
 *
 * Note [Out of reach]
 *   A backward begins at a tensor that is not disposed, so a node is wanted as long as its output is there, or a node
 *   that took its output is wanted. Nodes count these holders; one that has none is dropped, with what it saved, and so
 *   are those that only it held. A forward by hand, outside any scope, leaves nothing once its results are disposed.
 */
import type { Device } from '../device/device.js'
import { Slot } from '../device/slot.js'
import type { Storage } from '../device/storage.js'
import { whenScopesEnd } from '../tensor/scope.js'
import type { Shape } from '../tensor/shape.js'
import type { Producer, Tensor } from '../tensor/tensor.js'
import type { Op, Saved } from './declaration.js'

/** One recorded op. Tensors serve as names here: their storage may be gone, unless it is in `saved`. */
export class Node implements Producer {
  /** Note [Out of reach]: its output at first */
  holders = 1

  constructor(
    readonly op: Op<unknown>,
    readonly options: unknown,
    readonly inputs: readonly Tensor[],
    readonly output: Tensor,
    readonly inputShapes: readonly Shape[],
    /** each holds one reference until the node is dropped */
    readonly saved: ReadonlyMap<Saved, readonly Storage[]>,
  ) {}

  outputGone(): void {
    if (--this.holders === 0) dropUnreachable(this)
  }
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
  for (const { producer } of node.inputs) if (producer instanceof Node) producer.holders++
  node.output.producer = node
  nodes.push(node)
}

/** Let go of what a node saved; it is off the tape already. When all is done, `forget` it. */
export function dropNode(device: Device, node: Node): void {
  node.output.producer = null
  for (const storages of node.saved.values()) for (const storage of storages) device.release(storage)
}

/** Nodes that were dropped hold those before them no longer. */
export function forget(dropped: readonly Node[]): void {
  for (const { inputs } of dropped) for (const { producer } of inputs) producer?.outputGone()
}

/** A node without holders, and all that only it held; by a loop, since there may be many. */
function dropUnreachable(node: Node): void {
  const { device } = node.output
  const nodes = tapeOf(device)
  const unreachable = [node]
  for (const each of unreachable) {
    // the newest go first, so they stand at the end
    const at = nodes.lastIndexOf(each)
    if (at >= 0) nodes.splice(at, 1)
    dropNode(device, each)
    for (const { producer } of each.inputs) {
      if (producer instanceof Node && --producer.holders === 0) unreachable.push(producer)
    }
  }
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
  const dropped: Node[] = []
  for (const node of nodes.splice(0)) (kept.has(node) ? nodes : dropped).push(node)
  for (const node of dropped) dropNode(device, node)
  forget(dropped)
}
