/** Modules: their members, names and lifetimes; layers against PyTorch; the models. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { convnet, lenet, MODELS, mlp } from '../src/models/index.js'
import {
  AveragePool2d,
  allOrNothing,
  BatchNorm1d,
  BatchNorm2d,
  Buffer,
  Conv2d,
  ConvTranspose2d,
  Dropout,
  Embedding,
  Flatten,
  GELU,
  GroupNorm,
  generator,
  kaimingNormal,
  kaimingUniform,
  LayerNorm,
  LeakyReLU,
  Linear,
  MaxPool2d,
  Module,
  normal,
  Parameter,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  StateError,
  Tanh,
  uniform,
  xavierNormal,
  xavierUniform,
} from '../src/nn/index.js'
import { add, mul } from '../src/ops/binary.js'
import { slice } from '../src/ops/movement.js'
import { mse } from '../src/ops/point-loss.js'
import { sum } from '../src/ops/reduce.js'
import { noGrad } from '../src/ops/tape.js'
import { relu } from '../src/ops/unary.js'
import { sgd } from '../src/optim/index.js'
import { planOf, timelineOf } from '../src/step/pass.js'
import { scope } from '../src/step/scope.js'
import { Streamer } from '../src/stream/streamer.js'
import { standingTensor, tensor, zeros } from '../src/tensor/create.js'
import { ShapeError } from '../src/tensor/errors.js'
import { scope as frame } from '../src/tensor/scope.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { fc } from './property.js'

const SEED = { seed: 20241 }

const open = (memory = '1MiB'): Promise<Device> => openDevice('cpu', { memory })
const openExact = (): Promise<Device> => openDevice('reference', { memory: '1MiB' })

function expectClose(seen: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  assert.is(seen.length, wanted.length)
  wanted.forEach((value, i) =>
    assert.ok(Math.abs(seen[i] - value) <= tolerance, `element ${i}: ${seen[i]}, not ${value}`),
  )
}

const throwsA = (fn: () => unknown, type: new (...args: never[]) => Error, message = ''): void =>
  assert.throws(fn, (error: unknown) => error instanceof type && error.message.includes(message), message)

/** Every way in which a module can hold others. */
class Net extends Module {
  features = new Sequential(new Conv2d(this.device, 1, 2, 3), new ReLU(this.device), new BatchNorm2d(this.device, 2))
  blocks = [new Linear(this.device, 2, 2), new Linear(this.device, 2, 2, { bias: false })]
  scale = new Parameter(this.device, [3])
  norm = new LayerNorm(this.device, 4)
  table = new Embedding(this.device, 3, 2)
  head = new Head(this.device, this.table.weight, this)
  heads = { left: new Linear(this.device, 2, 1), right: [new Parameter(this.device, [1])] }
  byName = new Map([['up', new Linear(this.device, 1, 1, { bias: false })]])
  all = new Set([new LayerNorm(this.device, 1)])
  #notes = { weight: new Parameter(this.device, [1]) }

  forward(x: Tensor): Tensor {
    return x
  }

  disposeNotes(): void {
    this.#notes.weight.dispose()
  }
}

/** A module that shares its weight with another, and refers to the module that contains it. */
class Head extends Module {
  readonly bias: Parameter

  constructor(
    device: Device,
    readonly weight: Parameter,
    readonly parent: Module,
  ) {
    super(device)
    this.bias = new Parameter(device, [3])
  }

  forward(x: Tensor): Tensor {
    return x
  }
}

// The names are those of the same module in PyTorch, except that PyTorch would list its own parameters first:
//     class Net(torch.nn.Module):
//         features = Sequential(Conv2d(1, 2, 3), ReLU(), BatchNorm2d(2))
//         blocks = ModuleList([Linear(2, 2), Linear(2, 2, bias=False)]); scale = Parameter(zeros(3))
//         norm = LayerNorm(4); table = Embedding(3, 2); head = Linear(2, 3); head.weight = table.weight
//         heads = ModuleDict({ left: Linear(2, 1), right: ParameterList([...]) }); byName = ModuleDict({ up: ... })

