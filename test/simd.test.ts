/**
 * Products and convolutions of the SIMD dialect against the plain loops (simd-agreement.ts), and what all its kernels
 * promise.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Convolution } from '../kernels/kernels.js'
import { RUNTIME_BYTES, simd } from '../kernels/simd/index.js'
import { backward } from '../src/autograd/backward.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { openVirtualDevice } from '../src/device/open.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { ops } from '../src/ops/table.js'
import { planOf } from '../src/step/pass.js'
import { scope } from '../src/step/scope.js'
import { full, requireGrad } from '../src/tensor/create.js'
import { noise } from './operands.js'
import { fc } from './property.js'
import { agrees, bench } from './simd-agreement.js'
import { variants } from './variants.js'

const RUNS = { seed: 1, numRuns: 150 }

test('the constants of each module lie within the bytes reserved for it', () => {
  for (const { assembly } of bench) assert.ok(assembly.staticEnd() <= RUNTIME_BYTES)
})

/** Sizes around the edges of tiles, groups of rows and blocks, and random sizes between them. */
const size = (max: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.constantFrom(...[1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 127, 129, 256, 257, 300].filter((n) => n <= max)),
    fc.integer({ min: 1, max }),
  )

const matmuls = fc.record({
  batch: fc.constantFrom(1, 1, 3),
  m: size(140),
  k: size(300),
  n: size(70),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  bias: fc.boolean(),
  accumulate: fc.boolean(),
})

test('matmul', () => {
  fc.assert(
    fc.property(matmuls, (drawn) => {
      const { batch, m, k, n, bias } = drawn
      // the batch takes the matrices of a in reverse order, and one matrix b
      const offsetsA = Array.from({ length: batch }, (_, i) => batch - 1 - i)
      const p = { ...drawn, offsetsA, offsetsB: new Array<number>(batch).fill(0) }
      const inputs = [noise(batch * m * k, 1), noise(k * n, 2), ...(bias ? [noise(n, 3)] : [])]
      agrees('matmul', p, inputs, noise(batch * m * n, 4), k + 2)
    }),
    RUNS,
  )
})

const convolutions = fc
  .record({
    batch: size(3),
    height: size(12),
    width: size(20),
    groups: fc.constantFrom(1, 1, 2, 3),
    groupChannels: size(7),
    groupOut: size(9),
    kernelHeight: size(5),
    kernelWidth: size(5),
    strideY: fc.constantFrom(1, 1, 2, 3),
    strideX: fc.constantFrom(1, 1, 2, 3),
    dilationY: fc.constantFrom(1, 1, 2, 3),
    dilationX: fc.constantFrom(1, 1, 2, 3),
    padY: fc.integer({ min: 0, max: 3 }),
    padX: fc.integer({ min: 0, max: 3 }),
    less: fc.constantFrom(0, 0, 1),
  })
  .map(
    (p): Convolution => ({
      ...p,
      channels: p.groups * p.groupChannels,
      outChannels: p.groups * p.groupOut,
      // A transposed convolution may leave out windows at the end (outputPadding).
      outHeight: Math.floor((p.height + 2 * p.padY - p.dilationY * (p.kernelHeight - 1) - 1) / p.strideY) + 1 - p.less,
      outWidth: Math.floor((p.width + 2 * p.padX - p.dilationX * (p.kernelWidth - 1) - 1) / p.strideX) + 1 - p.less,
    }),
  )
  .filter((p) => p.outHeight > 0 && p.outWidth > 0)

/**
 * An image that the kernels for few channels (kernels/simd/machine/bands.ts) cut into several bands: too large to be
 * drawn.
 */
const wide: Convolution = {
  ...{ batch: 2, channels: 4, height: 23, width: 301, outChannels: 6, outHeight: 12, outWidth: 101, groups: 2 },
  ...{ kernelHeight: 5, kernelWidth: 3, strideY: 2, strideX: 3, padY: 2, padX: 1, dilationY: 1, dilationX: 1 },
}
/**
 * `tall` has rows a little longer than a tile, and windows that lie in the padding alone. The rows of `narrow` are
 * shorter than a tile.
 */
