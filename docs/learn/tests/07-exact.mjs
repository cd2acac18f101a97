import assert from 'node:assert/strict'

const near = (a, b, tolerance, what) =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${what}: ${a} instead of ${b}`)

const sum = (x) => x.reduce((total, value) => total + value, 0)

function statisticsOf(x) {
  const mean = x.length ? sum(x) / x.length : 0
  return { count: x.length, mean, squares: sum(x.map((value) => (value - mean) ** 2)) }
}

export default [
  {
    exercise: 'statistics of parts',
    check({ merge }) {
      const x = Array.from({ length: 23 }, (_, i) => Math.sin(i * i) + i / 7)
      // a shift by 2^20 is exact for these, and would cost a sum of squares about 0 six digits
      for (const shift of [0, 2 ** 20]) {
        for (const cuts of [
          [0, 1, 23],
          [0, 7, 8, 23],
          [0, 5, 5, 11, 23],
        ]) {
          const parts = cuts.slice(1).map((to, j) => x.slice(cuts[j], to).map((value) => Math.fround(value) + shift))
          const whole = statisticsOf(parts.flat())
          const found = parts.map(statisticsOf).reduce((a, b) => merge(a, b))
          assert.equal(found.count, whole.count)
          near(found.mean, whole.mean, 1e-14, `the mean of parts ${cuts}`)
          near(found.squares, whole.squares, 1e-8, `the squares of parts ${cuts}, shifted by ${shift}`)
        }
      }
      const empty = { count: 0, mean: 0, squares: 0 }
      assert.deepEqual(merge(empty, empty), empty, 'two empty parts')
    },
  },
  {
    exercise: 'the gradient of batch norm',
    check({ normGradient }) {
      const parts = [[0.5, -1, 2], [3], [-0.25, 1.5]]
      const dys = [[1, 0.5, -2], [0.25], [3, -1]]
      const eps = 1e-5
      const value = (x) => {
        const all = x.flat()
        const { mean, squares } = statisticsOf(all)
        const deviation = Math.sqrt(squares / all.length + eps)
        const dy = dys.flat()
        return sum(all.map((each, i) => (dy[i] * (each - mean)) / deviation))
      }
      const found = normGradient(parts, dys, eps)
      parts.forEach((x, j) => {
        assert.equal(found[j].length, x.length, `the samples of micro-batch ${j}`)
        x.forEach((_, i) => {
          const h = 1e-5
          const moved = (by) => parts.map((part, a) => part.map((each, b) => (a === j && b === i ? each + by : each)))
          near(found[j][i], (value(moved(h)) - value(moved(-h))) / (2 * h), 1e-8, `sample ${i} of micro-batch ${j}`)
        })
      })
    },
  },
]
