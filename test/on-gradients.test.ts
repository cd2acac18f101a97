/** `onGradients`: the norms of a mini-batch's gradient before the commit, against a perceptron by hand. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  type Batch,
  crossEntropy,
  type DeviceKind,
  type Gradients,
  NonFiniteError,
  nn,
  openDevice,
  optim,
  Streamer,
  tensor,
} from '../src/index.js'
import { crossEntropyByHand, FEATURES, learnByHand, normOf, perceptron, samplesOf, valuesOf } from './by-hand.js'
import { errorOf } from './error-of.js'

const NAMES = ['0.weight', '0.bias', '2.weight', '2.bias']

const batchOf = (samples: number, at = (i: number) => Math.sin(i)): Batch => ({
  inputs: { data: Float32Array.from({ length: samples * FEATURES }, (_, i) => at(i)), shape: [samples, FEATURES] },
  targets: { data: Float32Array.from({ length: samples }, (_, i) => i % 3), shape: [samples] },
})

async function trainer(kind: DeviceKind, onGradients: (gradients: Gradients) => void | Promise<void>) {
  const device = await openDevice(kind, { memory: '1MiB' })
  const model = perceptron(device)
  const optimizer = optim.sgd(model, { learningRate: 0.5, clipNorm: 0.01 })
  return { device, model, optimizer, streamer: new Streamer({ model, loss: crossEntropy, optimizer, onGradients }) }
}

const near = (actual: number | undefined, expected: number, share: number, what: string): void =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= share * expected, `${what}: ${actual} is not ${expected}`)

for (const [kind, share] of [
  ['reference', 1e-12],
  ['cpu', 1e-5],
] as const) {
  for (const microBatch of [10, 3]) {
    test(`${kind}, in micro-batches of ${microBatch}: once a step, the norms of the whole gradient before clipping`, async () => {
      const seen: Gradients[] = []
      const { model, streamer } = await trainer(kind, (gradients) => void seen.push(gradients))
      const batch = batchOf(10)
      for (const step of [0, 1]) {
        const { gradient, loss } = learnByHand(await valuesOf(model), samplesOf(batch), crossEntropyByHand())
        const result = await streamer.step(batch, { microBatch })
        assert.is(seen.length, step + 1)
        assert.equal([...seen[step].norms.keys()], NAMES)
        for (const [i, name] of NAMES.entries()) near(seen[step].norms.get(name), normOf([gradient[i]]), share, name)
        near(seen[step].gradNorm, normOf(gradient), share, 'all')
        near(seen[step].loss, loss, share, 'the loss')
        assert.equal([seen[step].gradNorm, seen[step].loss], [result.gradNorm, result.loss])
        assert.is(result.peakBytes, result.plannedPeakBytes)
        assert.is(streamer.plan({ batch: 10, microBatch, inputShape: [FEATURES] }).plannedPeakBytes, result.peakBytes)
      }
    })
  }

  test(`${kind}: it is awaited; if it throws, the step throws that error, nothing is committed, and the step can be tried again`, async () => {
    const refusal = new RangeError('too steep')
    let refuses = true
    const { device, model, optimizer, streamer } = await trainer(kind, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      if (refuses) throw refusal
    })
    const before = await valuesOf(model)
    const { heldBytes } = device.memory
    assert.is(await errorOf(() => streamer.step(batchOf(7))), refusal)
    assert.equal([await valuesOf(model), optimizer.steps, device.memory.heldBytes], [before, 0, heldBytes])
    refuses = false
    await streamer.step(batchOf(7))
    assert.not.equal(await valuesOf(model), before)
    assert.is(optimizer.steps, 1)
  })
}

test('it sees the norms of a step that checkFinite refuses', async () => {
  const seen: Gradients[] = []
  const { streamer } = await trainer('cpu', (gradients) => void seen.push(gradients))
  const error = await errorOf(() => streamer.step(batchOf(4, (i) => (i === 2 ? Number.NaN : 1))))
  assert.instance(error, NonFiniteError)
  assert.ok(Number.isNaN(seen[0].norms.get('2.bias')))
})

test('frozen parameters are left out; the training has the bits of one without the function', async () => {
  const ends: number[][][] = []
  for (const looks of [true, false]) {
    const device = await openDevice('cpu', { memory: '1MiB' })
    const model = perceptron(device)
    const names: string[][] = []
    const onGradients = ({ norms }: Gradients): void => void names.push([...norms.keys()])
    const optimizer = optim.adam(model)
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer, ...(looks && { onGradients }) })
    await streamer.step(batchOf(9), { microBatch: 4 })
    const [first] = model.parameters()
    first.requiresGrad = false
    await streamer.step(batchOf(9), { microBatch: 4 })
    if (looks) assert.equal(names, [NAMES, NAMES.slice(1)])
    ends.push(await valuesOf(model))
  }
  assert.equal(ends[0], ends[1])
})

test('it takes the bytes of the norms and gives them back; a value that is no function is refused', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const model = new nn.Linear(device, 2, 2)
  const optimizer = optim.sgd(model)
  const { heldBytes } = device.memory
  const make = (own: object) => new Streamer({ model, loss: crossEntropy, optimizer, ...own })
  const plain = make({})
  const without = device.memory.heldBytes - heldBytes
  plain.dispose()
  assert.is(device.memory.heldBytes, heldBytes)
  const before = device.memory.heldBytes
  const pairs = [tensor(device, [0, 0]), tensor(device, [0, 0])]
  const norms = device.memory.heldBytes - before
  for (const pair of pairs) pair.dispose()
  const streamer = make({ onGradients: () => {} })
  assert.is(device.memory.heldBytes - heldBytes, without + norms)
  streamer.dispose()
  assert.is(device.memory.heldBytes, heldBytes)
  assert.instance(await errorOf(() => make({ onGradients: true })), ArgumentError)
})

test.run()
