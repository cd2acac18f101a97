/**
 * Ops as users write them, and the faults that users make in them: each fault is the right definition with the lines that
 * somebody got wrong. `op` takes them as a JavaScript user gives them, without types.
 */
import type { Floats } from '../../kernels/kernels.js'
import { mul, sub } from '../../src/ops/binary.js'
import { defineOp } from '../../src/ops/define.js'
import { matmul } from '../../src/ops/matmul.js'
import { mean, sum } from '../../src/ops/reduce.js'
import { softmax } from '../../src/ops/softmax.js'
import { noGrad } from '../../src/ops/tape.js'
import { exp, relu, sigmoid, square, tanh } from '../../src/ops/unary.js'
import { detach } from '../../src/ops/views.js'
import '../../src/ops/chain.js'
import { keep, tensor } from '../../src/index.js'
import type { Shape } from '../../src/tensor/shape.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import type { Fn } from '../../src/testing/index.js'

type Numbers = Record<string, number>
type Loop = (inputs: readonly Floats[], y: Floats, p: Numbers) => void
interface Given {
  readonly [name: string]: Tensor
}

const op = (definition: object): Fn => (defineOp as unknown as (definition: object) => Fn)(definition)

/** A function of tensors with the shapes of its inputs; `whole` inputs are indices below that number. */
export interface Case {
  readonly shapes: readonly (readonly number[])[]
  readonly whole?: Readonly<Record<number, number>>
  readonly inputs?: readonly number[]
  readonly right: Fn
  readonly wrong: Readonly<Record<string, Fn>>
}

/** y[i] = f(x[i]) */
const each =
  (f: (x: number, p: Numbers) => number): Loop =>
  ([x], y, p) => {
    for (let i = 0; i < y.length; i++) y[i] = f(x[i], p)
  }

// softplus: log(1 + exp(beta x)) / beta

const plus = {
  name: 'softplus',
  inputs: ['x'],
  options: { beta: 1.5 },
  loop: each((x, { beta }) => Math.log1p(Math.exp(beta * x)) / beta),
  gradients: { x: { saves: ['x'], ops: ({ dy, x }: Given, { beta }: Numbers) => dy.mul(x.mul(beta).sigmoid()) } },
}
const plusBy = (ops: (given: Given, options: Numbers) => Tensor, saves = ['x']): Fn =>
  op({ ...plus, gradients: { x: { saves, ops } } })
const plusLoop = (loop: Loop): Fn => op({ ...plus, loop })
let table: number[] | null = null
let last: Floats = new Float64Array()
let calls = 0

