/**
 * Every op that adds, over up to 2^22 terms, on the cpu device in each of its variants: Note [Long sums] in
 * kernels/simd/assembly/machine/sums.ts. All terms are equal, so that roundings do not cancel, as they do among terms
 * of both signs.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import {
  averagePool2d,
  batchNorm2d,
  bceWithLogits,
  conv2d,
  convTranspose2d,
  crossEntropy,
  data,
  embedding,
  full,
  groupNorm,
  layerNorm,
  linear,
  logSoftmax,
  matmul,
  mean,
  mse,
  mul,
  nn,
  optim,
  requireGrad,
  reshape,
  Streamer,
  scaledDotProductAttention,
  scope,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  variance,
} from '../src/index.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { blockSum, EXACT_SUM, longSum } from './tolerances.js'
import { variants } from './variants.js'

/** A sum of n terms made of v, a value of float32. Each element of the result should be `wanted`. */
interface Sum {
  of: string
  /** the largest n of the test is 2^most */
  most: number
  result(device: Device, n: number, v: number): Tensor
  wanted(n: number, v: number): number
  /** the largest relative error that is allowed */
  limit(n: number): number
}

/**
 * The gradient of a norm with respect to its scale: the sum of v times n normalised values, each 1 or -1 before the
 * norm.
 */
const SCALE_GRADIENT: Pick<Sum, 'wanted' | 'limit'> = {
  wanted: (n, v) => (n * v) / Math.sqrt(1 + 1e-5),
  limit: longSum,
}

/** The gradient of the sum of f(x) with respect to x. */
function gradient(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  requireGrad(x)
  backward(sum(f(x)))
  if (!x.grad) throw new Error('there is no gradient')
  return x.grad
}

/** v and -v alternate. */
function alternating(device: Device, shape: readonly number[], v: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(
    device,
    Float32Array.from({ length: size }, (_, i) => (i % 2 === 0 ? v : -v)),
    shape,
  )
}

/** [outer, n, inner] filled with v, except that the first of the n is 1, the maximum: only its exponential is exact. */
function peak(device: Device, [outer, n, inner]: readonly [number, number, number], v: number): Tensor {
  const of = (i: number): number => (Math.floor(i / inner) % n === 0 ? 1 : v)
  return tensor(
    device,
    Float32Array.from({ length: outer * n * inner }, (_, i) => of(i)),
    [outer, n, inner],
  )
}

/** The sum of exp(x - max) over the n values of `peak`. */
const peakTotal = (n: number, v: number): number => 1 + (n - 1) * Math.exp(v - 1)

const softplus = (x: number): number => Math.log1p(Math.exp(x))

