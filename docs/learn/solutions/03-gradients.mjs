import { defineOp } from 'sluice'

export function makeSoftsign() {
  return defineOp({
    name: 'softsign',
    inputs: ['x'],
    loop([x], y) {
      for (let i = 0; i < y.length; i++) y[i] = x[i] / (1 + Math.abs(x[i]))
    },
    gradients: { x: { saves: ['x'], ops: ({ dy, x }) => dy.div(x.abs().add(1).square()) } },
  })
}

export function gradientError(f, gradient, x) {
  const h = 1e-5
  const moved = (i, by) => x.map((value, j) => (i === j ? value + by : value))
  const errors = gradient(x).map((found, i) => {
    const quotient = (f(moved(i, h)) - f(moved(i, -h))) / (2 * h)
    return Math.abs(quotient - found) / Math.max(1, Math.abs(quotient))
  })
  return Math.max(...errors)
}