export const SOFTPLUS: Case = {
  shapes: [[3, 4]],
  right: op(plus),
  wrong: {
    'beta forgotten in the gradient': plusBy(({ dy, x }) => dy.mul(x.sigmoid())),
    'beta as a factor too much': plusBy(({ dy, x }, { beta }) => dy.mul(x.mul(beta).sigmoid()).mul(beta)),
    'dy forgotten': plusBy(({ x }, { beta }) => x.mul(beta).sigmoid()),
    'output taken for x': plusBy(({ dy, output }, { beta }) => dy.mul(output.mul(beta).sigmoid()), ['output']),
    'sign of x': plusBy(({ dy, x }, { beta }) => dy.mul(x.mul(-beta).sigmoid())),
    'tanh for sigmoid': plusBy(({ dy, x }, { beta }) => dy.mul(x.mul(beta).tanh())),
    'the derivative of sigmoid': plusBy(({ dy, x }, { beta }) => {
      const s = x.mul(beta).sigmoid()
      return dy.mul(s).mul(s.neg().add(1))
    }),
    'dy passed on': plusBy(({ dy }) => dy, []),
    'the mean of dy': plusBy(({ dy, x }, { beta }) => x.mul(beta).sigmoid().mul(dy.mean())),
    'x not saved': plusBy(({ dy, x }, { beta }) => dy.mul(x.mul(beta).sigmoid()), []),
    'gradient of another shape': plusBy(({ dy, x }, { beta }) => dy.mul(x.mul(beta).sigmoid()).sum(0)),
    'division by beta forgotten': plusLoop(each((x, { beta }) => Math.log1p(Math.exp(beta * x)))),
    'the first element forgotten': plusLoop(([x], y, { beta }) => {
      for (let i = 1; i < y.length; i++) y[i] = Math.log1p(Math.exp(beta * x[i])) / beta
    }),
    'the last element forgotten': plusLoop(([x], y, { beta }) => {
      for (let i = 0; i < y.length - 1; i++) y[i] = Math.log1p(Math.exp(beta * x[i])) / beta
    }),
    'only where x is positive': plusLoop(([x], y, { beta }) => {
      for (let i = 0; i < y.length; i++) if (x[i] > 0) y[i] = Math.log1p(Math.exp(beta * x[i])) / beta
    }),
    'x scaled in place': plusLoop(([x], y, { beta }) => {
      for (let i = 0; i < y.length; i++) {
        x[i] *= beta
        y[i] = Math.log1p(Math.exp(x[i])) / beta
      }
    }),
    'rounded to float32 on the way': plusLoop(
      each((x, { beta }) => Math.fround(Math.log1p(Math.exp(beta * x))) / beta),
    ),
    'added to what is there': plusLoop(([x], y, { beta }) => {
      for (let i = 0; i < y.length; i++) y[i] += Math.log1p(Math.exp(beta * x[i])) / beta
    }),
    'a table that is filled once': plusLoop(([x], y, { beta }) => {
      table ??= Array.from(x, (v) => Math.log1p(Math.exp(beta * v)) / beta)
      for (let i = 0; i < y.length; i++) y[i] = table[i]
    }),
    'noise for regularisation': plusLoop(
      each((x, { beta }) => Math.log1p(Math.exp(beta * x)) / beta + 1e-3 * Math.random()),
    ),
    'annealed by a counter': plusLoop(
      each((x, { beta }) => Math.log1p(Math.exp(beta * x)) / beta / (1 + calls++ / 100)),
    ),
    'x remembered in place of saved': ((): Fn => {
      const act = op({
        ...plus,
        loop: (([x], y, { beta }) => {
          last = x.slice()
          for (let i = 0; i < y.length; i++) y[i] = Math.log1p(Math.exp(beta * x[i])) / beta
        }) as Loop,
        gradients: {
          x: {
            saves: [],
            loop: (([dy], dx, { beta }) => {
              for (let i = 0; i < dx.length; i++) dx[i] = dy[i] / (1 + Math.exp(-beta * last[i]))
            }) as Loop,
          },
        },
      })
      return (x) => act(act(x).mul(2).sub(1))
    })(),
  },
}

// the logarithm of a sum of exponentials over the last axis

const logSum = {
  name: 'rowLogSum',
  inputs: ['x'],
  shape: ([x]: Shape[]) => x.slice(0, -1),
  numbers: ([x]: Shape[]) => ({ size: x[x.length - 1] }),
  loop: (([x], y, { size }) => {
    for (let row = 0; row < y.length; row++) {
      let total = 0
      for (let j = 0; j < size; j++) total += Math.exp(x[row * size + j])
      y[row] = Math.log(total)
    }
  }) as Loop,
  gradients: { x: { saves: ['x', 'output'], loop: rowShare((dy, x, y) => dy * Math.exp(x - y)) } },
}
function rowShare(f: (dy: number, x: number, y: number, size: number) => number): Loop {
  return ([dy, x, y], dx, { size }) => {
    for (let i = 0; i < dx.length; i++) {
      const row = Math.floor(i / size)
      dx[i] = f(dy[row], x[i], y[row], size)
    }
  }
}
const logSumBy = (loop: Loop, saves = ['x', 'output']): Fn => op({ ...logSum, gradients: { x: { saves, loop } } })

