/**
 * What is checked: a function of tensors at a point, or a training: a model, a loss, or both, with a batch. Either becomes a
 * training, so that each check is written once.
 */

import type { Differentiable, Point } from '../autograd/differences.js'
import { differentiable, pointOf } from '../autograd/gradcheck.js'
import type { AnyBatch } from '../data/index.js'
import { checkBatch } from '../data/index.js'
import type { Device } from '../device/device.js'
import { openVirtualDevice } from '../device/open.js'
import { checkArgument, FUNCTION, type Kind, LIST, OBJECT, options as optionsOf } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { type AnyModule, Buffer, Module, Parameter } from '../nn/index.js'
import { add, mul } from '../ops/binary.js'
import type { AnyLoss, Loss } from '../ops/loss.js'
import { concat, reshape } from '../ops/movement.js'
import { sum } from '../ops/reduce.js'
import type { Optimizer } from '../optim/index.js'
import { sgd } from '../optim/index.js'
import type { Recompute, StreamerOptions } from '../stream/options.js'
import { Streamer } from '../stream/streamer.js'
import { tensor } from '../tensor/create.js'
import type { HostArray } from '../tensor/host.js'
import { allOrNothing } from '../tensor/scope.js'
import { sizeOf, stridesOf } from '../tensor/shape.js'
import { type Arrays, firstOf, isArray, isTensor, mapMembers, membersOf, type Tensors } from '../tensor/structure.js'
import type { NestedNumbers, Tensor } from '../tensor/tensor.js'

/** A model with a loss, at a batch. */
export interface Training<Outputs = Tensor, Targets = Tensor> {
  /** makes the model; default: one that adds a parameter to its input, to check a loss alone */
  model?: (device: Device) => AnyModule & { forward(...inputs: never[]): Outputs }
  /** default: a mean over samples of a weighted sum of the outputs, to check a model alone */
  loss?: Loss<Outputs, Targets>
  /** targets can be left out where `loss` is */
  batch: { readonly inputs: Arrays; readonly targets?: Arrays; readonly weights?: HostArray }
  /** default: sgd with a learning rate of 0.1 and momentum */
  optimizer?: (model: AnyModule) => Optimizer
}

/** A function of tensors, such as an op. */
export type Fn = (...inputs: Tensor[]) => Tensor

/** The inputs of a function: nested arrays or host arrays. */
export type Inputs = readonly (NestedNumbers | HostArray)[]

export interface Subject {
  readonly make: (device: Device) => AnyModule
  readonly loss: AnyLoss
  readonly batch: AnyBatch
  readonly optimizer: (model: AnyModule) => Optimizer
  /** for a function: it, its inputs, and which of them are checked */
  readonly fn: { readonly call: Fn; readonly points: readonly Point[]; readonly checked: readonly number[] } | null
  /** Has the training a loss of its own? */
  readonly hasLoss: boolean
}

const TRAINING = optionsOf<Training>({ model: FUNCTION, loss: FUNCTION, batch: OBJECT, optimizer: FUNCTION }, ['batch'])
const LEARNING_RATE = 0.1

/** The arguments of a check: (fn, inputs, options) or (training, options). */
export function subjectOf<Options extends object>(
  name: string,
  [what, second, third]: readonly unknown[],
  known: Kind,
): { subject: Subject; options: Options } {
  const isFunction = typeof what === 'function'
  const options = (isFunction ? third : second) ?? {}
  if (isFunction) checkArgument(name, 'inputs', second, LIST)
  else checkArgument(name, 'a function or a training', what, TRAINING)
  checkArgument(name, 'options', options, known)
  const chosen = options as Options & { inputs?: readonly number[] }
  if (!isFunction && chosen.inputs) throw new ArgumentError(`${name}: the option inputs is for a function of tensors`)
  return {
    subject: isFunction ? ofFunction(what as Fn, second as Inputs, chosen.inputs) : ofTraining(name, what as Training),
    options: chosen,
  }
}

const momentum = (model: AnyModule): Optimizer => sgd(model, { learningRate: LEARNING_RATE, momentum: 0.9 })

function ofTraining(name: string, { model, loss, batch, optimizer = momentum }: Training): Subject {
  if (!model && !loss) throw new ArgumentError(`${name}: give a model, a loss, or both`)
  const { inputs } = batch
  const shape = firstOf(inputs, isArray)?.shape ?? []
  if (loss && !batch.targets) throw new ArgumentError(`${name}: the loss needs batch.targets`)
  const targets = batch.targets ?? { data: new Float64Array(shape[0] ?? 0), shape: shape.slice(0, 1) }
  const whole: AnyBatch = batch.weights ? { inputs, targets, weights: batch.weights } : { inputs, targets }
  checkBatch(whole)
  return {
    make: model ?? ((device) => new Shifted(device, shape.slice(1))),
    loss: (loss as AnyLoss | undefined) ?? weightedSum,
    batch: whole,
    optimizer,
    fn: null,
    hasLoss: loss !== undefined,
  }
}

function ofFunction(call: Fn, inputs: Inputs, only: readonly number[] = inputs.map((_, i) => i)): Subject {
  const device = openVirtualDevice('reference')
  const points = inputs.map((input) => pointOf(device, input))
  return {
    make: (device) => new Applied(device, call, points, only),
    loss: meanOutput,
    batch: { inputs: { data: new Float64Array(1), shape: [1, 1] }, targets: { data: new Float64Array(1), shape: [1] } },
    optimizer: momentum,
    fn: { call, points, checked: only },
    hasLoss: false,
  }
}

/** Weights between -1 and 1, none 0, that differ from element to element. */
const weightOf = (i: number): number => (((i * 37) % 101) - 50.5) / 64

