import assert from 'node:assert/strict'
import {
  backward,
  crossEntropy,
  crossEntropyLoss,
  models,
  nn,
  openDevice,
  openVirtualDevice,
  optim,
  Streamer,
  scope,
  tensor,
  zeroGrad,
} from 'sluice'

export default [
  {
    exercise: 'balanced micro-batches',
    check({ balance }) {
      assert.deepEqual(balance(10, 4), [4, 3, 3])
      for (let samples = 1; samples <= 60; samples++) {
        for (let largest = 1; largest <= 20; largest++) {
          const sizes = balance(samples, largest)
          const said = `balance(${samples}, ${largest}) is [${sizes}]`
          assert.equal(
            sizes.reduce((sum, size) => sum + size, 0),
            samples,
            said,
          )
          assert.equal(sizes.length, Math.ceil(samples / largest), said)
          assert.ok(Math.max(...sizes) <= largest && Math.max(...sizes) - Math.min(...sizes) <= 1, said)
          assert.ok(
            sizes.every((size, j) => j === 0 || size <= sizes[j - 1]),
            `${said}: the larger ones first`,
          )
        }
      }
      const model = models.mlp(openVirtualDevice('cpu', { memory: '512KiB' }))
      const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.sgd(model) })
      const { parts } = streamer.plan({ batch: 1000, microBatch: 77 })
      const planned = parts.flatMap(({ size, count }) => Array(count).fill(size))
      assert.deepEqual(balance(1000, 77), planned, 'the plan of 1,000 samples, at most 77 at a time')
    },
  },
  {
    exercise: 'the shares of micro-batches',
    async check({ shares }) {
      assert.deepEqual(shares([1, 1, 1, 1], [3, 1], 9), [3 / 4, 1 / 4])
      assert.deepEqual(shares([9, 9, 5, 1, 9], [2, 2, 1], 9), [0, 1, 0], 'only the middle has targets that count')
      const device = await openDevice('reference', { memory: '64KiB' })
      const model = new nn.Linear(device, 3, 4, { random: nn.generator(1) })
      const loss = crossEntropyLoss({ ignoreIndex: -1 })
      const x = Array.from({ length: 9 }, (_, n) => [Math.sin(n), Math.cos(2 * n), n / 9])
      const targets = [0, -1, 2, -1, -1, 3, 1, 2, -1]
      const gradient = async (from, size) => {
        scope(device, () => {
          zeroGrad(model.parameters())
          const part = tensor(device, targets.slice(from, from + size))
          backward(loss(model.forward(tensor(device, x.slice(from, from + size))), part))
        })
        return [...(await model.weight.grad.data())]
      }
      const whole = await gradient(0, 9)
      for (const sizes of [[9], [4, 5], [3, 2, 4], Array(9).fill(1)]) {
        const sum = whole.map(() => 0)
        const found = shares(targets, sizes, -1)
        let from = 0
        for (const [j, size] of sizes.entries()) {
          const part = await gradient(from, size)
          part.forEach((value, i) => (sum[i] += found[j] * value))
          from += size
        }
        sum.forEach((value, i) =>
          assert.ok(
            Math.abs(value - whole[i]) < 1e-14,
            `sizes [${sizes}]: the gradient is ${value} instead of ${whole[i]}`,
          ),
        )
      }
    },
  },
]