export const ROW_LOG_SUM: Case = {
  shapes: [[3, 4]],
  right: op(logSum),
  wrong: {
    'output not subtracted': logSumBy(rowShare((dy, x) => dy * Math.exp(x))),
    'saved in the other order': logSumBy(
      rowShare((dy, x, y) => dy * Math.exp(x - y)),
      ['output', 'x'],
    ),
    'output not saved': logSumBy(
      rowShare((dy, x, y) => dy * Math.exp(x - y)),
      ['x'],
    ),
    'divided by the size': logSumBy(rowShare((dy, x, y, size) => (dy * Math.exp(x - y)) / size)),
    'one minus the share': logSumBy(rowShare((dy, x, y) => dy * (1 - Math.exp(x - y)))),
    'dy of the place in the row': logSumBy(([dy, x, y], dx, { size }) => {
      for (let i = 0; i < dx.length; i++) dx[i] = dy[i % size] * Math.exp(x[i] - y[Math.floor(i / size)])
    }),
    'dy by element': logSumBy(([dy, x, y], dx, { size }) => {
      for (let i = 0; i < dx.length; i++) dx[i] = dy[i] * Math.exp(x[i] - y[Math.floor(i / size)])
    }),
    'the size of the first axis': op({ ...logSum, numbers: ([x]: Shape[]) => ({ size: x[0] }) }),
    'the shape without the first axis': op({ ...logSum, shape: ([x]: Shape[]) => x.slice(1) }),
    'the sum without its logarithm': op({
      ...logSum,
      loop: (([x], y, { size }) => {
        for (let row = 0; row < y.length; row++) {
          y[row] = 0
          for (let j = 0; j < size; j++) y[row] += Math.exp(x[row * size + j])
        }
      }) as Loop,
    }),
    'the last element of each row forgotten': op({
      ...logSum,
      loop: (([x], y, { size }) => {
        for (let row = 0; row < y.length; row++) {
          let total = 0
          for (let j = 0; j < size - 1; j++) total += Math.exp(x[row * size + j])
          y[row] = Math.log(total)
        }
      }) as Loop,
    }),
    'the total carried to the next row': op({
      ...logSum,
      loop: (([x], y, { size }) => {
        let total = 0
        for (let row = 0; row < y.length; row++) {
          for (let j = 0; j < size; j++) total += Math.exp(x[row * size + j])
          y[row] = Math.log(total)
        }
      }) as Loop,
    }),
  },
}

// rows of length one: x / sqrt(sum of x^2 + eps)

const lengthOf = (x: Floats, row: number, size: number, eps: number): number => {
  let total = eps
  for (let j = 0; j < size; j++) total += x[row * size + j] ** 2
  return Math.sqrt(total)
}
function unitLoop(f: (x: number, length: number) => number): Loop {
  return ([x], y, { size, eps }) => {
    for (let i = 0; i < y.length; i++) y[i] = f(x[i], lengthOf(x, Math.floor(i / size), size, eps))
  }
}
function unitGradient(f: (v: { dy: number; x: number; y: number; along: number; length: number }) => number): Loop {
  return ([dy, x, y], dx, { size, eps }) => {
    for (let i = 0; i < dx.length; i++) {
      const row = Math.floor(i / size)
      let along = 0
      for (let j = 0; j < size; j++) along += dy[row * size + j] * y[row * size + j]
      dx[i] = f({ dy: dy[i], x: x[i], y: y[i], along, length: lengthOf(x, row, size, eps) })
    }
  }
}
const unitRows = {
  name: 'unitRows',
  inputs: ['x'],
  options: { eps: 1e-3 },
  numbers: ([x]: Shape[]) => ({ size: x[x.length - 1] }),
  loop: unitLoop((x, length) => x / length),
  gradients: {
    x: { saves: ['x', 'output'], loop: unitGradient(({ dy, y, along, length }) => (dy - y * along) / length) },
  },
}
const unitBy = (f: Parameters<typeof unitGradient>[0]): Fn =>
  op({ ...unitRows, gradients: { x: { saves: ['x', 'output'], loop: unitGradient(f) } } })

export const UNIT_ROWS: Case = {
  shapes: [[3, 4]],
  right: op(unitRows),
  wrong: {
    'the length taken for a constant': unitBy(({ dy, length }) => dy / length),
    'the projection added': unitBy(({ dy, y, along, length }) => (dy + y * along) / length),
    'x for y in the projection': unitBy(({ dy, x, along, length }) => (dy - x * along) / length),
    'the length forgotten': unitBy(({ dy, y, along }) => dy - y * along),
    'the square of the length': unitBy(({ dy, y, along, length }) => (dy - y * along) / length ** 2),
    'the projection not scaled': unitBy(({ dy, y, along, length }) => dy / length - y * along),
    'the square in the forward': op({ ...unitRows, loop: unitLoop((x, length) => x / length ** 2) }),
    'the length of all rows': op({
      ...unitRows,
      loop: (([x], y, { eps }) => {
        const length = lengthOf(x, 0, x.length, eps)
        for (let i = 0; i < y.length; i++) y[i] = x[i] / length
      }) as Loop,
    }),
    'eps outside of the root': op({
      ...unitRows,
      loop: (([x], y, { size, eps }) => {
        for (let i = 0; i < y.length; i++) y[i] = x[i] / (lengthOf(x, Math.floor(i / size), size, 0) + eps)
      }) as Loop,
    }),
  },
}

// each column times its gain: x [N, F], gain [F]

