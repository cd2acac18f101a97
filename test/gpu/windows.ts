/** Kernels with windows over images: convolution, pooling, and their gradients. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gpuWorkspaces } from '../../kernels/gpu/index.js'
import type { Convolution, Pooling } from '../../kernels/kernels.js'
import { choicePacking } from '../../kernels/packing.js'
import { reference } from '../../kernels/reference/index.js'
import { noise, seeds } from '../operands.js'
import { fc } from '../property.js'
import { float32Sum } from '../tolerances.js'
import { type Agrees, cases, exactly } from './agreement.js'

const size = (max: number) => fc.integer({ min: 1, max })

/** Output length along an axis. */
const windows = (length: number, pad: number, extent: number, stride: number): number =>
  Math.floor((length + 2 * pad - extent) / stride) + 1

/** Completes the drawn sizes. */
const finished = ({
  less,
  ...p
}: Omit<Convolution, 'channels' | 'outChannels' | 'outHeight' | 'outWidth'> & {
  groupChannels: number
  groupOut: number
  less: number
}): Convolution => ({
  ...p,
  channels: p.groups * p.groupChannels,
  outChannels: p.groups * p.groupOut,
  outHeight: windows(p.height, p.padY, p.dilationY * (p.kernelHeight - 1) + 1, p.strideY) - less,
  outWidth: windows(p.width, p.padX, p.dilationX * (p.kernelWidth - 1) + 1, p.strideX) - less,
})

const convolutions = fc
  .record({
    batch: size(3),
    height: size(9),
    width: fc.oneof(size(11), fc.constantFrom(4, 8)),
    groups: fc.constantFrom(1, 1, 2, 3),
    groupChannels: size(5),
    groupOut: size(5),
    kernelHeight: size(4),
    kernelWidth: size(4),
    strideY: fc.constantFrom(1, 1, 2, 3),
    strideX: fc.constantFrom(1, 1, 2, 3),
    dilationY: fc.constantFrom(1, 1, 2),
    dilationX: fc.constantFrom(1, 1, 2),
    padY: fc.nat(2),
    padX: fc.nat(2),
    // A transposed convolution may leave out windows at the end (outputPadding).
    less: fc.constantFrom(0, 0, 1),
  })
  .map(finished)
  .filter((p) => p.outHeight > 0 && p.outWidth > 0)

/** Convolutions whose input and output rows are whole texels; such rows are reordered texel by texel. */
const ofRows = fc
  .record({
    batch: size(3),
    height: size(7),
    width: fc.constantFrom(4, 8, 12),
    groups: fc.constantFrom(1, 1, 2, 3),
    groupChannels: size(5),
    groupOut: size(6),
    kernelHeight: size(3),
    padX: fc.nat(2),
    padY: fc.nat(2),
    strideY: fc.constantFrom(1, 1, 2),
    dilationY: fc.constantFrom(1, 2),
  })
  .map((p) => finished({ ...p, kernelWidth: 2 * p.padX + 1, strideX: 1, dilationX: 1, less: 0 }))
  .filter((p) => p.outHeight > 0)

/** Convolutions with windows of one value and planes of whole texels. */
const ofPoints = fc
  .record({
    batch: size(3),
    height: fc.constantFrom(2, 4, 6),
    width: fc.constantFrom(2, 4, 6, 10),
    groups: fc.constantFrom(1, 1, 2, 3),
    groupChannels: size(6),
    groupOut: size(6),
    dilationX: fc.constantFrom(1, 2),
  })
  .map((p) => {
    const point = { kernelHeight: 1, kernelWidth: 1, padY: 0, padX: 0, strideY: 1, strideX: 1, dilationY: 1 }
    return finished({ ...p, ...point, less: 0 })
  })

const poolings = fc
  .record({
    planes: size(4),
    height: size(11),
    width: size(11),
    kernelHeight: size(4),
    kernelWidth: size(4),
    strideY: size(4),
    strideX: size(4),
    dilationY: fc.constantFrom(1, 1, 2, 3),
    dilationX: fc.constantFrom(1, 1, 2, 3),
    padded: fc.boolean(),
  })
  .map(({ padded, ...p }): Pooling => {
    const padY = padded ? Math.floor(p.kernelHeight / 2) : 0
    const padX = padded ? Math.floor(p.kernelWidth / 2) : 0
    const outHeight = windows(p.height, padY, p.dilationY * (p.kernelHeight - 1) + 1, p.strideY)
    const outWidth = windows(p.width, padX, p.dilationX * (p.kernelWidth - 1) + 1, p.strideX)
    return { ...p, padY, padX, outHeight, outWidth }
  })
  .filter((p) => p.outHeight > 0 && p.outWidth > 0)
  // a window that begins in the padding sees the image: the op refuses others
  .filter((p) => p.height > p.padY * p.dilationY && p.width > p.padX * p.dilationX)