test('names of parameters and buffers are those of PyTorch, in order of definition', async () => {
  const net = new Net(await open())
  assert.equal(
    [...net.namedParameters().keys()],
    [
      'features.0.weight',
      'features.0.bias',
      'features.2.weight',
      'features.2.bias',
      'blocks.0.weight',
      'blocks.0.bias',
      'blocks.1.weight',
      'scale',
      'norm.weight',
      'norm.bias',
      'table.weight',
      'head.bias',
      'heads.left.weight',
      'heads.left.bias',
      'heads.right.0',
      'byName.up.weight',
      'all.0.weight',
      'all.0.bias',
    ],
  )
  assert.equal(
    [...net.namedBuffers().keys()],
    ['features.2.running_mean', 'features.2.running_var', 'features.2.num_batches_tracked'],
  )
  const state = await net.stateDict()
  assert.equal(Object.keys(state), [...net.namedParameters().keys(), ...net.namedBuffers().keys()])
  assert.equal(state['features.0.weight'].shape, [2, 1, 3, 3])
  assert.equal(state['features.2.num_batches_tracked'], { shape: [], data: new Float32Array(1) })
})

test('a tied parameter is one leaf, under its first name; saved state may have its other names too', async () => {
  const net = new Net(await open())
  const { 'table.weight': first } = Object.fromEntries(net.namedParameters())
  assert.is(first, net.head.weight)
  assert.is(new Set(net.parameters()).size, net.parameters().length)
  const state = await net.stateDict()
  net.loadStateDict({ ...state, 'head.weight': { shape: [3, 2], data: [9, 9, 9, 9, 9, 9] } })
  assert.equal(await net.stateDict(), state)
})

test('state goes from one module to another', async () => {
  const device = await open()
  const [from, to] = [lenet(device, { seed: 1 }), lenet(device, { seed: 2 })]
  const state = await from.stateDict()
  assert.not.equal(await to.stateDict(), state)
  to.loadStateDict(state)
  assert.equal(await to.stateDict(), state)
})

test('loadStateDict names every fault, and then changes nothing', async () => {
  const net = new Net(await open())
  const before = await net.stateDict()
  const data = new Float32Array(1)
  const good = Object.fromEntries(
    Object.entries(before).map(([name, { shape }]) => [
      name,
      { shape, data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 5) },
    ]),
  )
  const { scale: _, ...missing } = good
  const faulty = {
    ...missing,
    'norm.bias': { shape: [2, 2], data: [1, 2, 3, 4] },
    'norm.weight': { shape: [4], data },
    extra: { shape: [1], data },
  }
  throwsA(
    () => net.loadStateDict(faulty),
    StateError,
    'loadStateDict: scale is missing; norm.weight has 1 values, which do not fill [4]; norm.bias is [2, 2], not [4]; extra is unexpected.',
  )
  throwsA(() => net.loadStateDict({}), StateError, 'head.bias is missing')
  assert.equal(await net.stateDict(), before)
  net.loadStateDict(good)
  assert.ok(Object.values(await net.stateDict()).every(({ data }) => data.every((value) => value === 5)))
})

test('train and eval reach every module', async () => {
  const net = new Net(await open())
  const modules = [net, net.features, ...net.features.layers, ...net.blocks, net.norm, net.table, net.head]
  assert.is(net.eval(), net)
  assert.ok(modules.every((module) => !module.training))
  net.train()
  assert.ok(modules.every((module) => module.training))
})

test('dispose gives every byte back', async () => {
  const device = await open()
  const net = new Net(device)
  for (const buffer of net.buffers()) buffer.shadow = standingTensor(device, buffer.value.shape, 'buffer')
  scope(device, () => backward(sum(mul(net.scale, 2))))
  net.dispose()
  net.disposeNotes()
  assert.is(device.memory.heldBytes, device.memory.held.runtime)
})