const gained = {
  name: 'gained',
  inputs: ['x', 'gain'],
  shape: ([x]: Shape[]) => x,
  numbers: ([, [size]]: Shape[]) => ({ size }),
  loop: (([x, gain], y, { size }) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i] * gain[i % size]
  }) as Loop,
  gradients: {
    x: {
      saves: ['gain'],
      loop: (([dy, gain], dx, { size }) => {
        for (let i = 0; i < dx.length; i++) dx[i] = dy[i] * gain[i % size]
      }) as Loop,
    },
    gain: {
      saves: ['x'],
      loop: (([dy, x], dgain, { size }) => {
        dgain.fill(0)
        for (let i = 0; i < dy.length; i++) dgain[i % size] += dy[i] * x[i]
      }) as Loop,
    },
  },
}
const gainBy = (loop: Loop, saves = ['x']): Fn =>
  op({ ...gained, gradients: { ...gained.gradients, gain: { saves, loop } } })
const xBy = (loop: Loop, saves = ['gain']): Fn =>
  op({ ...gained, gradients: { ...gained.gradients, x: { saves, loop } } })

export const GAINED: Case = {
  shapes: [[3, 4], [4]],
  right: op(gained),
  wrong: {
    'the last row wins': gainBy(([dy, x], dgain, { size }) => {
      for (let i = 0; i < dy.length; i++) dgain[i % size] = dy[i] * x[i]
    }),
    'the sum not begun at 0': gainBy(([dy, x], dgain, { size }) => {
      for (let i = 0; i < dy.length; i++) dgain[i % size] += dy[i] * x[i]
    }),
    'the mean over rows': gainBy(([dy, x], dgain, { size }) => {
      dgain.fill(0)
      for (let i = 0; i < dy.length; i++) dgain[i % size] += (dy[i] * x[i] * size) / dy.length
    }),
    'x forgotten': gainBy(([dy], dgain, { size }) => {
      dgain.fill(0)
      for (let i = 0; i < dy.length; i++) dgain[i % size] += dy[i]
    }, []),
    'output saved for x': gainBy(gained.gradients.gain.loop, ['output']),
    'the gain of the row': xBy(([dy, gain], dx, { size }) => {
      for (let i = 0; i < dx.length; i++) dx[i] = dy[i] * gain[Math.floor(i / size)]
    }),
    'the gain forgotten': xBy(([dy], dx) => dx.set(dy), []),
    'x saved for the gain': xBy(gained.gradients.x.loop, ['x']),
    'the gain held constant': op({ ...gained, gradients: { ...gained.gradients, gain: null } }),
    'gradients exchanged': ((): Fn => {
      const product = op({
        name: 'product',
        inputs: ['a', 'b'],
        loop: (([a, b], y) => y.forEach((_, i) => (y[i] = a[i] * b[i]))) as Loop,
        gradients: {
          a: { saves: ['a'], ops: ({ dy, a }: Given) => dy.mul(a) },
          b: { saves: ['b'], ops: ({ dy, b }: Given) => dy.mul(b) },
        },
      })
      return (x, gain) => product(x, gain.broadcastTo(x.shape))
    })(),
  },
}

// a decaying sum along the last axis: y[t] = decay y[t - 1] + x[t]

function scan(step: (before: number, x: number, decay: number) => number, backwards = false, ends = true): Loop {
  return (inputs, y, { size, decay }) => {
    const x = inputs[0]
    let carry = 0
    for (let n = 0; n < y.length; n++) {
      const i = backwards ? y.length - 1 - n : n
      if (ends && n % size === 0) carry = 0
      carry = step(carry, x[i], decay)
      y[i] = carry
    }
  }
}
const decaying = {
  name: 'decaying',
  inputs: ['x'],
  options: { decay: 0.75 },
  numbers: ([x]: Shape[]) => ({ size: x[x.length - 1] }),
  loop: scan((before, x, decay) => decay * before + x),
  gradients: { x: { saves: [], loop: scan((before, dy, decay) => decay * before + dy, true) } },
}
const decayBy = (loop: Loop): Fn => op({ ...decaying, gradients: { x: { saves: [], loop } } })

export const DECAYING: Case = {
  shapes: [[3, 4]],
  right: op(decaying),
  wrong: {
    'the gradient from the front': decayBy(scan((before, dy, decay) => decay * before + dy)),
    'no carry in the gradient': decayBy(scan((_, dy) => dy, true)),
    'no decay in the gradient': decayBy(scan((before, dy) => before + dy, true)),
    'dy decays too': decayBy(scan((before, dy, decay) => decay * (before + dy), true)),
    'the carry crosses rows': op({ ...decaying, loop: scan((before, x, decay) => decay * before + x, false, false) }),
    'the carry crosses rows in the gradient': decayBy(scan((before, dy, decay) => decay * before + dy, true, false)),
    'the other average': op({ ...decaying, loop: scan((before, x, decay) => decay * before + (1 - decay) * x) }),
  },
}

