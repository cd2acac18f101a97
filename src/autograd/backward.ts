/**
 * The backward walk: from a loss to its leaves, newest node first, iteratively.
 *
 * A node's gradient is complete when the walk reaches it, because every op that used its output is newer. After each
 * node the walk frees what the node saved and the gradient of its output, so memory falls as the walk goes. Gradients
 * of leaves are added to their standing buffers. First order only: nothing here is recorded.
 */
import { ACCUMULATING } from '../../kernels/traits.js'
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { checkArgument, door, type Kind, NUMBER } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import type { BackwardCall, Saved, Target } from '../ops/declaration.js'
import { gradientFor, withWorkspace } from '../ops/op.js'
import { accumulate, add } from '../ops/send.js'
import { dropNode, forget, type Node, tapeOf } from '../ops/tape.js'
import { gradientOf } from '../tensor/create.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

/** For each recorded tensor, the sum of the gradients that have been sent to it so far. */
type Pending = Map<Tensor, Storage>

const check = door('backward', { loss: TENSOR, seed: NUMBER })

/**
 * Add seed * d loss / d leaf to the gradient buffer of every leaf that the loss depends on. The nodes of the walk are used
 * up: a second backward through them is an error.
 * @param loss  one element
 * @param seed  the gradient of the loss itself; default 1
 * @throws ShapeError           the loss is not a scalar
 * @throws DisposedError        the loss is disposed
 * @throws ArgumentError        nothing was recorded for it
 * @throws BudgetExceededError  a gradient does not fit; some leaves may already have their gradients
 */
export function backward(loss: Tensor, seed = 1): void {
  check([loss, seed])
  walkBack(loss, seed)
}

/** `backward`, with a function that is called before each node is walked. */
export function walkBack(loss: Tensor, seed: number, before: (node: Node) => void = () => {}): void {
  if (loss.size !== 1) throw new ShapeError(`backward: the loss has shape ${showShape(loss.shape)}, not one element`)
  loss.storage('backward')
  const { device } = loss
  const nodes = tapeOf(device)
  const start = nodes.findLastIndex((node) => node.output === loss)
  if (start < 0) {
    throw new ArgumentError(
      'backward: nothing is recorded for this loss. It needs an input that requires a gradient, outside noGrad, ' +
        'and a tape that lasts: call backward in the scope of the forward, once.',
    )
  }
  device.op = 'backward'
  const { module } = device
  const pending: Pending = new Map([[loss, device.alloc(1, 'activation')]])
  const done: Node[] = []
  try {
    for (const dy of pending.values()) device.run('fill', { size: 1, value: seed }, [], [dy])
    for (let i = start; i >= 0; i--) {
      const node = nodes[i]
      const dy = pending.get(node.output)
      if (!dy) continue
      device.op = `${node.op.name} gradient`
      device.module = node.module
      before(node)
      walk(device, node, dy, pending)
      nodes.splice(i, 1)
      dropNode(device, node)
      done.push(node)
      pending.delete(node.output)
      device.release(dy)
    }
  } finally {
    device.module = module
    for (const storage of pending.values()) device.release(storage)
    // not earlier: the walk needed the nodes that they hold
    forget(done)
  }
}

const LEAVES: Kind = {
  told: 'a list of tensors, such as model.parameters()',
  fits: (value) => typeof value === 'object' && value !== null && Symbol.iterator in value,
}

/** Set the gradient buffers to zero. A leaf without one does not get one. */
export function zeroGrad(leaves: Iterable<Tensor>): void {
  checkArgument('zeroGrad', 'leaves', leaves, LEAVES)
  for (const { grad } of leaves) {
    if (grad) grad.device.run('fill', { size: grad.size, value: 0 }, [], [grad.storage('zeroGrad')])
  }
}

/** Send the gradients of one node to its inputs. */
function walk(device: Device, node: Node, dy: Storage, pending: Pending): void {
  withWorkspace(device, (workspace) => {
    const call: BackwardCall<unknown> = {
      device,
      options: node.options,
      shapes: node.inputShapes,
      shape: node.output.shape,
      dy,
      workspace,
      input: (index) => saved(node, index, 0),
      output: () => saved(node, 'output', 0),
      extra: (index) => saved(node, 'extras', index),
    }
    // Weights come before the input that they multiply: only their gradients need the input, which is then free to make
    // room.
    const wanted = [...node.inputs.keys()].filter((i) => node.inputs[i].requiresGrad).reverse()
    for (const i of wanted) {
      // The last gradient that uses dy may write over it, unless dy has other holders. In a recording each value has its own
      // storage; the plan finds out which of them share a place.
      const mayOverwrite = device.aliases && !device.list && dy.references === 1
      const spare = i === wanted.at(-1) && mayOverwrite ? dy : null
      gradientFor(node.op, i)?.send(call, targetFor(device, node.inputs[i], pending, spare), i)
    }
  })
}

function saved(node: Node, name: Saved, index: number): Storage {
  const storage = node.saved.get(name)?.[index]
  if (!storage)
    throw new ArgumentError(`${node.op.name}: its gradient uses '${name}', which it does not declare in saves`)
  return storage
}

/**
 * Where the gradient of `input` goes: a leaf's buffer, its pending gradient, or a new tensor.
 * @param spare  dy, when it may be written over
 */
function targetFor(device: Device, input: Tensor, pending: Pending, spare: Storage | null): Target {
  const current = (): Storage | undefined =>
    input.recorded ? pending.get(input) : gradientOf(input).storage('backward')
  const target: Target = {
    run(kernel, parameters, inputs) {
      if (current() && ACCUMULATING.has(kernel)) {
        accumulate(device, kernel, parameters, ownSum(device, input, pending), inputs)
        return
      }
      const term = device.alloc(input.size, 'activation')
      try {
        device.run(kernel, parameters, inputs, [term])
        target.pass(term)
      } finally {
        device.release(term)
      }
    },
    overwrite(kernel, parameters, inputs) {
      if (!spare || current()) return target.run(kernel, parameters, inputs)
      device.run(kernel, parameters, inputs, [spare])
      target.pass(spare)
    },
    pass(term) {
      const sum = current()
      if (!sum) pending.set(input, hold(device, term))
      else if (device.list && input.recorded) pending.set(input, newSum(device, sum, term))
      else add(device, ownSum(device, input, pending), term)
    },
  }
  return target
}

function hold(device: Device, storage: Storage): Storage {
  device.retain(storage)
  return storage
}

/** The gradient of `input` so far, to be added to. A pending one that has other holders is copied first. */
function ownSum(device: Device, input: Tensor, pending: Pending): Storage {
  const current = pending.get(input)
  if (!current) return gradientOf(input).storage('backward')
  if (current.references === 1) return current
  const copy = device.alloc(input.size, 'activation')
  device.run('stridedCopy', { shape: [input.size], strides: [1], offset: 0 }, [current], [copy])
  device.release(current)
  pending.set(input, copy)
  return copy
}

/** sum + term in memory of its own: in a recording, a value that was read is not written again (Note [Between passes]). */
function newSum(device: Device, sum: Storage, term: Storage): Storage {
  const total = device.alloc(sum.size, 'activation')
  const parameters = { function: 'add', shape: [sum.size], stridesA: [1], stridesB: [1] } as const
  device.run('binary', parameters, [sum, term], [total])
  device.release(sum)
  return total
}
