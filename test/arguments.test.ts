/**
 * What JavaScript users may type: a wrong option, a wrong type or a call written as in another library is a typed error
 * that names what was wrong and what to write, and leaves no byte. The cases are those that people met.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward, zeroGrad } from '../src/autograd/backward.js'
import { checkGradient } from '../src/autograd/gradcheck.js'
import * as data from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import * as files from '../src/files/index.js'
import * as sluice from '../src/index.js'
import { save } from '../src/io/index.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { ArgumentError, SluiceError } from '../src/memory/errors.js'
import { foreignName } from '../src/memory/foreign.js'
import { describeMemory } from '../src/memory/report.js'
import { drawTimeline } from '../src/memory/timeline.js'
import * as models from '../src/models/index.js'
import * as nn from '../src/nn/index.js'
import { Parameter } from '../src/nn/index.js'
import { planOf } from '../src/step/pass.js'
import { keep, liveTensors } from '../src/tensor/scope.js'
import '../src/ops/chain.js'
import { ops } from '../src/ops/table.js'
import { noGrad } from '../src/ops/tape.js'
import * as optim from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { largestThatFits } from '../src/stream/largest.js'
import { Streamer } from '../src/stream/streamer.js'
import { full, ones, requireGrad, tensor, zeros } from '../src/tensor/create.js'
import { DeviceMismatchError, ShapeError } from '../src/tensor/errors.js'
import { Tensor } from '../src/tensor/tensor.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

/** A function as JavaScript sees it: it takes anything. */
type Untyped = (...given: readonly unknown[]) => unknown

const untyped = (call: unknown): Untyped => {
  assert.type(call, 'function')
  return call as Untyped
}

const method =
  (x: Tensor, name: string): Untyped =>
  (...given) =>
    untyped(Reflect.get(x, name)).apply(x, [...given])

test('whatever an op is given, it returns tensors or throws a typed error', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const images = zeros(device, [1, 2, 3, 3])
  const standing = device.memory.heldBytes
  const junk = fc.oneof(
    fc.constantFrom<unknown>(undefined, null, true, 0, 1, -1, 0.5, Number.NaN, '1', '', [], {}, () => 0, Symbol('x')),
    fc.constantFrom<unknown>([1], [[1, 1]], [0, 1], 2n, Promise.resolve(1), new Map(), Float32Array.of(1), device),
    fc.constantFrom<unknown>({ axes: 1 }, { axis: 1 }, { kernel: 2 }, { stride: 'a' }, { weights: [1] }, { eps: null }),
    fc.constantFrom<unknown>({ padding: [1] }, { mask: 3 }, { running: {} }, { frozen: { mean: images } }),
    fc.constant(images),
  )
  await fc.assert(
    fc.property(fc.constantFrom(...Object.entries(ops)), fc.array(junk, { maxLength: 6 }), ([name, op], given) => {
      scope(device, () => {
        try {
          for (const made of [untyped(op)(...given)].flat()) assert.instance(made, Tensor, name)
        } catch (error) {
          assert.instance(error, SluiceError, `${name}: ${error}`)
          assert.ok(error instanceof SluiceError && error.message.startsWith(name), `${name}: ${error}`)
        }
      })
      assert.is(device.memory.heldBytes, standing)
    }),
    { seed: 41, numRuns: 5000 * TEST_RUNS },
  )
})

/** Functions that write the file or open the device that they are given. */
const ACTING = ['save', 'saveCheckpoint', 'openDevice']

test('whatever an exported function is given, it works or throws a typed error', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const images = zeros(device, [1, 2, 3, 3])
  const junk = fc.oneof(
    fc.constantFrom<unknown>(undefined, null, true, 0, 1, -1, 0.5, Number.NaN, '1', '', [], {}, () => 0, Symbol('x')),
    fc.constantFrom<unknown>([1], [[1, 1]], 2n, Promise.resolve(1), new Map(), Float32Array.of(1), device, images),
    fc.constantFrom<unknown>({ axes: 1 }, { size: 4 }, { inputs: [] }, { seed: 'a' }, new Uint8Array(9), data.digits()),
  )
  const { nn, optim, models, metrics, data: sets } = sluice
  const named = Object.entries({ ...sluice, ...nn, ...optim, ...models, ...metrics, ...sets, ...files })
  const functions = named.filter(
    ([name, value]) => typeof value === 'function' && !/^class /.test(`${value}`) && !ACTING.includes(name),
  )
  for (const [name, exported] of functions) {
    await fc.assert(
      fc.asyncProperty(fc.array(junk, { maxLength: 3 }), async (given) => {
        try {
          await untyped(exported)(...given)
        } catch (error) {
          assert.instance(error, SluiceError, `${name}: ${error}`)
        }
      }),
      { seed: 43, numRuns: 40 * TEST_RUNS, examples: [[[]]] },
    )
  }
})