// rows of a table by index

const looked = {
  name: 'looked',
  inputs: ['table', 'at'],
  shape: ([[, width], [count]]: Shape[]) => [count, width],
  numbers: ([[, width]]: Shape[]) => ({ width }),
  loop: (([table, at], y, { width }) => {
    for (let i = 0; i < y.length; i++) y[i] = table[at[Math.floor(i / width)] * width + (i % width)]
  }) as Loop,
  gradients: {
    table: {
      saves: ['at'],
      loop: (([dy, at], dtable, { width }) => {
        dtable.fill(0)
        for (let i = 0; i < dy.length; i++) dtable[at[Math.floor(i / width)] * width + (i % width)] += dy[i]
      }) as Loop,
    },
    at: null,
  },
}
const tableBy = (loop: Loop): Fn => op({ ...looked, gradients: { table: { saves: ['at'], loop }, at: null } })

export const LOOKED: Case = {
  shapes: [[3, 2], [7]],
  whole: { 1: 3 },
  inputs: [0],
  right: op(looked),
  wrong: {
    'the last use wins': tableBy(([dy, at], dtable, { width }) => {
      dtable.fill(0)
      for (let i = 0; i < dy.length; i++) dtable[at[Math.floor(i / width)] * width + (i % width)] = dy[i]
    }),
    'rows that are not used keep what was there': tableBy(([dy, at], dtable, { width }) => {
      for (const row of new Set(at)) dtable.fill(0, row * width, (row + 1) * width)
      for (let i = 0; i < dy.length; i++) dtable[(at[Math.floor(i / width)] % 2) * width + (i % width)] += dy[i]
    }),
    'one-based in the gradient': tableBy(([dy, at], dtable, { width }) => {
      dtable.fill(0)
      for (let i = 0; i < dy.length; i++) dtable[(at[Math.floor(i / width)] - 1) * width + (i % width)] += dy[i]
    }),
    'columns for rows': tableBy(([dy, at], dtable, { width }) => {
      dtable.fill(0)
      for (let i = 0; i < dy.length; i++) dtable[at[i % width] * width + (i % width)] += dy[i]
    }),
    'one-based in the forward': op({
      ...looked,
      loop: (([table, at], y, { width }) => {
        for (let i = 0; i < y.length; i++) y[i] = table[(at[Math.floor(i / width)] - 1) * width + (i % width)]
      }) as Loop,
    }),
  },
}

// made of ops of the library

const smooth = (x: Tensor, w: Tensor): Tensor => mul(tanh(matmul(x, w)), 1.5)

export const COMPOSED: Case = {
  shapes: [
    [3, 4],
    [4, 2],
  ],
  right: smooth,
  wrong: {
    'the weight detached': (x, w) => mul(tanh(matmul(x, detach(w))), 1.5),
    'half of a product detached': (x, w) => mul(smooth(x, w), detach(sigmoid(matmul(x, w)))),
    'a scale made without recording': (x, w) => {
      const scale = noGrad(x.device, () => mean(square(x)))
      return mul(smooth(x, w), scale)
    },
    'straight through': (x, w) => {
      const y = matmul(x, w)
      return y.add(detach(sub(relu(y), y)))
    },
    'the maximum as a constant, and the softmax not shifted by it': (x, w) => {
      const y = matmul(x, w)
      return mul(exp(sub(y, detach(y.max(1, { keepDims: true })))), 1)
    },
    'values of this call in the next': ((): Fn => {
      let before = 1
      return (x, w) => {
        const y = mul(smooth(x, w), before)
        before *= 1.01
        return y
      }
    })(),
    'a random scale': (x, w) => mul(smooth(x, w), 1 + Math.random() / 10),
    'an intermediate kept for a look at it': (x, w) => softmax(keep(matmul(x, w))),
    'a mask drawn anew': (x, w) => {
      const y = smooth(x, w)
      const mask = tensor(
        y.device,
        Float64Array.from({ length: y.size }, () => (Math.random() < 0.5 ? 2 : 0)),
        y.shape,
      )
      return mul(y, mask)
    },
    'a penalty that is not differentiated': (x, w) => smooth(x, w).add(noGrad(w.device, () => sum(square(w)))),
  },
}
