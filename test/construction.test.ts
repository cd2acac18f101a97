/**
 * A constructor that fails leaves nothing behind: not a byte, not a gradient, not a hole. Each constructor of the
 * library runs again and again; each time a later allocation, kernel, upload or random draw fails, until none does.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  crossEntropy,
  fromHost,
  full,
  models,
  nn,
  ones,
  optim,
  rand,
  randn,
  ScopeError,
  Streamer,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js'
import { Fault, FaultyDevice } from './devices.js'
import { batchNormModel, denseModel, TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

type Make = (device: FaultyDevice, random: nn.Random) => unknown

/** Every module, by the name under which it is exported. */
const MODULES: Record<string, Make> = {
  AdaptiveAveragePool2d: (device) => new nn.AdaptiveAveragePool2d(device, 2),
  AveragePool1d: (device) => new nn.AveragePool1d(device, 2),
  AveragePool2d: (device) => new nn.AveragePool2d(device, 2),
  BatchNorm1d: (device) => new nn.BatchNorm1d(device, 3),
  BatchNorm2d: (device) => new nn.BatchNorm2d(device, 3),
  Conv1d: (device, random) => new nn.Conv1d(device, 2, 3, 3, { random }),
  Conv2d: (device, random) => new nn.Conv2d(device, 2, 3, 3, { random }),
  ConvTranspose2d: (device, random) => new nn.ConvTranspose2d(device, 2, 3, 3, { random }),
  Dropout: (device) => new nn.Dropout(device),
  ELU: (device) => new nn.ELU(device),
  Embedding: (device, random) => new nn.Embedding(device, 3, 4, { random }),
  Flatten: (device) => new nn.Flatten(device),
  GRU: (device, random) => new nn.GRU(device, 3, 2, { layers: 2, random }),
  GELU: (device) => new nn.GELU(device),
  GroupNorm: (device) => new nn.GroupNorm(device, 2, 4),
  Hardsigmoid: (device) => new nn.Hardsigmoid(device),
  Hardswish: (device) => new nn.Hardswish(device),
  Identity: (device) => new nn.Identity(device),
  LSTM: (device, random) => new nn.LSTM(device, 3, 2, { bidirectional: true, random }),
  LayerNorm: (device) => new nn.LayerNorm(device, [2, 3]),
  LeakyReLU: (device) => new nn.LeakyReLU(device),
  Linear: (device, random) => new nn.Linear(device, 3, 2, { random }),
  LogSoftmax: (device) => new nn.LogSoftmax(device),
  MaxPool1d: (device) => new nn.MaxPool1d(device, 2),
  MaxPool2d: (device) => new nn.MaxPool2d(device, 2),
  Mish: (device) => new nn.Mish(device),
  MultiheadAttention: (device, random) => new nn.MultiheadAttention(device, 4, 2, { random }),
  RMSNorm: (device) => new nn.RMSNorm(device, [2, 3]),
  ReLU: (device) => new nn.ReLU(device),
  ReLU6: (device) => new nn.ReLU6(device),
  Sequential: (device, random) =>
    nn.allOrNothing(
      device,
      () => new nn.Sequential(new nn.Linear(device, 2, 3, { random }), new nn.BatchNorm2d(device, 3)),
    ),
  SiLU: (device) => new nn.SiLU(device),
  Softmax: (device) => new nn.Softmax(device),
  Softplus: (device) => new nn.Softplus(device),
  Sigmoid: (device) => new nn.Sigmoid(device),
  Tanh: (device) => new nn.Tanh(device),
  Upsample: (device) => new nn.Upsample(device, { scale: 2 }),
  TransformerBlock: (device, random) => new nn.TransformerBlock(device, 4, 2, { feedForward: 3, random }),
}

const SMALL = { inputShape: [3, 8, 8], classes: 2 }

const MODELS: Record<string, Make> = {
  amoebanet: (device) => models.amoebanet(device, { ...SMALL, layers: 3, filters: 8 }),
  gpt: (device) => models.gpt(device, { vocabulary: 3, context: 2, width: 4, heads: 2, layers: 2 }),
  lstm: (device) => models.lstm(device, { vocabulary: 3, context: 2, width: 4, layers: 2 }),
  mobilenet: (device) => models.mobilenet(device, { ...SMALL, width: 1 }),
  resnet18: (device) => models.resnet18(device, { ...SMALL, width: 1 }),
  resnet34: (device) => models.resnet34(device, { ...SMALL, width: 1 }),
  resnet50: (device) => models.resnet50(device, { ...SMALL, width: 1 }),
  resnet101: (device) => models.resnet101(device, { ...SMALL, width: 1 }),
  unet: (device) => models.unet(device, { ...SMALL, width: 1, levels: 2 }),
  vgg16: (device) => models.vgg16(device, { inputShape: [3, 32, 32], width: 1, batchNorm: 'micro' }),
  convnet: (device) => models.convnet(device, { inputShape: [1, 4, 4], classes: 2 }),
  lenet: (device) => models.lenet(device, { inputShape: [1, 8, 8], classes: 2 }),
  mlp: (device) => models.mlp(device, { inputShape: [4], hidden: [3, 2], classes: 2 }),
  transformer: (device) => models.transformer(device, { vocabulary: 3, context: 2, width: 4, heads: 2, layers: 2 }),
}

