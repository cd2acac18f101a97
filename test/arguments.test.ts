/**
 * What JavaScript users may type: a wrong option, a wrong type or a call written as in another library is a typed error
 * that names what was wrong and what to write, and leaves no byte. The cases are those that people met.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../src/device/device.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import { ArgumentError, SluiceError } from '../src/memory/errors.js'
import '../src/ops/chain.js'
import { ops } from '../src/ops/table.js'
import { scope } from '../src/step/scope.js'
import { tensor, zeros } from '../src/tensor/create.js'
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

test('whatever an op is given, it returns a tensor or throws a typed error', async () => {
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
          assert.instance(untyped(op)(...given), Tensor, name)
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
    'maxPool2d({ ceilMode })': [
      (d) => method(image(d), 'maxPool2d')({ kernel: 2, ceilMode: true }),
      /'ceilMode'; the options are kernel, stride, padding/,
    ],
    'maxPool2d({ kernel_size })': [(d) => method(image(d), 'maxPool2d')({ kernel_size: 2 }), /do you mean kernel\?/],
    'mse({ reduction })': [
      (d) => untyped(ops.mse)(x(d), x(d), { reduction: 'sum' }),
      /mse: there is no option 'reduction'; the options are weights/,
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
    'pow(x, tensor)': [
      (d) => untyped(ops.pow)(x(d), x(d)),
      /pow: exponent is a Tensor; it must be a number \(for a tensor e .*exp\(mul\(log\(x\), e\)\)\)/,
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
      /maxPool2d: options is 2; it must be an object, \{ kernel, stride, padding \}/,
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

test.run()
