import { backward, record, Value } from '../autograd.mjs'

export function tanh(a) {
  const y = Math.tanh(a.number)
  return record('tanh', y, [a], (d) => [d * (1 - y * y)])
}

export function fitLine(points, { steps, rate }) {
  let [slope, offset] = [0, 0]
  for (let step = 0; step < steps; step++) {
    // new values in each step: their gradients begin at 0
    const [a, b] = [new Value(slope), new Value(offset)]
    let sum = new Value(0)
    for (const [x, y] of points) {
      const error = a.mul(new Value(x)).add(b).sub(new Value(y))
      sum = sum.add(error.mul(error))
    }
    backward(sum.div(new Value(points.length)))
    slope -= rate * a.gradient
    offset -= rate * b.gradient
  }
  return { slope, offset }
}