/** Each call, and what its error has to say. */
type Refusals = Readonly<Record<string, readonly [call: (device: Device) => unknown, says: RegExp]>>

async function check(refusals: Refusals, Class: new (message: string) => SluiceError = ArgumentError): Promise<void> {
  for (const [name, [call, says]] of Object.entries(refusals)) {
    const device = openVirtualDevice('cpu', { memory: '1MiB' })
    const { heldBytes } = device.memory
    const error = await errorOf(() => scope(device, () => call(device)))
    assert.instance(error, Class, `${name}: ${error}`)
    assert.match(String(error), says, name)
    assert.is(device.memory.heldBytes, heldBytes, name)
  }
}

const x = (device: Device): Tensor => zeros(device, [2, 3])
const image = (device: Device): Tensor => zeros(device, [1, 1, 4, 4])

test('an unknown option is refused with the name that is meant', () =>
  check({
    'sum({ axis })': [
      (d) => untyped(ops.sum)(x(d), { axis: 1 }),
      /sum: there is no option 'axis' \(do you mean axes\?\); .*axes, keepDims/,
    ],
    'sum({ dim })': [(d) => method(x(d), 'sum')({ dim: 1 }), /do you mean axes/],
    'sum(1, { keepdim })': [(d) => method(x(d), 'sum')(1, { keepdim: true }), /do you mean keepDims/],
    'variance({ unbiased })': [(d) => method(x(d), 'variance')({ unbiased: false }), /do you mean correction/],
    'argmax({ axis })': [(d) => method(x(d), 'argmax')({ axis: 1 }), /do you mean axes/],
    'conv2d({ strides })': [
      (d) => untyped(ops.conv2d)(image(d), image(d), null, { strides: 2 }),
      /conv2d: .*'strides' \(do you mean stride\?\)/,
    ],
    'conv2d({ pad })': [(d) => untyped(ops.conv2d)(image(d), image(d), null, { pad: 2 }), /do you mean padding/],
    'maxPool2d({ returnIndices })': [
      (d) => method(image(d), 'maxPool2d')({ kernel: 2, returnIndices: true }),
      /'returnIndices'; the options are kernel, stride, padding, ceilMode/,
    ],
    'maxPool2d({ kernel_size })': [(d) => method(image(d), 'maxPool2d')({ kernel_size: 2 }), /do you mean kernel\?/],
    'mse({ reduction })': [
      (d) => untyped(ops.mse)(x(d), x(d), { reduction: 'batchmean' }),
      /mse: reduction is 'batchmean'; it must be/,
    ],
    'crossEntropy({ weight })': [
      (d) => untyped(ops.crossEntropy)(x(d), zeros(d, [2]), { weight: zeros(d, [3]) }),
      /do you mean weights/,
    ],
    'crossEntropy({ label_smoothing })': [
      (d) => untyped(ops.crossEntropy)(x(d), zeros(d, [2]), { label_smoothing: 0.1 }),
      /do you mean labelSmoothing/,
    ],
    'layerNorm({ epsilon })': [(d) => untyped(ops.layerNorm)(x(d), null, null, { epsilon: 1 }), /do you mean eps/],
    'attention({ is_causal })': [
      (d) => untyped(ops.scaledDotProductAttention)(x(d), x(d), x(d), { is_causal: true }),
      /do you mean causal/,
    ],
  }))