const TENSORS: Record<string, Make> = {
  tensor: (device) => tensor(device, Float32Array.of(1, 2)),
  'tensor, nested': (device) => tensor(device, [[1], [2]]),
  'tensor, a number': (device) => tensor(device, 1),
  fromHost: (device) => fromHost(device, { data: Uint8Array.of(1, 2), shape: [2], scale: 0.5 }),
  zeros: (device) => zeros(device, [3]),
  ones: (device) => ones(device, [3]),
  full: (device) => full(device, [3], 2),
  rand: (device) => rand(device, [3]),
  randn: (device) => randn(device, [3, 2]),
  Parameter: (device, random) => new nn.Parameter(device, [3], () => nn.uniform([3], random)),
  Buffer: (device) => new nn.Buffer(device, [3]),
}

class Own extends nn.Module {
  first: nn.Linear
  rest: nn.Module[]
  count: nn.Buffer

  constructor(device: FaultyDevice, random: nn.Random) {
    super(device)
    this.first = new nn.Linear(device, 4, 4, { random })
    this.rest = [new nn.LayerNorm(device, 4), new nn.TransformerBlock(device, 4, 1, { feedForward: 2, random })]
    this.count = new nn.Buffer(device, [])
  }

  forward(x: Tensor): Tensor {
    return this.first.forward(x)
  }
}

/** Objects that are made for an existing model. */
const FOR_MODELS: Record<string, (model: nn.Module) => unknown> = {
  sgd: (model) => optim.sgd(model),
  'sgd with momentum and clipping': (model) => optim.sgd(model, { momentum: 0.9, clipNorm: 1 }),
  adam: (model) => optim.adam(model, { clipNorm: 1 }),
  adamw: (model) => optim.adamw(model),
  'rmsprop with all moments': (model) => optim.rmsprop(model, { momentum: 0.9, centered: true, clipValue: 1 }),
  'groups of two optimizers in one allOrNothing': (model) =>
    nn.allOrNothing(model.device, () => {
      const [first, ...rest] = model.parameters()
      return [optim.adam([{ parameters: rest }]), optim.sgd([{ parameters: [first] }], { momentum: 0.5 })]
    }),
  'optimizer and Streamer in one allOrNothing': (model) =>
    nn.allOrNothing(
      model.device,
      () => new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model, { clipNorm: 1 }) }),
    ),
}

const open = (): FaultyDevice => new FaultyDevice('cpu', 1 << 20)

/** A random generator that can fail too. */
const drawing = ({ countdown }: FaultyDevice): nn.Random => {
  const random = nn.generator(1)
  return () => {
    countdown.tick()
    return random()
  }
}

/** The state that a failure must not change. */
function survey(device: FaultyDevice, model?: nn.Module) {
  const { held } = device.memory
  return {
    held,
    signature: device.allocator.signature(),
    gradients: model?.parameters().map(({ grad }) => grad),
    shadows: model?.buffers().map(({ shadow }) => shadow),
  }
}

/** Fail at each point in turn, until `make` succeeds. @returns the number of failures */
function failEach(device: FaultyDevice, make: () => unknown, model?: nn.Module): number {
  const before = survey(device, model)
  for (let n = 1; ; n++) {
    device.countdown.remaining = n
    let failure: unknown = null
    try {
      make()
    } catch (error) {
      failure = error
    }
    const used = device.countdown.remaining > 0
    device.countdown.remaining = Infinity
    if (failure === null) {
      assert.ok(used, 'a failure was swallowed')
      return n - 1
    }
    assert.instance(failure, Fault)
    const after = survey(device, model)
    assert.equal(after.held, before.held, `failure ${n}`)
    assert.is(after.signature, before.signature, `failure ${n}`)
    before.gradients?.forEach((grad, i) => assert.is(after.gradients?.[i], grad, `failure ${n}: gradient ${i}`))
    before.shadows?.forEach((shadow, i) => assert.is(after.shadows?.[i], shadow, `failure ${n}: shadow ${i}`))
  }
}