/** Poolings for averages, which have no dilation. */
const close = poolings.filter((p) => p.dilationY === 1 && p.dilationX === 1)

/** Few different values, so that many tie, with zeros of both signs, NaN and infinities. */
const COMMON = [0, -0, 1, 2, -1, Number.NaN, Infinity, -Infinity]

export function testWindows(agrees: Agrees): void {
  const convolves = (shapes: fc.Arbitrary<Convolution>) =>
    cases(fc.tuple(shapes, fc.boolean(), seeds), async ([p, bias, seed]) => {
      const taps = p.kernelHeight * p.kernelWidth
      const x = noise(p.batch * p.channels * p.height * p.width, seed)
      const w = noise((p.outChannels * p.channels * taps) / p.groups, seed + 1)
      const dy = noise(p.batch * p.outChannels * p.outHeight * p.outWidth, seed + 2)
      const within = (terms: number) => () => float32Sum(terms, terms)
      const start = (channels: number) => (bias ? [noise(channels, seed + 3)] : [])
      const forward = [x, w, ...start(p.outChannels)]
      await agrees('convolution', { ...p, bias }, forward, [dy.length], within((p.channels / p.groups) * taps + 1))
      const back = [dy, w, ...start(p.channels)]
      const limit = within((p.outChannels / p.groups) * taps + 1)
      await agrees('convolutionInputGradient', { ...p, bias }, back, [x.length], limit)
      const positions = within(p.batch * p.outHeight * p.outWidth)
      await agrees('convolutionWeightGradient', { ...p, accumulate: false }, [dy, x], [w.length], positions)
    })

  test('convolution and its gradients', () => convolves(convolutions))
  test('convolution and its gradients, rows of whole texels', () => convolves(ofRows))
  test('convolution and its gradients, windows of one value', () => convolves(ofPoints))

  test('no part of a weight gradient takes more rounds of its loops than Mesa runs', () => {
    const shapes = fc.record({
      batch: size(512),
      side: size(120),
      channels: size(600),
      outChannels: size(600),
      kernel: fc.constantFrom(1, 3, 5),
    })
    return cases(shapes, async ({ batch, side, channels, outChannels, kernel }) => {
      const p = {
        ...{ batch, channels, outChannels, groups: 1, height: side, width: side, outHeight: side, outWidth: side },
        ...{ kernelHeight: kernel, kernelWidth: kernel, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 },
        ...{ padY: (kernel - 1) / 2, padX: (kernel - 1) / 2, accumulate: false },
      }
      const workspaces = gpuWorkspaces('convolutionWeightGradient', p, 'webgl2')
      // the parts are in the last workspace; with tiles, a texel has four channels
      const channelTexels = workspaces.length === 1 ? channels : Math.ceil(channels / 4)
      const partTexels = Math.ceil(outChannels / 4) * channelTexels * kernel * kernel
      const parts = workspaces[workspaces.length - 1] / (4 * partTexels)
      assert.ok(Math.ceil((batch * side) / parts) * (1 + side) <= 65535, `${parts} parts`)
    })
  })

  test('maxPool and its gradient', () =>
    cases(fc.tuple(poolings, fc.boolean(), seeds), async ([p, tied, seed]) => {
      const free = noise(p.planes * p.height * p.width, seed)
      const x = tied ? free.map((value) => COMMON[Math.floor((value + 1) * 4)]) : free
      const dy = noise(p.planes * p.outHeight * p.outWidth, seed + 1)
      await agrees('maxPool', p, [x], [dy.length], exactly)
      // An input is in at most as many windows as a window has inputs.
      const terms = p.kernelHeight * p.kernelWidth
      const choices = new Float32Array(p.planes * choicePacking(p).perPlane)
      await agrees('maxPoolChoices', p, [x], [choices.length], exactly)
      reference.maxPoolChoices(p, [x], [choices])
      await agrees('maxPoolGradient', p, [dy, choices], [x.length], () => float32Sum(terms, terms))
    }))

  test('averagePool and its gradient', () =>
    cases(fc.tuple(close, fc.boolean(), seeds), async ([pooling, countPadding, seed]) => {
      const p = { ...pooling, countPadding }
      const x = noise(p.planes * p.height * p.width, seed)
      const dy = noise(p.planes * p.outHeight * p.outWidth, seed + 1)
      const terms = p.kernelHeight * p.kernelWidth + 1
      await agrees('averagePool', p, [x], [dy.length], () => float32Sum(terms, terms))
      await agrees('averagePoolGradient', p, [dy], [x.length], () => float32Sum(terms, terms))
    }))
}