test('a wrong type is refused with the name of the argument and what it must be', () =>
  check({
    "pow(x, '2')": [
      (d) => untyped(ops.pow)(x(d), '2'),
      /pow: exponent is '2'; it must be a number or a tensor, such as tensor\(device, \[1, 2\]\)/,
    ],
    'add([1, 2])': [
      (d) => method(x(d), 'add')([1, 2]),
      /add: b is an array; it must be a number or a tensor, such as tensor\(device, \[1, 2\]\)/,
    ],
    'reshape(3, 2)': [(d) => method(x(d), 'reshape')(3, 2), /reshape: shape is 3; it must be a list, such as \[2, 3\]/],
    'slice(0, 1)': [(d) => method(x(d), 'slice')(0, 1), /slice: starts is 0; it must be a list/],
    'slice with a fourth argument': [
      (d) => method(x(d), 'slice')([0], [1], [1]),
      /slice: there are 4 arguments, and it takes \(x, starts, ends\)/,
    ],
    'concat(a, b)': [
      (d) => untyped(ops.concat)(x(d), x(d)),
      /concat: tensors is a Tensor; it must be a list of tensors, such as \[a, b\]/,
    ],
    'maxPool2d(x, 2)': [
      (d) => method(image(d), 'maxPool2d')(2),
      /maxPool2d: options is 2; it must be an object, \{ kernel, stride, padding, ceilMode, dilation \}/,
    ],
    'maxPool2d(x)': [(d) => method(image(d), 'maxPool2d')(), /maxPool2d: options is undefined; it must be an object/],
    'attention(q, k, v, null, options)': [
      (d) => untyped(ops.scaledDotProductAttention)(x(d), x(d), x(d), null, { causal: true }),
      /options is null; it must be an object, \{ causal, mask, scale, dropout \}/,
    ],
    'matmul(a, b, true)': [(d) => method(x(d), 'matmul')(x(d), true), /matmul: options is true; it must be an object/],
    'clamp(x, 0)': [(d) => method(x(d), 'clamp')(0), /clamp: high is undefined; it must be a number/],
    'dropout({ p })': [(d) => method(x(d), 'dropout')({ p: 0.5 }), /dropout: rate is an object; it must be a number/],
    'softmax({ axis })': [
      (d) => method(x(d), 'softmax')({ axis: 1 }),
      /softmax: axis is an object; it must be a number/,
    ],
    'permute(1, 0)': [(d) => method(x(d), 'permute')(1, 0), /permute: axes is 1; it must be a list/],
    'crossEntropy(logits, targets, weights)': [
      (d) => untyped(ops.crossEntropy)(x(d), zeros(d, [2]), zeros(d, [2])),
      /options is a Tensor; it must be an object/,
    ],
    'add(x, promise)': [
      (d) => untyped(ops.add)(x(d), Promise.resolve(x(d))),
      /b is a Promise; it must be .*: await it first/,
    ],
    "sum('1')": [
      (d) => method(x(d), 'sum')('1'),
      /sum: axes is '1'; it must be a number or a list of axes or an object, \{ axes, keepDims \}/,
    ],
    'argmax([0, 1])': [(d) => method(x(d), 'argmax')([0, 1]), /argmax: axes must be one axis/],
  }))

test('reductions take a number, a list or options for the axes', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const x = tensor(device, [
    [1, 5, 3],
    [6, 2, 4],
  ])
  assert.equal(await x.sum(1).array(), [9, 12])
  assert.equal(await x.sum({ axes: 1 }).array(), [9, 12])
  assert.equal(await x.sum(1, { keepDims: true }).array(), [[9], [12]])
  assert.equal(await x.sum([0, 1]).array(), 21)
  assert.equal(await x.sum().array(), 21)
  assert.equal(await x.max(-1).array(), [5, 6])
  assert.equal(await x.mean([0]).array(), [3.5, 3.5, 3.5])
  assert.equal(await x.variance(0, { correction: 0 }).array(), [6.25, 2.25, 0.25])
  assert.equal(await x.variance([0], { keepDims: true }).array(), [[12.5, 4.5, 0.5]])
  assert.equal(await x.argmax(1).array(), [1, 0])
  assert.equal(await x.argmax([0], { keepDims: true }).array(), [[1, 0, 1]])
  assert.equal(await x.argmax({ axes: 1 }).array(), [1, 0])
  assert.equal(await x.argmax().array(), 3)
})

const leaf = (d: Device) => [new Parameter(d, [2])]
const layer = (Class: unknown): ((...given: readonly unknown[]) => unknown) => {
  assert.type(Class, 'function')
  return (...given) => Reflect.construct(Class as new () => unknown, [...given])
}
const hosted = { data: Float32Array.of(1, 2), shape: [2, 1] }

