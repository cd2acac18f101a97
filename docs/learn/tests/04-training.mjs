import assert from 'node:assert/strict'
import { backward, openDevice, optim, Parameter, scope, tensor } from 'sluice'

const near = (a, b, what) =>
  a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < 1e-12, `${what}: ${a} instead of ${b}`))

export default [
  {
    exercise: 'a network with a skip connection',
    async check({ Skip }) {
      const device = await openDevice('reference', { memory: '64KiB' })
      const model = new Skip(device, 2, 3)
      const x = tensor(device, [[1, -2]])
      model.forward(x)
      assert.deepEqual(
        [...model.namedParameters()].map(([name, { shape }]) => `${name} [${shape}]`).sort(),
        ['inner.bias [2]', 'inner.weight [2,2]', 'out.bias [3]', 'out.weight [3,2]'],
        'the parameters',
      )
      model.inner.weight.set([1, 0.5, -1, 0.25])
      model.inner.bias.set([0.5, 0.25])
      model.out.weight.set([1, 0, 0, 1, 2, -1])
      model.out.bias.set([0, 0, 10])
      // inner: 1 - 1 + 0.5 = 0.5 and -1 - 0.5 + 0.25 = -1.25; relu: 0.5 and 0; plus x: 1.5 and -2
      near((await model.forward(x).array())[0], [1.5, -2, 2 * 1.5 + 2 + 10], 'the output')
    },
  },
  {
    exercise: 'momentum',
    async check({ momentumStep }) {
      const settings = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }
      const [w, v] = [
        [1, -2, 3],
        [0, 0, 0],
      ]
      momentumStep(w, [10, 0, -1], v, settings)
      near(w, [1 - 0.1 * (10 + 0.01), -2 + 0.1 * 0.02, 3 - 0.1 * (-1 + 0.03)], 'the first step by hand')
      const device = await openDevice('reference', { memory: '64KiB' })
      const parameter = new Parameter(device, [3], () => [1, -2, 3])
      const optimizer = optim.sgd([parameter], settings)
      const [mine, sums] = [
        [1, -2, 3],
        [0, 0, 0],
      ]
      for (let step = 0; step < 5; step++) {
        const gradient = mine.map((value) => 2 * value) // of the sum of squares
        scope(device, () => {
          optimizer.zeroGrad()
          backward(parameter.square().sum())
          optimizer.step()
        })
        momentumStep(mine, gradient, sums, settings)
        near(mine, [...(await parameter.data())], `step ${step + 1} beside optim.sgd`)
      }
    },
  },
]