test('the tables know every module and every model', () => {
  const modules = Object.entries(nn).filter(([, value]) => Object.prototype.isPrototypeOf.call(nn.Module, value))
  assert.equal(modules.map(([name]) => name).sort(), Object.keys(MODULES).sort())
  const builders = Object.entries(models).filter(([name, value]) => typeof value === 'function' && name !== 'maskLoss')
  assert.equal(builders.map(([name]) => name).sort(), Object.keys(MODELS).sort())
  for (const name of ['sgd', 'adam', 'adamw', 'rmsprop with all moments']) assert.ok(name in FOR_MODELS)
})

for (const [name, make] of Object.entries({ ...MODULES, ...MODELS, ...TENSORS })) {
  test(`${name}: nothing is left after any failure`, () => {
    const device = open()
    const held = device.memory.heldBytes
    const failures = failEach(device, () => make(device, drawing(device)))
    // a constructor that holds memory can fail twice: when it allocates, and when it writes
    assert.ok(device.memory.heldBytes === held || failures >= 2, `${failures} failures`)
  })
}

test("a user's module in allOrNothing: nothing is left after any failure", () => {
  const device = open()
  const random = drawing(device)
  assert.ok(failEach(device, () => nn.allOrNothing(device, () => new Own(device, random))) > 60)
})

test('a constructor of the library that fails frees only what it made', () => {
  const device = open()
  const before = new nn.Linear(device, 2, 2)
  const held = device.memory.heldBytes
  failEach(device, () => new nn.Linear(device, 3, 3))
  assert.is.not(device.memory.heldBytes, held)
  assert.not(before.weight.disposed)
  assert.throws(
    () => nn.allOrNothing(device, async () => new nn.Linear(device, 2, 2)),
    (error: unknown) => error instanceof ScopeError,
  )
})

for (const [name, make] of Object.entries(FOR_MODELS)) {
  test(`${name}: bytes, gradients and shadows are as before after any failure`, () => {
    const device = open()
    const model = batchNormModel(device)
    // one parameter has a gradient, and another had one that was disposed
    const [with0, had] = model.parameters()
    with0.grad = zeros(device, with0.shape)
    had.grad = zeros(device, had.shape)
    had.grad.dispose()
    assert.ok(failEach(device, () => make(model), model) >= 2 * (model.parameters().length - 1))
  })
}

test('a Streamer: bytes, gradients and shadows are as before after any failure', () => {
  const device = open()
  const model = batchNormModel(device)
  const frozen = model.parameters()[0]
  frozen.requiresGrad = false
  const optimizer = optim.sgd(model)
  frozen.requiresGrad = true
  const failures = failEach(device, () => new Streamer({ model, loss: crossEntropy, optimizer }), model)
  // the loss, the gradient that is missing, and a shadow for each buffer
  assert.ok(failures >= 2 * (1 + 1 + model.buffers().length), `${failures} failures`)
})

test('a second Streamer that fails leaves the first its shadows', async () => {
  const device = open()
  const model = batchNormModel(device)
  const optimizer = optim.sgd(model)
  const first = new Streamer({ model, loss: crossEntropy, optimizer })
  failEach(device, () => new Streamer({ model, loss: crossEntropy, optimizer }), model)
  assert.is(first.plan({ batch: 4, inputShape: [2, 4, 4] }).batch, 4)
})

/** Any stack of layers, with an optimizer and a Streamer, made at once; one of the first 60 operations fails. */
test('nothing is left of a whole training that does not fit, for any model and budget', () => {
  const layers = fc.array(fc.constantFrom('Linear', 'LayerNorm', 'MultiheadAttention', 'TransformerBlock', 'Own'), {
    minLength: 1,
    maxLength: 4,
  })
  const optimizers = fc.constantFrom<(model: nn.Module) => optim.Optimizer>(
    (model) => optim.sgd(model),
    (model) => optim.sgd(model, { momentum: 0.9 }),
    (model) => optim.adam(model, { clipNorm: 1 }),
  )
  fc.assert(
    fc.property(layers, optimizers, fc.nat(), (names, optimizerOf, at) => {
      const device = open()
      const other = denseModel(device)
      const before = survey(device, other)
      const random = nn.generator(1)
      const makeLayer = (name: string): nn.Module =>
        name === 'Own' ? new Own(device, random) : (MODULES[name](device, random) as nn.Module)
      const train = () =>
        nn.allOrNothing(device, () => {
          const model = new nn.Sequential(...names.map(makeLayer))
          return new Streamer({ model, loss: crossEntropy, optimizer: optimizerOf(model) })
        })
      device.countdown.remaining = 1 + (at % 60)
      let made: unknown = null
      try {
        made = train()
      } catch (error) {
        assert.instance(error, Fault)
      }
      device.countdown.remaining = Infinity
      if (made === null) assert.equal(survey(device, other), before)
    }),
    { seed: 18, numRuns: 100 * TEST_RUNS },
  )
})

test.run()