test('layers, models and initial values refuse what they do not know', () =>
  check({
    'new Linear(3, 4)': [
      () => layer(nn.Linear)(3, 4),
      /Linear: device is 3; it must be a device, the result of await openDevice/,
    ],
    'new Linear(promise, 3, 4)': [
      () => layer(nn.Linear)(openDevice('cpu', { memory: '1MiB' }), 3, 4),
      /device is a Promise; .*: await it first/,
    ],
    'new Linear(device, 3, 4, false)': [
      (d) => layer(nn.Linear)(d, 3, 4, false),
      /Linear: options is false; it must be an object, \{ bias, random, initial \}/,
    ],
    'new Conv2d({ pad })': [
      (d) => layer(nn.Conv2d)(d, 1, 2, 3, { pad: 1 }),
      /Conv2d: .*'pad' \(do you mean padding\?\)/,
    ],
    'new Conv2d(.., stride, padding)': [(d) => layer(nn.Conv2d)(d, 1, 2, 3, 1, 1), /Conv2d: options is 1/],
    'new ConvTranspose2d({ output_padding })': [
      (d) => layer(nn.ConvTranspose2d)(d, 1, 2, 3, { output_padding: 1 }),
      /do you mean outputPadding/,
    ],
    'averagePool2d({ ceilMode, padding })': [
      (d) => ops.averagePool2d(image(d), { kernel: 2, padding: 1, ceilMode: true }),
      /averagePool2d: ceilMode with padding needs countPadding: false/,
    ],
    'new MaxPool2d({ returnIndices })': [
      (d) => layer(nn.MaxPool2d)(d, 2, { returnIndices: true }),
      /MaxPool2d: there is no option 'returnIndices'; the options are stride, padding, ceilMode, dilation/,
    ],
    'new Dropout({ p })': [(d) => layer(nn.Dropout)(d, { p: 0.1 }), /Dropout: rate is an object; it must be a number/],
    'new BatchNorm2d({ track_running_stats })': [
      (d) => layer(nn.BatchNorm2d)(d, 2, { track_running_stats: false }),
      /BatchNorm2d: there is no option/,
    ],
    'new LayerNorm({ elementwise_affine })': [
      (d) => layer(nn.LayerNorm)(d, 2, { elementwise_affine: false }),
      /do you mean affine/,
    ],
    'new Embedding(entries)': [(d) => layer(nn.Embedding)(d, 3), /Embedding: width is undefined/],
    'new Sequential([a, b])': [
      (d) => layer(nn.Sequential)([new nn.ReLU(d), new nn.ReLU(d)]),
      /Sequential: argument 0 is an array; it must be a module, one after the other: new Sequential\(a, b\)/,
    ],
    'new MultiheadAttention({ num_heads })': [
      (d) => layer(nn.MultiheadAttention)(d, 4, 2, { is_causal: true }),
      /do you mean causal/,
    ],
    'new TransformerBlock({ dim_feedforward })': [
      (d) => layer(nn.TransformerBlock)(d, 4, 2, { dim_feedforward: 8 }),
      /do you mean feedForward/,
    ],
    'new Parameter(device, [2], [1, 2])': [
      (d) => layer(Parameter)(d, [2], [1, 2]),
      /parameter: values is an array; it must be a function that gives the values/,
    ],
    'lenet({ numClasses })': [
      (d) => untyped(models.lenet)(d, { numClasses: 3 }),
      /lenet: .*'numClasses' \(do you mean classes\?\)/,
    ],
    'mlp({ hiddenSizes })': [(d) => untyped(models.mlp)(d, { hiden: [3] }), /mlp: .*\(do you mean hidden\?\)/],
    'transformer({ blockSize })': [
      (d) => untyped(models.transformer)(d, { vocabulary: 4, blockSize: 8 }),
      /do you mean context/,
    ],
    'transformer without a context': [
      (d) => untyped(models.transformer)(d, { vocabulary: 4 }),
      /the option context is missing/,
    ],
    'normal(shape, 0, 1)': [
      () => untyped(nn.normal)([2], 0, 1),
      /normal: random is 0; it must be a generator, such as nn.generator\(1\)/,
    ],
    'loadStateDict(state, { strick })': [
      (d) => Reflect.apply(nn.Linear.prototype.loadStateDict, new nn.Linear(d, 1, 1), [{}, { strick: false }]),
      /do you mean strict/,
    ],
  }))

