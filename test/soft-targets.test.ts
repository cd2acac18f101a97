/** Cross-entropy with targets that are probabilities: weights, splits, errors; formulas by hand. PyTorch's numbers: pytorch.test.ts. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import { checkGradient } from '../src/autograd/gradcheck.js'
import { fromArrays } from '../src/data/index.js'
import { openDevice } from '../src/device/open.js'
import { ArgumentError, type SluiceError } from '../src/memory/errors.js'
import { generator, Linear } from '../src/nn/index.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import { mean } from '../src/ops/reduce.js'
import { sgd } from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { checkSeparable } from '../src/stream/separable.js'
import { Streamer } from '../src/stream/streamer.js'
import { fromHost, requireGrad, tensor } from '../src/tensor/create.js'
import { ShapeError } from '../src/tensor/errors.js'
import { SPLIT_GRADIENT } from './tolerances.js'

const device = await openDevice('reference', { memory: '1MiB' })
const random = generator(7)
const draw = (size: number) => Float64Array.from({ length: size }, () => Math.floor(random() * 32) / 16 - 1)
/** Rows of probabilities, in 64ths. */
function mixes(rows: number, classes: number): Float64Array {
  const made = new Float64Array(rows * classes)
  for (let i = 0; i < rows * 64; i++) made[Math.floor(i / 64) * classes + Math.floor(random() * classes)] += 1 / 64
  return made
}

/** -sum of share q ln softmax(x) for one row. */
function byHand(x: ArrayLike<number>, q: ArrayLike<number>, share: (c: number) => number = () => 1): number {
  const logits = Array.from(x)
  const total = logits.reduce((sum, value) => sum + Math.exp(value), 0)
  return -logits.reduce((sum, value, c) => sum + share(c) * q[c] * (value - Math.log(total)), 0)
}

test('smoothing, weights of classes and samples, by hand', async () => {
  const [logits, targets, weights] = [draw(12), mixes(4, 3), [0.5, 0, 2, 1]]
  const shares = [1, 0.5, 3]
  const losses = weights.map((_, i) => {
    const q = targets.slice(3 * i, 3 * i + 3).map((t) => 0.75 * t + 0.25 / 3)
    return byHand(logits.slice(3 * i, 3 * i + 3), q, (c) => shares[c])
  })
  const loss = crossEntropyLoss({ labelSmoothing: 0.25, classWeights: shares })
  const value = async (given?: number[]) =>
    loss(
      tensor(device, logits, [4, 3]),
      tensor(device, targets, [4, 3]),
      given && { weights: tensor(device, given) },
    ).item()
  const near = (seen: number, wanted: number) => assert.ok(Math.abs(seen - wanted) < 1e-12, `${seen} for ${wanted}`)
  near(await value(), losses.reduce((sum, l) => sum + l, 0) / 4)
  near(await value(weights), losses.reduce((sum, l, i) => sum + weights[i] * l, 0) / 3.5)
  near(await value([0, 0, 0, 0]), 0)
})

test('gradients of every reduction, of logits and of targets', async () => {
  for (const shape of [
    [3, 4],
    [2, 3, 2],
  ]) {
    const size = shape.reduce((product, dim) => product * dim, 1)
    const [x, t] = [
      { data: draw(size), shape },
      { data: mixes(size / 4, 4).slice(0, size), shape },
    ]
    const weights = { data: draw(shape[0]).map(Math.abs), shape: [shape[0]] }
    for (const reduction of ['mean', 'sum', 'none'] as const) {
      const { ok } = await checkGradient(
        (logits, targets) =>
          crossEntropy(logits, targets, {
            reduction,
            labelSmoothing: 0.125,
            weights: fromHost(logits.device, weights),
          }),
        [x, t],
      )
      assert.ok(ok, `${reduction} ${shape}`)
    }
  }
})