/** sum(c y) / N over all outputs. */
const weightedSum: AnyLoss = (output: Tensors): Tensor => {
  const sums = membersOf(output, isTensor).map(([, y]) => {
    const shape = y.shape.slice(1)
    const weights = Float64Array.from({ length: sizeOf(shape) }, (_, i) => weightOf(i))
    return mul(sum(mul(y, tensor(y.device, weights, shape))), 1 / y.shape[0])
  })
  return sums.reduce((total, each) => add(total, each))
}

/** The mean over samples of [N]. */
const meanOutput: AnyLoss = (output: Tensors): Tensor => {
  const y = firstOf(output, isTensor)
  return mul(sum(y), 1 / y.size)
}

/** The inputs of a loss, with a parameter added, so that there is something to learn. */
class Shifted extends Module {
  readonly shift: Parameter

  constructor(device: Device, shape: readonly number[]) {
    super(device)
    this.shift = new Parameter(device, shape)
  }

  forward(x: Tensor): Tensor {
    return add(x, this.shift)
  }
}

/** sum(c fn(inputs)) for every sample: the checked inputs are parameters. */
class Applied extends Module {
  readonly operands: readonly (Parameter | Buffer)[]

  constructor(
    device: Device,
    readonly call: Fn,
    points: readonly Point[],
    checked: readonly number[],
  ) {
    super(device)
    this.operands = points.map(({ shape, values }, i) =>
      checked.includes(i)
        ? new Parameter(device, shape, () => values)
        : new Buffer(device, shape, () => values, { constant: true }),
    )
  }

  forward(x: Tensor): Tensor {
    const y = this.call(...this.operands.map((each) => (each instanceof Buffer ? each.value : each)))
    const weights = Float64Array.from({ length: y.size }, (_, i) => weightOf(i))
    const value = sum(mul(y, tensor(x.device, weights, y.shape)))
    return add(mul(reshape(x, [x.shape[0]]), 0), value)
  }
}

/** A model with an optimizer and a streamer. */
export function trainer({ make, loss, optimizer }: Subject, device: Device, recompute: Recompute = 'cheap') {
  const model = allOrNothing(device, () => make(device))
  try {
    const rule = optimizer(model)
    try {
      const streamer = new Streamer({ model, loss, optimizer: rule, recompute } as StreamerOptions<unknown, unknown>)
      return {
        model,
        optimizer: rule,
        streamer,
        dispose(): void {
          streamer.dispose()
          rule.dispose()
          model.dispose()
        },
      }
    } catch (error) {
      rule.dispose()
      throw error
    }
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** Is it an array of numbers that a function can be differentiated by? */
const isContinuous = ({ data }: HostArray): boolean => data instanceof Float64Array || data instanceof Float32Array

/** A function with the names of its points. */
export interface Named extends Differentiable {
  readonly names: readonly string[]
}

/**
 * A model run by hand, in training mode: its loss, or its outputs where it has no loss of its own. Its points are its trained
 * parameters, then its inputs of real numbers.
 */
async function byHand({ loss, batch, hasLoss }: Subject, model: AnyModule): Promise<Named> {
  const { device } = model
  const parameters = [...model.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad)
  const names = parameters.map(([name]) => name)
  const points: Point[] = []
  for (const [, parameter] of parameters) points.push({ shape: parameter.shape, values: await parameter.data() })
  const inputs = membersOf(batch.inputs, isArray)
  for (const [key, array] of inputs) {
    const { data, shape, scale = 1 } = array
    if (!isContinuous(array)) continue
    names.push(key === null ? 'the input' : `input ${key}`)
    points.push({ shape, values: Float64Array.from(data, (value) => value * scale) })
  }
  const upload = (host: HostArray): Tensor =>
    tensor(
      device,
      Float64Array.from(host.data, (value) => value * (host.scale ?? 1)),
      host.shape,
    )
  const run = (at: readonly Point[]) => {
    parameters.forEach(([, parameter], i) => {
      device.upload(parameter.storage('check'), at[i].values)
    })
    const leaves: Tensor[] = parameters.map(([, parameter]) => parameter)
    const given = mapMembers(batch.inputs, isArray, (array) => {
      if (!isContinuous(array)) return upload(array)
      const { values, shape } = at[leaves.length]
      const leaf = tensor(device, Float64Array.from(values), shape)
      leaf.requiresGrad = true
      leaves.push(leaf)
      return leaf
    })
    const output = model.forward(...(Array.isArray(given) ? given : [given])) as Tensors
    if (!hasLoss) return { y: joined(output), leaves }
    const weights = batch.weights && { weights: upload(batch.weights) }
    return { y: loss(output, mapMembers(batch.targets, isArray, upload), weights), leaves }
  }
  return { device, points, names, run }
}

/** A function, or a training on a model that is made. */
export async function differentiableOf(subject: Subject, device: Device, model?: AnyModule): Promise<Named> {
  const { fn } = subject
  if (!fn) return byHand(subject, model ?? subject.make(device))
  const f = differentiable(device, (tensors) => fn.call(...tensors), fn.points, fn.checked)
  return { ...f, names: fn.checked.map((i) => `input ${i}`) }
}

/** All outputs in one tensor. */
function joined(output: Tensors): Tensor {
  const all = membersOf(output, isTensor).map(([, y]) => y)
  return all.length === 1
    ? all[0]
    : concat(
        all.map((y) => reshape(y, [-1])),
        0,
      )
}

/** [2, 1] for element 5 of a shape [3, 2]. */
export const indexOf = (shape: readonly number[], place: number): number[] =>
  stridesOf(shape).map((stride, axis) => Math.floor(place / stride) % shape[axis])