test('optimizers and schedules refuse what they do not know', () =>
  check({
    'adam({ lr })': [
      (d) => untyped(optim.adam)(leaf(d), { lr: 1 }),
      /adam: there is no option 'lr' \(do you mean learningRate\?\); the options are learningRate, weightDecay, betas, eps, clipNorm/,
    ],
    "sgd({ learningRate: '0.1' })": [
      (d) => untyped(optim.sgd)(leaf(d), { learningRate: '0.1' }),
      /sgd: learningRate is '0.1'; it must be a number or a function of the step/,
    ],
    'adam({ amsgrad })': [
      (d) => untyped(optim.adam)(leaf(d), { amsgrad: true }),
      /adam: there is no option 'amsgrad'; the options are/,
    ],
    'adamw({ weight_decay })': [
      (d) => untyped(optim.adamw)(leaf(d), { weight_decay: 0.1 }),
      /adamw: .*\(do you mean weightDecay\?\)/,
    ],
    'adam({ betas: 0.9 })': [
      (d) => untyped(optim.adam)(leaf(d), { betas: 0.9 }),
      /betas is 0.9; it must be a list, such as \[0.9, 0.999\]/,
    ],
    'sgd([{ params }])': [
      (d) => untyped(optim.sgd)([{ params: leaf(d) }]),
      /sgd: there is no option 'params' \(do you mean parameters\?\)/,
    ],
    'sgd([{ parameters, lr }])': [
      (d) => untyped(optim.sgd)([{ parameters: leaf(d), lr: 1 }]),
      /do you mean learningRate/,
    ],
    'sgd()': [
      () => untyped(optim.sgd)(),
      /sgd: the model is undefined; it must be a model, model.parameters\(\), or groups/,
    ],
    'cosine({ T_max })': [
      () => untyped(optim.cosine)({ learningRate: 1, T_max: 3 }),
      /cosine: .*'T_max' \(do you mean steps\?\)/,
    ],
    'stepDecay({ gamma })': [
      () => untyped(optim.stepDecay)({ learningRate: 1, every: 2, gamma: 0.5 }),
      /do you mean factor/,
    ],
    "warmUp(3, '1')": [
      () => untyped(optim.warmUp)(3, '1'),
      /warmUp: then is '1'; it must be a number or a function of the step/,
    ],
  }))

test('functions that make, run and read by hand check their arguments', () =>
  check({
    'tensor([1, 2])': [() => untyped(tensor)([1, 2]), /tensor: device is an array; it must be a device/],
    "tensor(d, ['1'])": [(d) => untyped(tensor)(d, ['1']), /tensor: '1' is among the values; each must be a number/],
    'tensor(d, [true])': [(d) => untyped(tensor)(d, [true, false]), /tensor: true is among the values/],
    'tensor({ requires_grad })': [
      (d) => untyped(tensor)(d, [1], [1], { requires_grad: true }),
      /do you mean requiresGrad/,
    ],
    'tensor({ category })': [
      (d) => untyped(tensor)(d, [1], [1], { category: 'weights' }),
      /category is 'weights'; it must be 'parameter' or/,
    ],
    'full(device, [2])': [(d) => untyped(full)(d, [2]), /full: value is undefined; it must be a number/],
    'scope(fn)': [() => untyped(scope)(() => 0), /scope: device is a function; it must be a device/],
    'noGrad(fn)': [() => untyped(noGrad)(() => 0), /noGrad: device is a function/],
    'backward(model)': [
      (d) => untyped(backward)(new nn.Linear(d, 1, 1)),
      /backward: loss is a Module; it must be a tensor/,
    ],
    'zeroGrad(model)': [
      (d) => untyped(zeroGrad)(new nn.Linear(d, 1, 1)),
      /zeroGrad: leaves is a Module; it must be a list of tensors, such as model.parameters\(\)/,
    ],
    'requireGrad(1)': [() => untyped(requireGrad)(1), /requireGrad: tensor is 1/],
    'openVirtualDevice({ seeds })': [
      () => untyped(openVirtualDevice)('cpu', { seeds: 1 }),
      /openVirtualDevice: .*\(do you mean seed\?\)/,
    ],
    'seed a': [() => untyped(openVirtualDevice)('cpu', { seed: 'a' }), /seed 'a' is not a whole number/],
    'seed NaN': [(d) => untyped(models.lenet)(d, { seed: Number.NaN }), /seed NaN is not a whole number/],
    'fromArrays({ labels })': [
      () => untyped(data.fromArrays)({ inputs: hosted, labels: hosted }),
      /fromArrays: .*'labels' \(do you mean targets\?\)/,
    ],
    'split({ test_fraction })': [
      () => untyped(data.split)(data.digits(), { test_fraction: 0.1, seed: 1 }),
      /split: .*\(do you mean testFraction\?\)/,
    ],
    'mse with weights that learn': [
      (d) => ops.mse(x(d), x(d), { weights: leaf(d)[0] }),
      /mse: weights requires a gradient, and this loss sends none/,
    ],
    'bceWithLogits with a target that learns': [
      (d) => ops.bceWithLogits(zeros(d, [2]), leaf(d)[0]),
      /bceWithLogits: target requires a gradient/,
    ],
    'crossEntropy with a class out of range': [
      (d) => ops.crossEntropy(x(d), tensor(d, [0, 3])),
      /crossEntropy: 3 is among the targets; they must be whole numbers from 0 to 2, or -100/,
    ],
    'crossEntropy with a class below 0': [
      (d) => ops.crossEntropy(x(d), tensor(d, Int32Array.of(-1, 2))),
      /crossEntropy: -1 is among the targets/,
    ],
    'crossEntropy with a fraction': [
      (d) => ops.crossEntropy(x(d), tensor(d, [0.5, 2])),
      /crossEntropy: 0.5 is among the targets/,
    ],
    'embedding out of range': [
      (d) => ops.embedding(x(d), tensor(d, [0, 2])),
      /embedding: 2 is among the indices; they must be whole numbers from 0 to 1$/,
    ],
  }))

