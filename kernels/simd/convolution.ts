/** Convolution and its gradients: each is one call of assembly/convolution.ts, where the sizes of the products are told. */
import type { Convolution } from '../kernels.js'
import { TAP_BYTES, WINDOW_LIST_BYTES } from './layout.js'
import { direct, dots, turned } from './machine/bands.js'
import { type Blocking, blocking } from './machine/blocking.js'
import type { SimdKernel } from './machine/kernel.js'

const taps = (p: Convolution): number => p.kernelHeight * p.kernelWidth

/** For windows as panels: a row of the table for each tap, and beside each panel three lists and a mask for each tap. */
const windows = (p: Convolution) => ({
  tableBytes: () => TAP_BYTES * taps(p),
  scratchBytes: 3 * WINDOW_LIST_BYTES + 16 * taps(p),
})

/** Masks for a block of positions take no more than this, so that many taps do not need a large workspace. */
const MASK_BYTES = 65536

/** For positions as steps: beside the table of taps, four lists and, for each tap and for none, masks by position. */
const positions = (p: Convolution) => ({
  maxDepth: Math.max(32, Math.floor(MASK_BYTES / 16 / (taps(p) + 1)) * 4),
  tableBytes: (depth: number) => TAP_BYTES * taps(p) + 4 * depth * (taps(p) + 5),
})

const forward = (p: Convolution): Blocking =>
  blocking(p.outChannels / p.groups, p.batch * p.outHeight * p.outWidth, (p.channels / p.groups) * taps(p), windows(p))

const inputGradient = (p: Convolution): Blocking =>
  blocking(p.channels / p.groups, p.batch * p.height * p.width, (p.outChannels / p.groups) * taps(p), windows(p))

const weightGradient = (p: Convolution): Blocking =>
  blocking(
    p.outChannels / p.groups,
    (p.channels / p.groups) * taps(p),
    p.batch * Math.ceil((p.outHeight * p.outWidth) / 4) * 4,
    positions(p),
  )

const sizes = (p: Convolution): number[] => [
  p.batch,
  p.channels,
  p.height,
  p.width,
  p.outChannels,
  p.outHeight,
  p.outWidth,
  p.kernelHeight,
  p.kernelWidth,
  p.strideY,
  p.strideX,
  p.padY,
  p.padX,
  p.dilationY,
  p.dilationX,
  p.groups,
]

const cut = ({ depth, height, tableBytes, scratchBytes, slots }: Blocking): number[] => [
  depth,
  height,
  tableBytes,
  scratchBytes,
  slots,
]

export const convolution: SimdKernel<'convolution'> = {
  workspaceBytes: (p) => (direct(p) ?? forward(p)).bytes,
  run(assembly, p, [x, w, bias = 0], [y], workspace) {
    const few = direct(p)
    if (few) {
      const cut = [few.outRows, few.rows, few.phase, few.slots]
      assembly.convolutionFewChannels(x, w, bias, y, ...sizes(p), 0, workspace, ...cut)
      return
    }
    assembly.convolution(x, w, bias, y, ...sizes(p), workspace, ...cut(forward(p)))
  },
}

export const convolutionInputGradient: SimdKernel<'convolutionInputGradient'> = {
  workspaceBytes: (p) => {
    const back = turned(p)
    return ((back && direct(back)) ?? inputGradient(p)).bytes
  },
  run(assembly, p, [dy, w, bias = 0], [dx], workspace) {
    const back = turned(p)
    const few = back && direct(back)
    if (back && few) {
      const cut = [few.outRows, few.rows, few.phase, few.slots]
      assembly.convolutionFewChannels(dy, w, bias, dx, ...sizes(back), 1, workspace, ...cut)
      return
    }
    assembly.convolutionInputGradient(dy, w, bias, dx, ...sizes(p), workspace, ...cut(inputGradient(p)))
  },
}

export const convolutionWeightGradient: SimdKernel<'convolutionWeightGradient'> = {
  workspaceBytes: (p) => (dots(p) ?? weightGradient(p)).bytes,
  run(assembly, p, [dy, x], [dw], workspace) {
    const accumulate = Number(p.accumulate)
    const few = dots(p)
    if (few) {
      const cut = [few.outRows, few.rows, few.phase, few.parts, few.levels, few.slots]
      assembly.convolutionWeightGradientFewChannels(dy, x, dw, accumulate, ...sizes(p), workspace, ...cut)
      return
    }
    assembly.convolutionWeightGradient(dy, x, dw, accumulate, ...sizes(p), workspace, ...cut(weightGradient(p)))
  },
}