test('parameters belong to no scope, and are not drawn on a device without values', async () => {
  const device = await open()
  const layer = scope(device, () => {
    new Parameter(device, [1])
    return { layer: new Linear(device, 2, 2) }
  }).layer
  assert.ok(layer.weight.usable && layer.weight.requiresGrad)
  const draw = (): number[] => {
    throw new Error('drawn')
  }
  const virtual = openVirtualDevice('cpu')
  assert.is(new Parameter(virtual, [2], draw).size, 2)
  assert.is(virtual.memory.held.parameter, 64)
  planOf(device, () => new Parameter(device, [2], draw))
  assert.throws(() => new Parameter(device, [2], draw), /drawn/)
  throwsA(() => new Parameter(device, [2], () => [1]), ShapeError, '1 values do not fill [2]')
})

test('a layer that does not fit leaves nothing behind', async () => {
  const device = await open('64KiB')
  throwsA(() => lenet(device), BudgetExceededError)
  throwsA(() => new Linear(device, 8192, 2), BudgetExceededError)
  throwsA(() => new BatchNorm2d(device, 5000), BudgetExceededError)
  assert.is(device.memory.heldBytes, device.memory.held.runtime)
  const outer = (): unknown =>
    allOrNothing(device, () => [new Linear(device, 4, 4), new Buffer(device, [4]), new Linear(device, 8192, 2)])
  throwsA(outer, BudgetExceededError)
  assert.is(device.memory.heldBytes, device.memory.held.runtime)
})

// Sequential

/** Held activations at the worst moment of a forward without gradients. */
const peakOf = (device: Device, model: Module, shape: readonly number[]): number =>
  Math.max(
    ...timelineOf(
      planOf(device, () => scope(device, () => noGrad(device, () => model.forward(zeros(device, shape))).shape)),
      device.memory.held,
    ).map(({ held }) => held.activation),
  )

/** Keeps its input, as a user's module may do. */
class Tap extends Module {
  seen: Tensor | null = null

  forward(x: Tensor): Tensor {
    this.seen = x
    return relu(x)
  }
}

/** Keeps its input, and returns it. */
class Watch extends Module {
  seen: Tensor | null = null

  forward(x: Tensor): Tensor {
    this.seen = x
    return x
  }
}

const stack = (device: Device, ...middle: Module[]): Sequential =>
  new Sequential(new Linear(device, 16, 16), new ReLU(device), ...middle, new Linear(device, 16, 16), new ReLU(device))

const ONE = 16 * 16 * 4

test('a forward of any length holds two tensors at once, even if a module keeps its input', async () => {
  const device = await open()
  assert.is(peakOf(device, stack(device), [16, 16]), 2 * ONE)
  assert.is(peakOf(device, new Sequential(stack(device), stack(device), stack(device)), [16, 16]), 2 * ONE)
  const views = new Sequential(new Flatten(device), stack(device, new Flatten(device), new Dropout(device).eval()))
  assert.is(peakOf(device, views, [16, 4, 4]), 2 * ONE)
  assert.is(peakOf(device, stack(device, new Tap(device), new Watch(device)), [16, 16]), 2 * ONE)
})

test('Sequential does not free its input, nor its result', async () => {
  const device = await open()
  const x = zeros(device, [16, 16])
  const y = noGrad(device, () => stack(device).forward(x))
  assert.ok(x.usable && y.usable)
  assert.is(new Sequential(new Dropout(device).eval(), new Dropout(device).eval()).forward(x), x)
  const view = new Sequential(new Flatten(device), new Flatten(device)).forward(x)
  view.dispose()
  assert.ok(x.usable)
})

test('a gradient is the same in a scope, which frees early, and outside of one', async () => {
  const device = await open()
  const make = (): Sequential =>
    new Sequential(
      new Conv2d(device, 1, 2, 3, { padding: 1, random: generator(3) }),
      new BatchNorm2d(device, 2),
      new GELU(device),
      new MaxPool2d(device, 2),
      new Dropout(device).eval(),
      new Flatten(device),
      new Linear(device, 8, 3, { random: generator(4) }),
      new Tanh(device),
    )
  const images = Float32Array.from({ length: 2 * 16 }, (_, i) => ((i * 37) % 32) / 16 - 1)
  const gradients = await Promise.all(
    [scope, frame].map(async (within) => {
      const model = make()
      within(device, () => {
        const y = model.forward(tensor(device, images, [2, 1, 4, 4]))
        backward(sum(mul(y, y)))
      })
      return Promise.all(model.parameters().map(({ grad }) => grad?.data()))
    }),
  )
  assert.is(gradients[0].length, 6)
  assert.equal(gradients[0], gradients[1])
})