test('shapes and axes: the error names the function that was called, and a scalar has no axes', () =>
  check(
    {
      'zeros(d, 3)': [(d) => untyped(zeros)(d, 3), /zeros: 3 is not a shape: give a list, such as \[2, 3\]/],
      'ones(d, 3)': [(d) => untyped(ones)(d, 3), /ones: 3 is not a shape/],
      'sum of a scalar': [(d) => ops.sum(tensor(d, 1), 0), /sum: a scalar has no axes, and axis 0 was given/],
      'class weights': [
        (d) => ops.crossEntropy(x(d), tensor(d, [0, 1]), { weights: zeros(d, [3]) }),
        /weights \[3\] must be \[2\], one for each sample/,
      ],
    },
    ShapeError,
  ))

test('crossEntropy accepts the ignored class, and targets whose values are only on the device', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const logits = tensor(device, [
    [1, 2, 3],
    [1, 1, 1],
  ])
  assert.is(await ops.crossEntropy(logits, tensor(device, [-100, -100])).item(), 0)
  const loss = ops.crossEntropy(logits, tensor(device, [255, 0]), { ignoreIndex: 255 })
  assert.ok(Math.abs((await loss.item()) - Math.log(3)) < 1e-6)
  assert.ok(Number.isFinite(await ops.crossEntropy(logits, ops.argmax(logits, 1)).item()))
})

test('mse sends the target its gradient, the negative of that of the prediction', async () => {
  const device = await openDevice('reference', { memory: '64KiB' })
  const [a, b] = [new Parameter(device, [2, 2], () => [1, 2, 3, 4]), new Parameter(device, [2, 2], () => [0, 4, 3, 1])]
  const weights = tensor(device, [1, 3])
  scope(device, () => backward(ops.mse(a, b, { weights })))
  // 2 w (a - b) / 2 / 4
  assert.equal([...((await a.grad?.data()) ?? [])], [0.25, -0.5, 0, 2.25])
  assert.equal([...((await b.grad?.data()) ?? [])], [-0.25, 0.5, 0, -2.25])
})

test('two devices of one kind are told apart', async () => {
  const [a, b] = [openVirtualDevice('cpu', { memory: '1MiB' }), openVirtualDevice('cpu', { memory: '2MiB' })]
  const same = openVirtualDevice('cpu', { memory: '1MiB' })
  const between = async (other: Device): Promise<string> => {
    const error = await errorOf(() => ops.add(zeros(a, [1]), zeros(other, [1])))
    assert.instance(error, DeviceMismatchError)
    return String(error)
  }
  assert.match(await between(b), 'a cpu device (budget 1 MiB) and a cpu device (budget 2 MiB): make all of them on one')
  assert.match(await between(same), 'a cpu device (budget 1 MiB) and another cpu device (budget 1 MiB)')
})