const tall: Convolution = {
  ...{ batch: 3, channels: 3, height: 41, width: 28, outChannels: 5, outHeight: 43, outWidth: 30, groups: 1 },
  ...{ kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, padY: 3, padX: 3, dilationY: 1, dilationX: 2 },
}
const narrow: Convolution = { ...tall, width: 14, outWidth: 13, padX: 1, dilationX: 1, kernelWidth: 4, channels: 6 }

test('convolution and its gradients', () => {
  fc.assert(
    fc.property(convolutions, fc.boolean(), (p, flag) => {
      const taps = p.kernelHeight * p.kernelWidth
      const x = noise(p.batch * p.channels * p.height * p.width, 1)
      const w = noise((p.outChannels * p.channels * taps) / p.groups, 2)
      const bias = flag ? [noise(p.outChannels, 3)] : []
      const dy = noise(p.batch * p.outChannels * p.outHeight * p.outWidth, 4)
      const terms = (p.channels / p.groups) * taps + 1
      agrees('convolution', { ...p, bias: flag }, [x, w, ...bias], noise(dy.length, 5), terms)
      const inputBias = flag ? [noise(p.channels, 6)] : []
      const back = (p.outChannels / p.groups) * taps + 1
      agrees('convolutionInputGradient', { ...p, bias: flag }, [dy, w, ...inputBias], noise(x.length, 5), back)
      const positions = p.batch * p.outHeight * p.outWidth + 1
      agrees('convolutionWeightGradient', { ...p, accumulate: flag }, [dy, x], noise(w.length, 5), positions)
    }),
    {
      ...RUNS,
      examples: [wide, tall, narrow].flatMap((p): [Convolution, boolean][] => [
        [p, true],
        [p, false],
      ]),
    },
  )
})

test('the plan is the same with every module and without one, and it holds', async () => {
  const seen = [...variants, 'none' as const].map((variant) => {
    const device = new HeapDevice('cpu', new HeapAllocator(1 << 20), { simd: variant })
    const program = () =>
      scope(device, () => {
        const w = requireGrad(full(device, [6, 5, 3, 3], 0.5))
        backward(ops.sum(ops.conv2d(full(device, [4, 5, 9, 9], 2), w)))
        w.grad?.dispose()
      })
    const planned = planOf(device, program)
    program()
    assert.is(device.memory.peakBytes, planned.peakBytes, variant)
    assert.equal(device.memory.heldAtPeak, planned.heldAtPeak, variant)
    assert.ok(device.memory.peak.workspace > 0)
    const virtual = openVirtualDevice('cpu', { memory: '1MiB' })
    assert.is(virtual.memory.heldBytes, device.memory.heldBytes)
    return planned.peakBytes
  })
  assert.ok(seen.every((peakBytes) => peakBytes === seen[0]))
})

test('an element of a product does not depend on its place in a tile', () => {
  const [m, k, n] = [37, 70, 41]
  const [a, b] = [noise(m * k, 1), noise(k * n, 2)]
  for (const { variant, memory, assembly } of bench) {
    const floats = new Float32Array(memory.buffer)
    const base = RUNTIME_BYTES / 4
    const product = (left: Float32Array, rows: number): Float32Array => {
      const p = { batch: 1, offsetsA: [0], offsetsB: [0], m: rows, k, n, transposeA: false, transposeB: false }
      const [atA, atB, atY, workspace] = [0, 10000, 20000, 30000].map((offset) => base + offset)
      floats.set(left, atA)
      floats.set(b, atB)
      const parameters = { ...p, bias: false, accumulate: false }
      simd.matmul?.run(assembly, parameters, [atA * 4, atB * 4], [atY * 4], workspace * 4)
      return floats.slice(atY, atY + rows * n)
    }
    const whole = product(a, m)
    for (let row = 0; row < m; row++) {
      const alone = product(a.slice(row * k, (row + 1) * k), 1)
      assert.equal(alone, whole.slice(row * n, (row + 1) * n), `${variant}: row ${row}`)
    }
  }
})

test.run()
