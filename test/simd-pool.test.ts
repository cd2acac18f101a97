/** Pooling of the SIMD dialect against the plain loops. */
import { test } from 'uvu'
import type { Pooling } from '../kernels/kernels.js'
import { choicePacking } from '../kernels/packing.js'
import { reference } from '../kernels/reference/index.js'
import { noise } from './operands.js'
import { fc } from './property.js'
import { absolute, agrees, exactly, sums } from './simd-agreement.js'

const RUNS = { seed: 1, numRuns: 300 }

/** Does every window that begins in the padding see a number of the image? The op refuses others. */
const isSeen = (size: number, pad: number, stride: number, dilation: number): boolean => {
  for (let from = -pad; from < 0; from += stride) {
    const taps = Array.from({ length: pad + 1 }, (_, i) => from + i * dilation)
    if (!taps.some((tap) => tap >= 0 && tap < size)) return false
  }
  return true
}

/** Poolings; half of them have windows of 2 x 2, which have a path of their own. */
const poolings = fc
  .record({
    planes: fc.integer({ min: 1, max: 5 }),
    height: fc.integer({ min: 1, max: 19 }),
    width: fc.integer({ min: 1, max: 37 }),
    kernelHeight: fc.integer({ min: 1, max: 5 }),
    kernelWidth: fc.integer({ min: 1, max: 5 }),
    strideY: fc.integer({ min: 1, max: 4 }),
    strideX: fc.integer({ min: 1, max: 4 }),
    dilationY: fc.constantFrom(1, 1, 2, 3),
    dilationX: fc.constantFrom(1, 1, 2, 3),
    padding: fc.boolean(),
    quarters: fc.boolean(),
    ceil: fc.boolean(),
  })
  .map(({ padding, quarters, ceil, ...drawn }): Pooling => {
    const p = quarters ? { ...drawn, kernelHeight: 2, kernelWidth: 2, strideY: 2, strideX: 2 } : drawn
    const padY = padding ? Math.floor(p.kernelHeight / 2) : 0
    const padX = padding ? Math.floor(p.kernelWidth / 2) : 0
    /** With `ceil` the last window may go beyond the padded image, but not begin behind the image. */
    const windows = (size: number, kernel: number, stride: number, pad: number) => {
      if (size + 2 * pad < kernel) return 0
      if (!ceil) return Math.floor((size + 2 * pad - kernel) / stride) + 1
      const count = Math.ceil((size + 2 * pad - kernel) / stride) + 1
      return (count - 1) * stride >= size + pad ? count - 1 : count
    }
    const outHeight = windows(p.height, p.dilationY * (p.kernelHeight - 1) + 1, p.strideY, padY)
    const outWidth = windows(p.width, p.dilationX * (p.kernelWidth - 1) + 1, p.strideX, padX)
    return { ...p, padY, padX, outHeight, outWidth }
  })
  .filter((p) => p.outHeight > 0 && p.outWidth > 0)
  .filter((p) => isSeen(p.height, p.padY, p.strideY, p.dilationY) && isSeen(p.width, p.padX, p.strideX, p.dilationX))

/** Poolings for averages, which have no dilation. */
const close = poolings.filter((p) => p.dilationY === 1 && p.dilationX === 1)

const inputs = (p: Pooling) => noise(p.planes * p.height * p.width, 1)
const outputs = (p: Pooling) => noise(p.planes * p.outHeight * p.outWidth, 2)

/** Few different values, so that many tie, with zeros of both signs, NaN and infinities. */
const COMMON = [0, -0, 1, 2, -1, Number.NaN, Infinity, -Infinity]
const ties = (p: Pooling) => inputs(p).map((value) => COMMON[Math.floor((value + 1) * 4)])

test('maxPool and its gradient', () => {
  fc.assert(
    fc.property(poolings, fc.boolean(), (p, tied) => {
      const x = tied ? ties(p) : inputs(p)
      agrees('maxPool', p, [x], outputs(p), exactly)
      // An input is in at most as many windows as a window has inputs.
      const terms = p.kernelHeight * p.kernelWidth
      const choices = new Float32Array(p.planes * choicePacking(p).perPlane)
      agrees('maxPoolChoices', p, [x], choices, exactly)
      reference.maxPoolChoices(p, [x], [choices])
      const limit = sums('maxPoolGradient', p, [absolute(outputs(p)), choices], [inputs(p)], terms)
      agrees('maxPoolGradient', p, [outputs(p), choices], inputs(p), limit)
    }),
    RUNS,
  )
})

test('averagePool and its gradient', () => {
  fc.assert(
    fc.property(close, fc.boolean(), (pooling, countPadding) => {
      const p = { ...pooling, countPadding }
      const terms = p.kernelHeight * p.kernelWidth
      agrees('averagePool', p, [inputs(p)], outputs(p), terms)
      agrees('averagePoolGradient', p, [outputs(p)], inputs(p), terms + 1)
    }),
    RUNS,
  )
})

test.run()
