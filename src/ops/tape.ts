/**
 * The tape: the ops that ran, in order, with the tensors that their gradients need. It belongs to a device. Nodes recorded
 * in a scope are dropped with the outermost scope, so a forward without a backward leaks nothing. Backward, in autograd/,
 * walks it.
 *
 * Note [Out of reach]
 *   A backward begins at a tensor that is not disposed. So a node is needed while its output is not disposed, or while a
 *   node that took its output is needed. A node counts these holders. At zero it is dropped with the tensors that it saved,
 *   and so are the nodes that only it held. A forward outside of any scope leaves nothing once its results are disposed.
 */
import type { Device } from '../device/device.js'
import { Slot } from '../device/slot.js'
import type { Storage } from '../device/storage.js'
import { door, FUNCTION } from '../memory/arguments.js'
import { DEVICE } from '../tensor/kinds.js'
import { whenScopesEnd } from '../tensor/scope.js'
import type { Shape } from '../tensor/shape.js'
import type { Producer, Tensor } from '../tensor/tensor.js'
import type { Op, Saved } from './declaration.js'

/** One recorded op. Its tensors only identify operands: their storage may be freed, unless it is in `saved`. */
export class Node implements Producer {
  /** Note [Out of reach]; at first only the output */
  holders = 1
  /** see Device.module */
  readonly module: string

  constructor(
    readonly op: Op<unknown>,
    readonly options: unknown,
    readonly inputs: readonly Tensor[],
    readonly output: Tensor,
    readonly inputShapes: readonly Shape[],
    /** the node holds one reference to each until it is dropped */
    readonly saved: ReadonlyMap<Saved, readonly Storage[]>,
  ) {
    this.module = output.device.module
  }

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

/** Release what a node saved, after it was taken off the tape. Call `forget` when all such nodes are dropped. */
export function dropNode(device: Device, node: Node): void {
  node.output.producer = null
  for (const storages of node.saved.values()) for (const storage of storages) device.release(storage)
}

/** Let dropped nodes no longer count as holders of the nodes before them. */
export function forget(dropped: readonly Node[]): void {
  for (const { inputs } of dropped) for (const { producer } of inputs) producer?.outputGone()
}

/** Drop a node without holders, and all nodes that only it held: a loop, because a recursion could be too deep. */
function dropUnreachable(node: Node): void {
  const { device } = node.output
  const nodes = tapeOf(device)
  const unreachable = [node]
  for (const each of unreachable) {
    // nodes are mostly dropped from the newest on, so the search begins at the end
    const at = nodes.lastIndexOf(each)
    if (at >= 0) nodes.splice(at, 1)
    dropNode(device, each)
    for (const { producer } of each.inputs) {
      if (producer instanceof Node && --producer.holders === 0) unreachable.push(producer)
    }
  }
}

export const isRecording = (device: Device): boolean => device.slot(RECORDING).on

const check = door('noGrad', { device: DEVICE, fn: FUNCTION })

/** Run `fn` without recording: its results need no gradient and nothing is saved. */
export function noGrad<T>(device: Device, fn: () => T): T {
  check([device, fn])
  const recording = device.slot(RECORDING)
  const before = recording.on
  recording.on = false
  try {
    return fn()
  } finally {
    recording.on = before
  }
}

/**
 * Drop all nodes except `kept`. Cutting the list at a length would be wrong: a backward may have used up nodes that are
 * older than the scope.
 */
function keepOnly({ device, nodes }: Tape, kept: ReadonlySet<Node>): void {
  const dropped: Node[] = []
  for (const node of nodes.splice(0)) (kept.has(node) ? nodes : dropped).push(node)
  for (const node of dropped) dropNode(device, node)
  forget(dropped)
}