const SUMS: readonly Sum[] = [
  {
    of: 'a product',
    most: 22,
    result: (device, n, v) => matmul(full(device, [1, n], v), full(device, [n, 1], v)),
    wanted: (n, v) => n * v * v,
    limit: (n) => blockSum(n, 256),
  },
  {
    of: 'a batch of products, many rows and columns',
    most: 16,
    result: (device, n, v) => matmul(full(device, [9, 3, n], v), full(device, [9, n, 5], v)),
    wanted: (n, v) => n * v * v,
    limit: (n) => blockSum(n, 128),
  },
  {
    of: 'a linear layer with bias',
    most: 20,
    result: (device, n, v) => linear(full(device, [3, n], v), full(device, [2, n], v), full(device, [2], 1)),
    wanted: (n, v) => n * v * v + 1,
    limit: (n) => blockSum(n, 256),
  },
  {
    of: 'the weight gradient of a linear layer',
    most: 22,
    result: (device, n, v) => gradient(full(device, [1, 1], v), (w) => mul(linear(full(device, [n, 1], v), w), v)),
    wanted: (n, v) => n * v * v,
    limit: (n) => blockSum(n, 256),
  },
  {
    of: 'the bias gradient of a linear layer',
    most: 20,
    result: (device, n, v) =>
      gradient(full(device, [3], v), (b) => mul(linear(full(device, [n, 1], v), full(device, [3, 1], v), b), v)),
    wanted: (n, v) => n * v,
    limit: longSum,
  },
  {
    of: 'a convolution of many channels',
    most: 19,
    result: (device, n, v) => conv2d(full(device, [1, n, 1, 2], v), full(device, [9, n, 1, 2], v)),
    wanted: (n, v) => 2 * n * v * v,
    limit: (n) => blockSum(2 * n, 256),
  },
  {
    of: 'a convolution to few channels',
    most: 13,
    result: (device, n, v) => {
      const rows = Math.ceil(n / 48)
      return conv2d(full(device, [2, 1, rows + 1, 64], v), full(device, [3, 1, rows, 48], v))
    },
    wanted: (n, v) => Math.ceil(n / 48) * 48 * v * v,
    limit: (n) => blockSum(n + 48, 256),
  },
  {
    of: 'the input gradient of a convolution to many channels',
    most: 18,
    result: (device, n, v) =>
      gradient(full(device, [1, 9, 1, 1], v), (x) => mul(conv2d(x, full(device, [n, 9, 1, 1], v)), v)),
    wanted: (n, v) => n * v * v,
    limit: (n) => blockSum(n, 256),
  },
  {
    of: 'a transposed convolution of many channels',
    most: 18,
    result: (device, n, v) => convTranspose2d(full(device, [1, n, 1, 1], v), full(device, [n, 9, 1, 1], v)),
    wanted: (n, v) => n * v * v,
    limit: (n) => blockSum(n, 256),
  },
  {
    of: 'the weight gradient of a convolution, over many images',
    most: 16,
    result: (device, n, v) =>
      gradient(full(device, [6, 6, 1, 1], v), (w) => mul(conv2d(full(device, [n, 6, 2, 2], v), w), v)),
    wanted: (n, v) => 4 * n * v * v,
    limit: (n) => blockSum(4 * n, 256),
  },
  {
    of: 'the weight gradient of a convolution of one channel, over many small images',
    most: 18,
    result: (device, n, v) =>
      gradient(full(device, [2, 1, 1, 1], v), (w) => mul(conv2d(full(device, [n, 1, 2, 4], v), w), v)),
    wanted: (n, v) => 8 * n * v * v,
    // two vectors in a chain for each image, 64 images in a block
    limit: (n) => blockSum(2 * n, 2 * 64),
  },
  {
    of: 'the weight gradient of a convolution of one channel, over a large image',
    most: 11,
    result: (device, n, v) =>
      gradient(full(device, [2, 1, 1, 1], v), (w) => mul(conv2d(full(device, [1, 1, n, 1024], v), w), v)),
    wanted: (n, v) => 1024 * n * v * v,
    // bands of at most 16 KiB; a quarter of a band's numbers are added in a chain; eight parts of bands
    limit: (n) => blockSum(n * 256, 1024),
  },
  {
    of: 'sum',
    most: 22,
    result: (device, n, v) => sum(full(device, [n], v)),
    wanted: (n, v) => n * v,
    limit: longSum,
  },
  {
    of: 'mean of columns',
    most: 20,
    result: (device, n, v) => mean(full(device, [n, 3], v), { axes: [0] }),
    wanted: (_, v) => v,
    limit: longSum,
  },
  {
    of: 'variance',
    most: 20,
    result: (device, n, v) => variance(alternating(device, [2 * n], v), { correction: 0 }),
    wanted: (_, v) => v * v,
    limit: longSum,
  },
  {
    of: 'mse of one sample',
    most: 22,
    result: (device, n, v) => mse(full(device, [1, n], v), full(device, [1, n], 0)),
    wanted: (_, v) => v * v,
    limit: longSum,
  },
  {
    of: 'bceWithLogits of one sample',
    most: 22,
    result: (device, n, v) => bceWithLogits(full(device, [1, n], v), full(device, [1, n], 0)),
    wanted: (_, v) => softplus(v),
    limit: longSum,
  },
  {
    of: 'mse of many samples',
    most: 20,
    result: (device, n, v) => mse(full(device, [n, 1], v), full(device, [n, 1], 0)),
    wanted: (_, v) => v * v,
    limit: longSum,
  },
  {
    of: 'cross-entropy over many classes',
    most: 20,
    result: (device, n, v) => crossEntropy(reshape(peak(device, [1, n, 1], v), [1, n]), full(device, [1], 0)),
    wanted: (n, v) => Math.log(peakTotal(n, v)),
    limit: longSum,
  },
  {
    of: 'cross-entropy of many positions, with smoothed labels',
    most: 18,
    result: (device, n, v) =>
      crossEntropy(peak(device, [1, n, 3], v), full(device, [1, 3], 0), { labelSmoothing: 0.5 }),
    // half of the target is on the first class, and the other half is spread
    wanted: (n, v) => Math.log(peakTotal(n, v)) - (0.5 * (n - 1) * (v - 1)) / n,
    limit: longSum,
  },
  {
    of: 'softmax',
    most: 20,
    result: (device, n, v) => mul(slice(softmax(reshape(peak(device, [1, n, 1], v), [n])), [1]), n),
    wanted: (n, v) => (n * Math.exp(v - 1)) / peakTotal(n, v),
    limit: longSum,
  },
  {
    of: 'softmax along another axis',
    most: 18,
    result: (device, n, v) => mul(slice(softmax(peak(device, [1, n, 3], v), 1), [0, 1]), n),
    wanted: (n, v) => (n * Math.exp(v - 1)) / peakTotal(n, v),
    limit: longSum,
  },
  {
    of: 'the gradient of the logarithm of softmax',
    most: 20,
    // at the first position dy is 0, so the gradient there is -e^y times the sum of dy
    result: (device, n, v) => {
      const x = full(device, [n], 1)
      const first = tensor(
        device,
        Float32Array.from({ length: n }, (_, i) => (i === 0 ? 0 : v)),
        [n],
      )
      return slice(
        gradient(x, (x) => mul(logSoftmax(x), first)),
        [0],
        [1],
      )
    },
    wanted: (n, v) => -((n - 1) * v) / n,
    limit: longSum,
  },
  {
    of: 'attention over many keys',
    most: 20,
    result: (device, n, v) =>
      scaledDotProductAttention(
        full(device, [1, 1, 1, 2], v),
        full(device, [1, 1, n, 2], v),
        full(device, [1, 1, n, 2], v),
      ),
    wanted: (_, v) => v,
    limit: (n) => blockSum(n, 256) + longSum(),
  },
  {
    of: "the gradient of layer norm's scale, over many rows",
    most: 17,
    result: (device, n, v) =>
      gradient(full(device, [22], 1), (gamma) =>
        mul(layerNorm(alternating(device, [n, 22], 1), gamma, full(device, [22], 0)), v),
      ).abs(),
    ...SCALE_GRADIENT,
  },
  {
    of: "the gradient of group norm's scale, over many samples of one pixel",
    most: 15,
    result: (device, n, v) =>
      gradient(full(device, [8], 1), (gamma) =>
        mul(groupNorm(alternating(device, [n, 8, 1, 1], 1), 2, gamma, full(device, [8], 0)), v),
      ).abs(),
    ...SCALE_GRADIENT,
  },
  {
    of: "the gradient of batch norm's scale, over many images",
    most: 17,
    result: (device, n, v) =>
      gradient(full(device, [3], 1), (gamma) => {
        const x = alternating(device, [n, 3, 2, 2], 1)
        return mul(mul(batchNorm2d(x, gamma, full(device, [3], 0)), x), v)
      }),
    wanted: (n, v) => (4 * n * v) / Math.sqrt(1 + 1e-5),
    limit: longSum,
  },
  {
    of: 'the gradient of an embedding, all rows of one entry',
    most: 18,
    result: (device, n, v) =>
      gradient(full(device, [1, 21], v), (table) => mul(embedding(table, full(device, [n], 0)), v)),
    wanted: (n, v) => n * v,
    limit: longSum,
  },
  {
    of: 'average pooling over a large window',
    most: 11,
    result: (device, n, v) => averagePool2d(full(device, [1, 1, n, n], v), { kernel: n }),
    wanted: (_, v) => v,
    limit: longSum,
  },
]