test('an empty Sequential is refused', () => throwsA(() => new Sequential(), ArgumentError, 'at least one'))

// Layers

test('Dropout drops in training and is the identity in evaluation', async () => {
  const device = await open()
  const layer = new Dropout(device, 0.5)
  const x = tensor(device, new Float32Array(1000).fill(1))
  const values = await layer.forward(x).data()
  assert.ok(values.every((value) => value === 0 || value === 2))
  const kept = values.filter((value) => value > 0).length
  assert.ok(kept > 400 && kept < 600, `${kept} kept`)
  assert.is(layer.eval().forward(x), x)
  assert.is(new Dropout(device, 0).forward(x), x)
  throwsA(() => new Dropout(device, 1), ArgumentError, 'rate 1')
})

// Literals below, from PyTorch 1.13:
//     bn = torch.nn.BatchNorm2d(2).double(); bn.weight = [2, 0.5]; bn.bias = [-1, 1]
//     x = torch.tensor([[[[1., 2.]], [[0., 4.]]], [[[3., 6.]], [[4., 8.]]]], dtype=torch.float64)
//     bn(x); bn(2 * x); bn.state_dict(); bn.eval()(x)
//     torch.nn.LayerNorm(4).double()(x.reshape(2, 4)); torch.nn.GroupNorm(2, 4).double()(x.reshape(2, 4))
const IMAGES = [1, 2, 0, 4, 3, 6, 4, 8]

function batchNorm(device: Device, policy: 'micro' | 'frozen' = 'micro'): BatchNorm2d {
  const layer = new BatchNorm2d(device, 2, { policy })
  layer.loadStateDict({
    weight: { shape: [2], data: [2, 0.5] },
    bias: { shape: [2], data: [-1, 1] },
    running_mean: { shape: [2], data: [0, 0] },
    running_var: { shape: [2], data: [1, 1] },
    num_batches_tracked: { shape: [], data: [0] },
  })
  return layer
}

test('BatchNorm2d trains and evaluates as in PyTorch', async () => {
  const device = await openExact()
  const layer = batchNorm(device)
  const x = tensor(device, IMAGES, [2, 2, 1, 2])
  expectClose(
    await layer.forward(x).data(),
    [-3.1380868808917475, -2.0690434404458737, 0.2928936607547764, 1, -1, 2.2071303213376203, 1, 1.7071063392452235],
    1e-12,
  )
  layer.forward(mul(x, 2))
  const state = await layer.stateDict()
  expectClose(state.running_mean.data, [0.87, 1.16], 1e-12)
  expectClose(state.running_var.data, [3.0966666666666667, 6.036666666666667], 1e-12)
  expectClose(state.num_batches_tracked.data, [2], 0)
  const evaluated = [
    -0.852250705059292, 0.284282332946155, 0.763936394473478, 1.5779488273235538, 1.420815370951602, 4.830414484967943,
    1.5779488273235538, 2.3919612601736295,
  ]
  expectClose(await layer.eval().forward(x).data(), evaluated, 1e-12)
  assert.equal(await layer.stateDict(), state)
})

test('BatchNorm1d is BatchNorm2d for [N, C] and [N, C, L]', async () => {
  const device = await openExact()
  const shapes: [number[], number[]][] = [
    [
      [4, 2],
      [4, 2, 1, 1],
    ],
    [
      [2, 2, 2],
      [2, 2, 1, 2],
    ],
  ]
  for (const [shape, images] of shapes) {
    const [flat, square] = [new BatchNorm1d(device, 2), batchNorm(device)]
    flat.loadStateDict(await square.stateDict())
    const y = flat.forward(tensor(device, IMAGES, shape))
    assert.equal(y.shape, shape)
    assert.equal(await y.data(), await square.forward(tensor(device, IMAGES, images)).data())
    assert.equal(await flat.stateDict(), await square.stateDict())
  }
  throwsA(() => new BatchNorm1d(device, 2).forward(tensor(device, IMAGES, [2, 2, 1, 2])), ShapeError, 'BatchNorm1d')
})

