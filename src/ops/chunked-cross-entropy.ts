/**
 * Cross-entropy of a linear layer: crossEntropy(linear(x, w, bias), targets), for so many classes that the logits of all rows are
 * the largest tensor of a step.
 *
 * Note [Rows in chunks]
 *   The forward takes the rows (the tokens) in chunks. It makes the logits of a chunk, their losses, the gradient of the
 *   logits and the chunk's terms of dx, dw and dbias, all as if the gradient of the loss were 1. Then the next chunk uses
 *   the same memory. The backward multiplies by the gradient of the loss, which is one number. So each product runs once,
 *   as in the plain form. To make the logits again in the backward instead would save the memory of dw between forward and
 *   backward, and cost a fourth product for every three.
 *
 * Not here: the public functions (linear-cross-entropy.ts).
 */
import type { ClassRows } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { ShapeError } from '../tensor/errors.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import { CLASSES, type Classes } from './class-options.js'
import { checkWeights } from './loss.js'
import type { ForwardCall, Gradient, Op } from './op.js'
import { withWorkspace } from './op.js'
import { grid, index, positive, sample } from './sample.js'
import { accumulate } from './send.js'

export const NAME = 'linearCrossEntropy'

/** The settings of the op, whose inputs are x [rows, D], w [V, D], targets [rows], bias? [V], weights? [rows]. */
interface Settings extends Classes {
  biased: boolean
  weighted: boolean
  /** rows in a chunk */
  chunk: number
  /** is a gradient of x, of w, of the bias wanted? */
  wanted: readonly [x: boolean, w: boolean, bias: boolean]
}

interface Sizes {
  rows: number
  width: number
  classes: number
}

/** @throws ShapeError  shapes that do not match */
export function sizesOf([x, w, targets, bias]: readonly (Shape | undefined)[]): Sizes {
  const fail = (why: string): never => {
    throw new ShapeError(
      `${NAME}: x ${showShape(x ?? [])}, weight ${showShape(w ?? [])} and targets ${showShape(targets ?? [])}: ${why}`,
    )
  }
  if (!x || !w || !targets || x.length < 2) return fail('x must be [N, ..., D]')
  const [classes, width] = w
  if (w.length !== 2 || x.at(-1) !== width) fail(`the weight must be [V, ${x.at(-1)}]`)
  if (!sameShape(targets, x.slice(0, -1))) fail(`the targets must be ${showShape(x.slice(0, -1))}`)
  if (bias && !sameShape(bias, [classes])) fail(`the bias ${showShape(bias)} must be [${classes}]`)
  return { rows: sizeOf(targets), width, classes }
}

/** The optional inputs. */
const operandsOf = <One>(inputs: readonly One[], { biased, weighted }: Settings) => ({
  bias: biased ? inputs[3] : undefined,
  weights: weighted ? inputs[biased ? 4 : 3] : undefined,
})

/** A copy of a range of a storage. For the whole range it is the storage itself. */
function rangeOf(device: Device, storage: Storage, offset: number, size: number, made: (size: number) => Storage) {
  if (size === storage.size) return storage
  const range = made(size)
  device.run('stridedCopy', { shape: [size], strides: [1], offset }, [storage], [range])
  return range
}

const ONE_MATRIX = { batch: 1, offsetsA: [0], offsetsB: [0], bias: false, accumulate: false }