test('a sample of weight 0, or with an ignored target, may hold NaN, with every reduction', async () => {
  const logits = requireGrad(tensor(device, [Number.NaN, Infinity, 1, 2], [2, 2]))
  const soft = tensor(device, [0.5, 0.5, 0.25, 0.75], [2, 2])
  const weights = tensor(device, [0, 2])
  const classes = tensor(device, [-100, 1])
  const expected = byHand([1, 2], [0.25, 0.75])
  const calls: [() => ReturnType<typeof crossEntropy>, number][] = [
    [() => crossEntropy(logits, soft, { weights }), expected],
    [() => crossEntropy(logits, classes, { reduction: 'sum' }), byHand([1, 2], [0, 1])],
    [() => mean(crossEntropy(logits, classes, { reduction: 'none' })), byHand([1, 2], [0, 1]) / 2],
  ]
  for (const [call, wanted] of calls) {
    const result = scope(device, () => {
      const result = call()
      backward(result)
      return result
    })
    assert.ok(Math.abs((await result.item()) - wanted) < 1e-12)
    const gradient = Array.from((await logits.grad?.data()) ?? [])
    assert.equal(gradient.slice(0, 2), [0, 0])
    assert.ok(gradient.slice(2).every((value) => Number.isFinite(value) && value !== 0))
    logits.grad?.dispose()
    logits.grad = null
  }
})

test('errors name what is wrong, and what to write', () => {
  const x = tensor(device, draw(6), [2, 3])
  const t = tensor(device, mixes(2, 3), [2, 3])
  const [three, lone] = [tensor(device, [1, 2, 3]), tensor(device, [1])]
  const refused: [() => unknown, new (text: string) => SluiceError, RegExp][] = [
    [() => crossEntropy(x, t, { ignoreIndex: 0 }), ArgumentError, /ignoreIndex 0 .* weights of 0/],
    [() => crossEntropyLoss({ classWeights: [1, 2] })(x, t), ShapeError, /\[N, 2, \.\.\.\]/],
    [() => crossEntropy(x, three), ShapeError, /\[N, C, \.\.\.\] and \[N, \.\.\.\], or alike/],
    [() => crossEntropy(x, t, { weights: lone }), ShapeError, /weights \[1\] must be \[2\]/],
    [() => crossEntropy(x, t, { reduction: 'all' as 'sum' }), ArgumentError, /reduction/],
    [
      () => crossEntropy.check({ data: Float64Array.of(0.5, -1), shape: [1, 2] }, [1, 2]),
      ArgumentError,
      /target -1 at \[0, 1\] is not a probability/,
    ],
  ]
  for (const [call, kind, says] of refused) {
    const held = device.memory.heldBytes
    assert.throws(call, (error: unknown) => error instanceof kind && says.test(error.message), String(says))
    assert.is(device.memory.heldBytes, held)
  }
})

test('any split of a mini-batch learns the same, with weights of classes and samples', async () => {
  const samples = 7
  const [inputs, targets] = [draw(samples * 3), mixes(samples, 4)]
  const weights = { data: Float64Array.of(1, 0, 2, 0.5, 0, 1, 3), shape: [samples] }
  const loss = crossEntropyLoss({ classWeights: [1, 2, 0.5, 1], labelSmoothing: 0.1 })
  const { separable } = await checkSeparable(
    loss,
    { data: draw(samples * 4), shape: [samples, 4] },
    { data: targets, shape: [samples, 4] },
    weights,
  )
  assert.ok(separable)
  const learned = async (microBatch: number) => {
    const device = await openDevice('reference', { memory: '1MiB' })
    const model = new Linear(device, 3, 4, { random: generator(1) })
    const streamer = new Streamer({ model, loss, optimizer: sgd(model, { learningRate: 0.5 }) })
    const batch = {
      inputs: { data: inputs, shape: [samples, 3] },
      targets: { data: targets, shape: [samples, 4] },
      weights,
    }
    const result = await streamer.step(batch, { microBatch })
    assert.is(result.peakBytes, result.plannedPeakBytes)
    assert.is(result.weight, 7.5)
    const evaluation = await streamer.evaluate(
      fromArrays({ inputs: batch.inputs, targets: batch.targets, name: 'soft' }),
    )
    assert.is(evaluation.accuracy, undefined)
    return [result.loss, result.gradNorm, evaluation.loss]
  }
  const whole = await learned(samples)
  for (const size of [1, 2, 3]) {
    const parts = await learned(size)
    for (const [i, value] of whole.entries())
      assert.ok(Math.abs(parts[i] - value) < SPLIT_GRADIENT, `${size}: ${parts[i]}`)
  }
})

test.run()
