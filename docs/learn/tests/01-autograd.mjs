import assert from 'node:assert/strict'
import { backward, Value } from '../autograd.mjs'

/** |a - b|, beside the size of the numbers. */
const near = (a, b, tolerance, what) =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${what}: ${a} instead of ${b}`)

export default [
  {
    exercise: 'tanh and its gradient',
    check({ tanh }) {
      for (const number of [-3, -0.5, 0, 0.25, 2]) {
        const a = new Value(number)
        const y = tanh(a)
        near(y.number, Math.tanh(number), 1e-15, `tanh(${number})`)
        backward(y.mul(new Value(3)))
        const h = 1e-5
        const difference = (3 * (Math.tanh(number + h) - Math.tanh(number - h))) / (2 * h)
        near(a.gradient, difference, 1e-8, `the gradient of 3 tanh at ${number}`)
      }
      const twice = new Value(0.3)
      backward(tanh(twice).add(tanh(twice)))
      near(twice.gradient, 2 * (1 - Math.tanh(0.3) ** 2), 1e-12, 'the gradient of a value that is used twice')
    },
  },
  {
    exercise: 'a line by gradient descent',
    check({ fitLine }) {
      const points = [
        [-2, -4.9],
        [-1, -3.2],
        [0, -0.8],
        [1, 1.1],
        [2, 2.6],
        [3, 5.2],
      ]
      const mean = (f) => points.reduce((sum, point) => sum + f(point), 0) / points.length
      const [x, y] = [mean((p) => p[0]), mean((p) => p[1])]
      // least squares in closed form
      const slope = mean((p) => (p[0] - x) * (p[1] - y)) / mean((p) => (p[0] - x) ** 2)
      const found = fitLine(points, { steps: 400, rate: 0.1 })
      near(found.slope, slope, 1e-9, 'slope')
      near(found.offset, y - slope * x, 1e-9, 'offset')
      const once = fitLine(
        [
          [1, 2],
          [3, 4],
        ],
        { steps: 1, rate: 0.5 },
      )
      // mean of (y - 0)^2: the gradients are -2 mean(x y) = -14 and -2 mean(y) = -6
      near(once.slope, 7, 1e-12, 'slope after one step')
      near(once.offset, 3, 1e-12, 'offset after one step')
    },
  },
]
