import assert from 'node:assert/strict'
import { checkGradient, openDevice, tensor } from 'sluice'

export default [
  {
    exercise: 'softsign as an op',
    async check({ makeSoftsign }) {
      const softsign = makeSoftsign()
      const device = await openDevice('reference', { memory: '64KiB' })
      const values = await softsign(tensor(device, [-3, -0.5, 0, 1, 7])).array()
      assert.deepEqual(values, [-3 / 4, -0.5 / 1.5, 0, 1 / 2, 7 / 8], 'the values of softsign')
      const { ok, worstError } = await checkGradient(softsign, [[-3, -0.5, 0.25, 1, 7]])
      assert.ok(ok, `the gradient of softsign is wrong by ${worstError}`)
      const { ok: inside } = await checkGradient(
        (x) => softsign(x.mul(2)).sum(),
        [
          [
            [0.5, -1],
            [2, -0.125],
          ],
        ],
      )
      assert.ok(inside, 'the gradient of sum(softsign(2 x)) is wrong')
    },
  },
  {
    exercise: 'a gradient check',
    check({ gradientError }) {
      const f = ([a, b, c]) => a * b + Math.sin(c) * 3
      const right = ([a, b, c]) => [b, a, 3 * Math.cos(c)]
      const x = Object.freeze([0.5, -2, 1])
      assert.ok(gradientError(f, right, x) < 1e-8, `a right gradient has the error ${gradientError(f, right, x)}`)
      for (const [i, factor] of [
        [0, 2],
        [1, -1],
        [2, 1.001],
      ]) {
        const wrong = (at) => right(at).map((value, j) => (i === j ? factor * value : value))
        const error = gradientError(f, wrong, x)
        const quotient = right(x)[i]
        const expected = Math.abs((factor - 1) * quotient) / Math.max(1, Math.abs(quotient))
        assert.ok(Math.abs(error - expected) < 1e-8, `element ${i} is off by ${expected}, and the check says ${error}`)
      }
    },
  },
]