test('BatchNorm2d updates the shadow if there is one, and the value stays', async () => {
  const device = await openExact()
  const layer = batchNorm(device)
  const before = await layer.stateDict()
  for (const buffer of layer.buffers()) buffer.shadow = standingTensor(device, buffer.value.shape, 'buffer')
  layer.forward(tensor(device, IMAGES, [2, 2, 1, 2]))
  assert.equal(await layer.stateDict(), before)
  expectClose((await layer.runningMean.shadow?.data()) ?? [], [0.3, 0.4], 1e-12)
  expectClose((await layer.numBatchesTracked.shadow?.data()) ?? [], [1], 0)
})

test('a frozen BatchNorm2d trains with its running statistics, which do not change', async () => {
  const device = await openExact()
  const layer = batchNorm(device, 'frozen')
  const before = await layer.stateDict()
  const x = tensor(device, IMAGES, [2, 2, 1, 2])
  const trained = await layer.forward(x).data()
  assert.equal(await layer.stateDict(), before)
  assert.equal(await layer.eval().forward(x).data(), trained)
})

test('LayerNorm and GroupNorm agree with PyTorch', async () => {
  const device = await openExact()
  const x = tensor(device, IMAGES, [2, 4])
  const byLayer = [
    -0.5070913937723917, 0.16903046459079718, -1.1832132521355805, 1.5212741813171748, -1.1716986100846136,
    0.3905662033615378, -0.6509436722692299, 1.4320760789923055,
  ]
  const byGroup = [
    -0.9999800005999799, 0.9999800005999799, -0.9999987500023437, 0.9999987500023437, -0.9999977777851853,
    0.999997777785185, -0.999998750002344, 0.9999987500023435,
  ]
  expectClose(await new LayerNorm(device, 4).forward(x).data(), byLayer, 1e-12)
  expectClose(await new LayerNorm(device, [4], { affine: false }).forward(x).data(), byLayer, 1e-12)
  expectClose(await new GroupNorm(device, 2, 4).forward(x).data(), byGroup, 1e-12)
})

test('layers have the documented shapes', async () => {
  const device = openVirtualDevice('cpu')
  const cases: [Module, readonly number[], readonly number[]][] = [
    [new Linear(device, 3, 5), [2, 7, 3], [2, 7, 5]],
    [
      new Conv2d(device, 4, 6, [3, 1], { stride: 2, padding: [1, 0], groups: 2, bias: false }),
      [2, 4, 8, 8],
      [2, 6, 4, 4],
    ],
    [
      new ConvTranspose2d(device, 4, 6, [3, 2], { stride: 2, padding: [1, 0], outputPadding: [1, 0], groups: 2 }),
      [2, 4, 5, 5],
      [2, 6, 10, 10],
    ],
    [new Embedding(device, 9, 5), [2, 3], [2, 3, 5]],
    [new MaxPool2d(device, 2), [2, 3, 8, 6], [2, 3, 4, 3]],
    [new AveragePool2d(device, 3, { stride: 1, padding: 1 }), [2, 3, 8, 6], [2, 3, 8, 6]],
    [new Flatten(device), [2, 3, 4], [2, 12]],
    ...[
      new ReLU(device),
      new LeakyReLU(device, 0.1),
      new GELU(device),
      new SiLU(device),
      new Sigmoid(device),
      new Tanh(device),
    ].map((layer): [Module, readonly number[], readonly number[]] => [layer, [2, 3], [2, 3]]),
  ]
  for (const [layer, from, to] of cases) {
    assert.equal(layer.forward(zeros(device, from)).shape, to, layer.constructor.name)
  }
})

