/**
 * LSTM and GRU, besides PyTorch's numbers (pytorch.test.ts): names, splits of a mini-batch, dropout, errors. Also `set` of
 * a parameter, and the keys of attention.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice } from '../src/device/open.js'
import * as nn from '../src/nn/index.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { sgd } from '../src/optim/index.js'
import { Streamer } from '../src/stream/streamer.js'
import { zeros } from '../src/tensor/create.js'
import { ShapeError } from '../src/tensor/errors.js'
import { RecurrentNet, sequences } from './recurrent.js'
import { SPLIT_GRADIENT } from './tolerances.js'

const device = await openDevice('reference', { memory: '4MiB' })

test("parameters have PyTorch's names, order and shapes", () => {
  const lstm = new nn.LSTM(device, 2, 3, { layers: 2, bidirectional: true })
  const shapes = [...lstm.namedParameters()].map(([name, { shape }]) => `${name} ${shape.join('x')}`)
  const of = (end: string, inputs: number) => [
    `weight_ih_${end} 12x${inputs}`,
    `weight_hh_${end} 12x3`,
    `bias_ih_${end} 12`,
    `bias_hh_${end} 12`,
  ]
  assert.equal(shapes, [...of('l0', 2), ...of('l0_reverse', 2), ...of('l1', 6), ...of('l1_reverse', 6)])
  const gru = new nn.GRU(device, 2, 3, { bias: false })
  assert.equal([...gru.namedParameters().keys()], ['weight_ih_l0', 'weight_hh_l0'])
  assert.equal(gru.weights.weight_ih_l0.shape, [9, 2])
})

for (const dropout of [0, 0.5]) {
  test(`a split mini-batch learns what the whole one learns, with dropout ${dropout}`, async () => {
    const learned = async (microBatch: number) => {
      const model = new RecurrentNet(device, dropout)
      const options = { loss: crossEntropy, optimizer: sgd(model, { learningRate: 0.5 }), seed: 3 }
      const streamer = new Streamer({ model, ...options })
      for (let i = 0; i < 3; i++) await streamer.step(sequences(7), { microBatch })
      return Promise.all(model.parameters().map((parameter) => parameter.data()))
    }
    const whole = (await learned(7)).flatMap((values) => [...values])
    for (const microBatch of [1, 3]) {
      const split = (await learned(microBatch)).flatMap((values) => [...values])
      assert.ok(split.every((value, i) => Math.abs(value - whole[i]) <= SPLIT_GRADIENT))
    }
  })
}

test('inputs of another shape are refused, and the error has both shapes', () => {
  const lstm = new nn.LSTM(device, 2, 3, { layers: 2 })
  const refused: [() => unknown, RegExp][] = [
    [() => lstm.forward(zeros(device, [4, 2])), /LSTM: the input \[4, 2\] must be \[N, T, 2\]/],
    [() => lstm.forward(zeros(device, [4, 5, 3])), /LSTM: the input \[4, 5, 3\] must be \[N, T, 2\]/],
    [() => lstm.forward(zeros(device, [4, 5, 2]), zeros(device, [2, 4, 3])), /a state \[2, 4, 3\] must be \[4, 2, 3\]/],
  ]
  for (const [run, message] of refused) {
    assert.throws(run, (error: unknown) => error instanceof ShapeError && message.test(error.message))
  }
  assert.throws(() => new nn.GRU(device, 2, 3, { layers: 0 }), /GRU: layers is 0; it must be a whole number, 1 or more/)
  assert.throws(() => new nn.GRU(device, 2, 3, { dropout: 1 }), /GRU: .*1/)
  assert.throws(
    () => Reflect.construct(nn.LSTM, [device, 2, 3, { num_layers: 2 }]),
    /LSTM: there is no option 'num_layers' \(do you mean layers\?\)/,
  )
})

test('a parameter takes the values of an array, or none of them', async () => {
  const { weight } = new nn.Linear(device, 2, 2)
  weight.set([1, 2, 3, 4])
  weight.set(Float32Array.of(4, 3, 2, 1))
  assert.equal(await weight.array(), [
    [4, 3],
    [2, 1],
  ])
  assert.throws(() => weight.set([1, 2]), /values has 2 values, which do not fill \[2, 2\]/)
  assert.throws(() => Reflect.apply(weight.set, weight, [[1, 2, 3, '4']]), /values has '4' at 3, which is not a number/)
  assert.equal([...(await weight.data())], [4, 3, 2, 1])
})

test('keys and values of another shape are refused', () => {
  const attention = new nn.MultiheadAttention(device, 4, 2)
  const of = (...shape: number[]) => zeros(device, shape)
  const x = of(2, 3, 4)
  assert.throws(() => attention.forward(x, null, of(1, 5, 4)), /the key \[1, 5, 4\] must be \[2, S, 4\]/)
  assert.throws(
    () => attention.forward(x, null, of(2, 5, 4), of(2, 6, 4)),
    /the value \[2, 6, 4\] must be \[2, S, 4\], with the S of the key \[2, 5, 4\]/,
  )
  assert.equal(attention.forward(x, null, of(2, 5, 4)).shape, [2, 3, 4])
})

test.run()
