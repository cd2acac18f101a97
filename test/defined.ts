/** Ops as users define them, for the tests of defineOp and of sluice/testing. */
import { defineOp } from '../src/ops/define.js'

/** log(1 + exp(beta x)) / beta, with its gradient by ops. */
export const softplus = defineOp({
  name: 'softplus',
  inputs: ['x'],
  options: { beta: 1 },
  loop([x], y, { beta }) {
    for (let i = 0; i < y.length; i++) {
      const z = beta * x[i]
      y[i] = (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))) / beta
    }
  },
  gpu(i, x, p) {
    const z = p.beta * x[i]
    return (Math.max(z, 0) + Math.log(1 + Math.exp(-Math.abs(z)))) / p.beta
  },
  gradients: {
    x: { saves: ['x'], ops: ({ dy, x }, { beta }) => dy.mul(x.mul(beta).sigmoid()) },
  },
})

/** The logarithm of the sum of exponentials over the last axis, with its gradient as a loop. */
export const rowLogSum = defineOp({
  name: 'rowLogSum',
  inputs: ['x'],
  shape: ([x]) => x.slice(0, -1),
  numbers: ([x]) => ({ size: x[x.length - 1] }),
  loop([x], y, { size }) {
    for (let row = 0; row < y.length; row++) {
      let largest = -Infinity
      for (let j = 0; j < size; j++) largest = Math.max(largest, x[row * size + j])
      let sum = 0
      for (let j = 0; j < size; j++) sum += Math.exp(x[row * size + j] - largest)
      y[row] = largest + Math.log(sum)
    }
  },
  gpu(row, x, p) {
    let largest = x[row * p.size]
    for (let j = 1; j < p.size; j++) {
      largest = Math.max(largest, x[row * p.size + j])
    }
    let sum = 0
    for (let k = 0; k < p.size; k++) {
      sum += Math.exp(x[row * p.size + k] - largest)
    }
    return largest + Math.log(sum)
  },
  gradients: {
    x: {
      saves: ['x', 'output'],
      loop([dy, x, y], dx, { size }) {
        for (let i = 0; i < dx.length; i++) {
          const row = Math.floor(i / size)
          dx[i] = dy[row] * Math.exp(x[i] - y[row])
        }
      },
      gpu(i: number, dy: readonly number[], x: readonly number[], y: readonly number[], p: { size: number }) {
        const row = Math.floor(i / p.size)
        return dy[row] * Math.exp(x[i] - y[row])
      },
    },
  },
})

/** a[i] b[i] where the gate is open, 0 elsewhere; the gate has no gradient. */
export const gatedProduct = defineOp({
  name: 'gatedProduct',
  inputs: ['a', 'b', 'gate'],
  options: { threshold: 0.5, open: false },
  loop([a, b, gate], y, { threshold, open }) {
    for (let i = 0; i < y.length; i++) y[i] = open || gate[i] > threshold ? a[i] * b[i] : 0
  },
  gpu: `(i, a, b, gate, p) => p.open > 0.5 || gate[i] > p.threshold ? a[i] * b[i] : 0.0`,
  gradients: {
    a: {
      saves: ['b', 'gate'],
      loop([dy, b, gate], da, { threshold, open }) {
        for (let i = 0; i < da.length; i++) da[i] = open || gate[i] > threshold ? dy[i] * b[i] : 0
      },
      gpu: '(i, dy, b, gate, p) => p.open > 0.5 || gate[i] > p.threshold ? dy[i] * b[i] : 0.0',
    },
    b: {
      saves: ['a', 'gate'],
      loop([dy, a, gate], db, { threshold, open }) {
        for (let i = 0; i < db.length; i++) db[i] = open || gate[i] > threshold ? dy[i] * a[i] : 0
      },
      gpu: '(i, dy, a, gate, p) => p.open > 0.5 || gate[i] > p.threshold ? dy[i] * a[i] : 0.0',
    },
    gate: null,
  },
})