test('layers refuse sizes that make no sense', async () => {
  const device = await open()
  throwsA(() => new Linear(device, 0, 3), ShapeError, '[3, 0]')
  throwsA(() => new Conv2d(device, 3, 4, 3, { groups: 2 }), ArgumentError, '2 groups do not divide 3 and 4 channels')
  throwsA(() => new ConvTranspose2d(device, 3, 4, 3, { groups: 2 }), ArgumentError, 'ConvTranspose2d: 2 groups')
  throwsA(() => new Conv2d(device, 3, 4, 0), ArgumentError, 'kernel')
  throwsA(() => new GroupNorm(device, 3, 4), ArgumentError, '3 groups')
  throwsA(() => new BatchNorm2d(device, 4, { momentum: 2 }), ArgumentError, 'momentum 2')
  assert.is(device.memory.heldBytes, device.memory.held.runtime)
})

// Initial values

test('a dilated window that would see padding only is refused; the same image with a larger side is not', async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  const pool = new MaxPool2d(device, 2, { padding: 1, dilation: [1, 3] })
  throwsA(() => pool.forward(zeros(device, [1, 1, 2, 2])), ShapeError, 'sees no number along axis 3 of [1, 1, 2, 2]')
  throwsA(() => new MaxPool2d(device, 2, { dilation: 0 }), ArgumentError, 'MaxPool2d: dilation 0')
  assert.equal(pool.forward(zeros(device, [1, 1, 2, 3])).shape, [1, 1, 2, 1])
})

test('a constant buffer is saved and loaded, has no shadow in a training, and refuses to be a target', async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  class Shifted extends Module {
    readonly linear = new Linear(this.device, 2, 2)
    readonly shift: Buffer

    constructor(device: Device, constant: boolean) {
      super(device)
      this.shift = new Buffer(device, [100, 2], () => new Float64Array(200).fill(3), { constant })
    }

    forward(x: Tensor): Tensor {
      return add(this.linear.forward(x), slice(this.shift.value, [0], [1]))
    }
  }
  const held = (constant: boolean): number => {
    const model = new Shifted(device, constant)
    const before = device.memory.heldBytes
    const streamer = new Streamer({ model, loss: mse, optimizer: sgd(model, { learningRate: 0.1 }) })
    const bytes = device.memory.heldBytes - before
    streamer.dispose()
    return bytes
  }
  assert.is(held(false) - held(true), 200 * 8)
  const model = new Shifted(device, true)
  const streamer = new Streamer({ model, loss: mse, optimizer: sgd(model, { learningRate: 0.1 }) })
  const batch = {
    inputs: { data: Float64Array.of(1, 2), shape: [1, 2] },
    targets: { data: new Float64Array(2), shape: [1, 2] },
  }
  const { peakBytes, plannedPeakBytes } = await streamer.step(batch)
  assert.is(peakBytes, plannedPeakBytes)
  const state = await model.stateDict()
  assert.is(state.shift.data[199], 3)
  model.loadStateDict({ ...state, shift: { shape: [100, 2], data: new Float64Array(200).fill(4) } })
  assert.is((await model.shift.value.data())[0], 4)
  throwsA(() => model.shift.target, StateError, 'constant')
  throwsA(
    () => new Buffer(device, [1], null, { persistent: false } as object),
    ArgumentError,
    "there is no option 'persistent'",
  )
})

test('same-shaped layers differ, and a seed draws the same on every device', async () => {
  const devices = [await open(), await open(), await openExact()]
  const drawn = await Promise.all(
    devices.map(async (device) => [
      ...(await new Linear(device, 3, 2).weight.data()),
      ...(await new Linear(device, 3, 2).weight.data()),
    ]),
  )
  assert.not.equal(drawn[0].slice(0, 6), drawn[0].slice(6))
  assert.equal(drawn[1], drawn[0])
  assert.equal(drawn[2], drawn[0])
})