/** Note [Rows in chunks]. */
function forward(call: ForwardCall<Settings>): void {
  const { device, shapes, options, inputs, output, extras, workspace } = call
  const { rows, width, classes } = sizesOf(shapes.slice(0, 3))
  const { chunk, wanted, weighted } = options
  const [x, w, targets] = inputs
  const { bias, weights: each } = operandsOf(inputs, options)
  const weights = each ? [each] : []
  const rowsOf = (outer: number, count: number): ClassRows => ({
    outer,
    classes: count,
    inner: 1,
    weighted,
    ignoreIndex: options.ignoreIndex,
    labelSmoothing: options.labelSmoothing,
  })
  const [losses, counts, mean, total, one] = [
    workspace(rows),
    workspace(rows),
    workspace(1),
    workspace(1),
    workspace(1),
  ]
  // the weight of a row does not depend on its logits, so any numbers serve as the logits of one class
  device.run('crossEntropyRows', rowsOf(rows, 1), [targets, targets, ...weights], [losses, counts])
  device.run('weightedMean', { rows }, [counts, counts], [mean, total])
  device.run('fill', { size: 1, value: 1 }, [], [one])
  const left = [...extras]
  const [dx, dw, dbias] = wanted.map((each) => (extras.length > 0 && each ? left.shift() : undefined))
  const pieces: Storage[] = []
  const slopes: Storage[] = []
  for (let from = 0; from < rows; from += chunk) {
    const count = Math.min(chunk, rows - from)
    const piece = workspace(count)
    pieces.push(piece)
    const slope = dx && workspace(count * width)
    if (slope) slopes.push(slope)
    withWorkspace(device, (made) => {
      const range = (storage: Storage, each: number) => rangeOf(device, storage, from * each, count * each, made)
      const own = [range(targets, 1), ...weights.map((storage) => range(storage, 1))]
      const features = range(x, width)
      const logits = made(count * classes)
      const product = { m: count, k: width, n: classes, transposeA: false, transposeB: true }
      device.run(
        'matmul',
        { ...ONE_MATRIX, ...product, bias: bias !== undefined },
        [features, w, ...(bias ? [bias] : [])],
        [logits],
      )
      device.run('crossEntropyRows', rowsOf(count, classes), [logits, ...own], [piece, made(count)])
      if (extras.length === 0) return
      const slopesOfLogits = device.aliases ? logits : made(count * classes)
      device.run('crossEntropyGradient', rowsOf(count, classes), [one, total, logits, ...own], [slopesOfLogits])
      if (slope) {
        const back = { m: count, k: classes, n: width, transposeA: false, transposeB: false }
        device.run('matmul', { ...ONE_MATRIX, ...back }, [slopesOfLogits, w], [slope])
      }
      const add = from > 0
      if (dw) {
        const across = { m: classes, k: count, n: width, transposeA: true, transposeB: false }
        const call = { ...ONE_MATRIX, ...across }
        if (add) accumulate(device, 'matmul', call, dw, [slopesOfLogits, features])
        else device.run('matmul', call, [slopesOfLogits, features], [dw])
      }
      if (dbias) {
        const down = {
          shape: [count, classes],
          reduced: [true, false],
          function: 'sum',
          scale: 1,
          accumulate: false,
        } as const
        if (add) accumulate(device, 'reduce', down, dbias, [slopesOfLogits])
        else device.run('reduce', down, [slopesOfLogits], [dbias])
      }
    })
  }
  const join = (parts: readonly Storage[], whole: Storage) =>
    device.run('concat', { outer: 1, sizes: parts.map(({ size }) => size), inner: 1 }, parts, [whole])
  join(pieces, losses)
  if (dx) join(slopes, dx)
  device.run('weightedMean', { rows }, [losses, counts], [output, mean])
}

/** dy times the gradient that the forward made. */
const scaled = (place: 0 | 1 | 2): Gradient<Settings> => ({
  saves: ['extras'],
  send: ({ options: { wanted }, dy, extra }, target) => {
    const slope = extra(wanted.slice(0, place).filter(Boolean).length)
    const parameters = { function: 'mul', shape: [slope.size], stridesA: [1], stridesB: [0] } as const
    target.run('binary', parameters, [slope, dy])
  },
})

const PLAIN = { biased: false, weighted: false, wanted: [true, true, false] } as const

export const linearCrossEntropyOp: Op<Settings> = {
  name: NAME,
  settings: ({ labelSmoothing }) => ({ labelSmoothing }),
  shape: (shapes, options) => {
    const { bias, weights } = operandsOf(shapes, options)
    sizesOf([shapes[0], shapes[1], shapes[2], bias])
    checkWeights(NAME, weights, shapes[0][0])
    return []
  },
  extras: ([x, w], { wanted }) => [sizeOf(x), sizeOf(w), w[0]].filter((_, i) => wanted[i]),
  extrasOnlyForGradients: true,
  forward,
  gradients: [scaled(0), scaled(1), null, scaled(2), null],
  samples: [
    sample({ ...CLASSES, ...PLAIN, chunk: 1 }, [[5, 2], grid], [[3, 2], grid], [[5], index(3)]),
    sample(
      { ignoreIndex: 1, labelSmoothing: 0.25, biased: true, weighted: true, wanted: [true, true, true], chunk: 1 },
      [[4, 3], grid],
      [[4, 3], grid],
      [[4], index(4)],
      [[4], grid],
      [[4], positive],
    ),
  ],
}