test('the error of a loop by hand that outgrows its budget names scopes; that of standing tensors, or of a loop in a scope, does not', async () => {
  const device = await openDevice('cpu', { memory: '256KiB' })
  const model = new nn.Linear(device, 8, 8)
  const x = zeros(device, [64, 8])
  const loop = await errorOf(() => {
    for (;;) backward(ops.sum(model.forward(x)))
  })
  assert.instance(loop, BudgetExceededError)
  assert.match(String(loop), 'scope(device, () => { ... }) frees all tensors made in it at its end')
  const inside = await errorOf(() => scope(device, () => zeros(device, [1e6])))
  assert.instance(inside, BudgetExceededError)
  assert.not.match(String(inside), /scope\(device/)
  const standing = await errorOf(() => new Parameter(device, [1e6]))
  assert.instance(standing, BudgetExceededError)
  assert.match(String(standing), 'allOrNothing')
  assert.not.match(String(standing), /scope\(device/)
})

test('batches, sources and options of a streamer are refused by name', async () => {
  const device = await openDevice('cpu', { memory: '256KiB' })
  const model = new nn.Linear(device, 1, 1)
  const optimizer = optim.sgd(model.parameters(), { learningRate: 0 })
  const options = { model, loss: ops.mse, optimizer }
  const streamer = new Streamer(options)
  const batch = { inputs: hosted, targets: hosted }
  const on =
    (name: string): Untyped =>
    (...given) =>
      untyped(Reflect.get(streamer, name)).apply(streamer, [...given])
  const refused: Readonly<Record<string, readonly [call: () => unknown, says: RegExp]>> = {
    'new Streamer({ criterion })': [
      () => layer(Streamer)({ model, criterion: ops.mse, optimizer }),
      /Streamer: .*'criterion' \(do you mean loss\?\)/,
    ],
    'new Streamer without an optimizer': [
      () => layer(Streamer)({ model, loss: ops.mse }),
      /the option optimizer is missing/,
    ],
    "new Streamer({ optimizer: 'adam' })": [
      () => layer(Streamer)({ ...options, optimizer: 'adam' }),
      /optimizer is 'adam'; it must be an optimizer, such as optim.adam\(model\)/,
    ],
    'new Streamer({ model: forward })': [
      () => layer(Streamer)({ ...options, model: () => 0 }),
      /model is a function; it must be a Module/,
    ],
    "new Streamer({ loss: 'mse' })": [
      () => layer(Streamer)({ ...options, loss: 'mse' }),
      /loss is 'mse'; it must be a function \(output, target\) => loss/,
    ],
    'fit(source)': [() => on('fit')([batch]), /fit: options is undefined; it must be an object, \{ .*batch/],
    'fit({ batchSize })': [
      () => on('fit')([batch], { batchSize: 1 }),
      /fit: there is no option 'batchSize' \(do you mean batch\?\)/,
    ],
    'fit({ epoch })': [() => on('fit')([batch], { batch: 1, epoch: 3 }), /do you mean epochs/],
    'fit(batch)': [() => on('fit')(batch, { batch: 1 }), /this is a batch: give \[batch\]/],
    'fit({ skip })': [
      () => on('fit')([batch], { batch: 1, skip: ['nan'] }),
      /skip is an array; it must be a list of 'empty' and 'nonFinite'/,
    ],
    'fit({ evaluate: batch })': [
      () => on('fit')([batch], { batch: 1, evaluate: batch }),
      /this is a batch: give \[batch\]/,
    ],
    'step({ x, y })': [
      () => on('step')({ x: hosted, y: hosted }),
      /a batch has no 'x' \(do you mean inputs\?\): it is \{ inputs, targets, weights\? \}/,
    ],
    'step({ weight })': [() => on('step')({ ...batch, weight: hosted }), /do you mean weights/],
    'step(batch, { microbatch })': [() => on('step')(batch, { microbatch: 1 }), /do you mean microBatch/],
    'plan(4)': [() => on('plan')(4), /plan: options is 4; it must be an object/],
    "plan({ mode: 'eval' })": [
      () => on('plan')({ batch: 1, mode: 'eval' }),
      /mode is 'eval'; it must be 'train' or 'evaluate' or 'predict'/,
    ],
    'evaluate({})': [() => on('evaluate')({ length: 2 }), /an object is not a source of samples/],
    'evaluate(batch)': [() => on('evaluate')(batch), /this is a batch: give \[batch\]/],
    'predict(.., { batch })': [() => on('predict')(hosted, { batch: 1 }), /predict: there is no option 'batch'/],
    'openDevice({ memry })': [
      () => untyped(openDevice)('cpu', { memory: '1MiB', thread: 2 }),
      /openDevice: .*'thread' \(do you mean threads\?\)/,
    ],
    'openDevice without a budget': [
      () => untyped(openDevice)('cpu'),
      /a device needs a byte budget: openDevice\('cpu', \{ memory: '8MiB' \}\)/,
    ],
    'save({ meta })': [() => untyped(save)({}, '/nowhere/x', { metdata: {} }), /save: .*\(do you mean metadata\?\)/],
    'checkGradient({ tol })': [
      () => untyped(checkGradient)(() => 0, [], { tolrance: 1 }),
      /checkGradient: .*\(do you mean tolerance\?\)/,
    ],
    'largestThatFits(plan)': [
      () => untyped(largestThatFits)({}),
      /largestThatFits: planAt is an object; it must be a function/,
    ],
    'keep(1)': [() => untyped(keep)(1), /keep: tensor is 1; it must be a tensor/],
    'liveTensors()': [() => untyped(liveTensors)(), /liveTensors: device is undefined; it must be a device/],
    'allOrNothing(fn)': [() => untyped(nn.allOrNothing)(() => 0), /allOrNothing: device is a function/],
    'planOf(fn)': [() => untyped(planOf)(() => 0), /planOf: device is a function/],
    'describeMemory(device)': [
      () => untyped(describeMemory)(device),
      /it must be the memory of a device, device.memory/,
    ],
    'drawTimeline(points)': [() => untyped(drawTimeline)([]), /drawTimeline: options is undefined/],
    'subset()': [() => untyped(data.subset)(undefined, [0]), /subset: undefined is not a data set/],
    'idxDataset({ x, y })': [() => untyped(data.idxDataset)({ x: hosted, y: hosted }), /'x' \(do you mean images\?\)/],
    'parseIdx(text)': [() => untyped(data.parseIdx)('text'), /parseIdx: bytes is 'text'; it must be a Uint8Array/],
    'parseNpy(promise)': [
      () => untyped(data.parseNpy)(Promise.resolve()),
      /bytes is a Promise; it must be a Uint8Array: await it first/,
    ],
    'parseNpz()': [() => untyped(data.parseNpz)(), /parseNpz: bytes is undefined/],
    'gunzip({ max })': [
      () => untyped(data.gunzip)(Uint8Array.of(31, 139), { max: 1 }),
      /gunzip: there is no option 'max'/,
    ],
    'miniBatches({ batch_size })': [
      () => untyped(firstOf)(data.miniBatches([], { batch_size: 1 } as never)),
      /do you mean batch\?/,
    ],
  }
  const { heldBytes } = device.memory
  for (const [name, [call, says]] of Object.entries(refused)) {
    const error = await errorOf(call)
    assert.instance(error, SluiceError, `${name}: ${error}`)
    assert.match(String(error), says, name)
    assert.is(device.memory.heldBytes, heldBytes, name)
  }
  assert.is(optimizer.steps, 0)
})

const firstOf = async (steps: AsyncGenerator<unknown>): Promise<unknown> => (await steps.next()).value

test('a similar name is suggested, and no other', () => {
  const known = ['learningRate', 'weightDecay', 'betas', 'eps']
  assert.equal(
    [
      'lr',
      'learning_rate',
      'LearningRate',
      'learnngRate',
      'weight_decay',
      'beta',
      'epsilon',
      'momentum',
      '',
      '__proto__',
    ].map((name) => foreignName(name, known)),
    ['learningRate', 'learningRate', 'learningRate', 'learningRate', 'weightDecay', 'betas', 'eps', null, null, null],
  )
  assert.is(foreignName('lr', []), null)
})

test.run()