for (const simd of [...variants, 'none'] as const) {
  for (const { of, most, result, wanted, limit } of SUMS) {
    test(`${of}: ${simd}`, async () => {
      // plain loops add in double precision, and are slow
      const largest = simd === 'none' ? Math.min(most, 14) : most
      const device = await openDevice('cpu', { memory: '512MiB', simd, threads: 1 })
      try {
        const check = async (n: number, v: number): Promise<void> => {
          const values = await scope(device, () => result(device, n, v)).array()
          const expected = wanted(n, v)
          for (const value of [values].flat(9) as number[]) {
            const error = Math.abs(value / expected - 1)
            assert.ok(error <= limit(n), `n = ${n}, v = ${v}: ${value}, not ${expected}: ${error}, over ${limit(n)}`)
            if (process.env.SLUICE_TEST_SHOW)
              console.log(of, simd, n, error.toExponential(1), limit(n).toExponential(1))
            break
          }
        }
        await check(2 ** largest, Math.fround(0.1))
        const sizes = fc.double({ min: 1, max: largest, noNaN: true }).map((power) => Math.floor(2 ** power))
        const values = fc.integer({ min: 1, max: 1000 }).map((i) => Math.fround(i / 1000))
        await fc.assert(fc.asyncProperty(sizes, values, check), { seed: 1, numRuns: TEST_RUNS })
      } finally {
        device.close()
      }
    })
  }
}

test('the loss over many micro-batches has every digit of float32', async () => {
  const samples = 4096
  const v = Math.fround(0.1)
  for (const simd of [...variants, 'none'] as const) {
    const device = await openDevice('cpu', { memory: '1MiB', simd, threads: 1 })
    const model = new nn.Linear(device, 1, 1)
    model.loadStateDict({ weight: { shape: [1, 1], data: [1] }, bias: { shape: [1], data: [0] } })
    const streamer = new Streamer({ model, loss: mse, optimizer: optim.sgd(model, { learningRate: 0 }) })
    const all = (value: number) => ({ data: new Float32Array(samples).fill(value), shape: [samples, 1] })
    const dataset = data.fromArrays({ inputs: all(v), targets: all(0) })
    // the rounding of one square, and of the mean of them all
    const wanted = Math.fround(v * v)
    const { loss } = await streamer.evaluate(dataset, { microBatch: 1 })
    assert.ok(Math.abs(loss / wanted - 1) <= EXACT_SUM, `${simd}: ${loss}, not ${wanted}`)
    const { loss: learned } = await streamer.step(dataset.gather(Array.from({ length: samples }, (_, i) => i)), {
      microBatch: 1,
    })
    assert.is(learned, loss)
    device.close()
  }
})

test.run()