test('uniform draws keep within their bounds', () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 4 })
  fc.assert(
    fc.property(shapes, fc.nat(), (shape, seed) => {
      const random = generator(seed)
      const fanIn = shape.slice(1).reduce((a, b) => a * b, 1)
      const fanOut = (fanIn / shape[1]) * shape[0]
      const within = (values: Float32Array, bound: number): boolean =>
        values.every((value) => Math.abs(value) <= Math.fround(bound))
      assert.ok(within(kaimingUniform(shape, random), 1 / Math.sqrt(fanIn)))
      assert.ok(within(kaimingUniform(shape, random, 0), Math.sqrt(6 / fanIn)))
      assert.ok(within(xavierUniform(shape, random, 2), 2 * Math.sqrt(6 / (fanIn + fanOut))))
    }),
    SEED,
  )
})

test('draws have the documented moments', () => {
  // 20,000 draws: the deviation is within 3 % except with a probability of 1e-9, and the seed is fixed
  const shape = [100, 200]
  const random = generator(7)
  const cases: [Float32Array, number, number][] = [
    [normal(shape, random, 3, 2), 3, 2],
    [uniform(shape, random, -1, 2), 0.5, 3 / Math.sqrt(12)],
    [kaimingUniform(shape, random), 0, 1 / Math.sqrt(3 * 200)],
    [kaimingNormal(shape, random), 0, Math.sqrt(2 / 200)],
    [xavierUniform(shape, random), 0, Math.sqrt(2 / 300)],
    [xavierNormal(shape, random), 0, Math.sqrt(2 / 300)],
  ]
  for (const [values, mean, deviation] of cases) {
    const average = values.reduce((a, b) => a + b, 0) / values.length
    const spread = Math.sqrt(values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length)
    assert.ok(Math.abs(average - mean) < 0.05 * deviation, `mean ${average}`)
    assert.ok(Math.abs(spread / deviation - 1) < 0.03, `deviation ${spread}, not ${deviation}`)
  }
})

// Models

test('every classifier takes its own input shape and returns its number of classes', async () => {
  const device = await open('16MiB')
  for (const [name, { samples, takes, build }] of Object.entries(MODELS)) {
    if (samples[0] !== 'class' || name === 'resnet101') continue
    const width = takes.includes('width') ? { width: 2 } : { filters: 8, layers: 3 }
    const sides = { vgg16: [[32, 32], [45, 33]], amoebanet: [[8, 8], [12, 8]] }[name] ?? [[8, 8], [13, 9]] // biome-ignore format: a row each
    for (const [inputShape, classes] of [
      [[1, ...sides[0]], 10],
      [[3, ...sides[1]], 4],
    ] as const) {
      const made = (seed?: number): Module => build(device, { ...width, inputShape, classes, seed })
      const model = made(1)
      assert.equal(model.inputShape, inputShape, name)
      const shape = scope(device, () => model.forward(zeros(device, [2, ...inputShape])).shape)
      assert.equal(shape, [2, classes], name)
      const fresh = await made(1).stateDict()
      const buffers = [...model.namedBuffers().keys()]
      const learned = (state: object) => Object.entries(state).filter(([key]) => !buffers.includes(key))
      assert.equal(learned(fresh), learned(await model.stateDict()), name)
      assert.not.equal(await made().stateDict(), fresh, name)
    }
  }
})

test('models have the documented layers', () => {
  const device = openVirtualDevice('cpu')
  const count = (model: Module): number => model.parameters().reduce((total, { size }) => total + size, 0)
  assert.is(count(mlp(device)), 64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10)
  assert.is(count(mlp(device, { inputShape: [5], hidden: [], classes: 2 })), 12)
  assert.is(count(lenet(device)), 25 * 16 + 16 + 25 * 16 * 32 + 32 + 128 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10)
  assert.is(count(convnet(device, { inputShape: [1, 28, 28] })), 9 * 16 + 16 + 9 * 16 * 32 + 32 + 1568 * 10 + 10)
  throwsA(() => lenet(device, { inputShape: [1, 7, 8] }), ShapeError, 'lenet: inputShape [1, 7, 8]')
  throwsA(() => lenet(device, { inputShape: [64] }), ShapeError, 'at least 8 x 8')
  throwsA(() => mlp(device, { hidden: [0] }), ShapeError)
})

test.run()
