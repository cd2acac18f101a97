/** Convolution and its gradients: assembly/convolution.ts, or assembly/bands/ where channels are few. */
import type { Convolution } from '../kernels.js'
import { TAP_BYTES, WINDOW_LIST_BYTES } from './layout.js'
import { direct, dots, turned } from './machine/bands.js'
import { type Blocking, blocking } from './machine/blocking.js'
import { BandSizes, ProductSizes } from './machine/compiled.js'
import type { SimdKernel } from './machine/kernel.js'

const taps = (p: Convolution): number => p.kernelHeight * p.kernelWidth

/**
 * The memory for windows as the right operand: the table has an entry for each tap; each slot has three lists, and a mask
 * for each tap.
 */
const windows = (p: Convolution) => ({
  tableBytes: () => TAP_BYTES * taps(p),
  scratchBytes: 3 * WINDOW_LIST_BYTES + 16 * taps(p),
})

/** The largest number of bytes for the masks of a block of positions, with any number of taps. */
const MASK_BYTES = 65536

/**
 * The memory for positions as steps: the table of taps, four lists, and for each position a mask for each tap and one for
 * no tap.
 */
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

export const convolution: SimdKernel<'convolution'> = {
  workspaceBytes: (p) => (direct(p) ?? forward(p)).bytes,
  run(assembly, p, [x, w, bias = 0], [y], workspace) {
    const bands = direct(p)
    if (bands) {
      assembly.store(workspace, BandSizes(p, bands))
      assembly.convolutionDirect(x, w, bias, y, 0, workspace)
    } else {
      assembly.store(workspace, ProductSizes(p, forward(p)))
      assembly.convolution(x, w, bias, y, workspace)
    }
  },
}

export const convolutionInputGradient: SimdKernel<'convolutionInputGradient'> = {
  workspaceBytes: (p) => {
    const back = turned(p)
    return ((back && direct(back)) ?? inputGradient(p)).bytes
  },
  run(assembly, p, [dy, w, bias = 0], [dx], workspace) {
    const back = turned(p)
    const bands = back && direct(back)
    if (back && bands) {
      assembly.store(workspace, BandSizes(back, bands))
      assembly.convolutionDirect(dy, w, bias, dx, 1, workspace)
    } else {
      assembly.store(workspace, ProductSizes(p, inputGradient(p)))
      assembly.convolutionInputGradient(dy, w, bias, dx, workspace)
    }
  },
}

export const convolutionWeightGradient: SimdKernel<'convolutionWeightGradient'> = {
  workspaceBytes: (p) => (dots(p) ?? weightGradient(p)).bytes,
  run(assembly, p, [dy, x], [dw], workspace) {
    const bands = dots(p)
    if (bands) {
      assembly.store(workspace, BandSizes(p, bands))
      assembly.convolutionWeightDots(dy, x, dw, Number(p.accumulate), workspace)
    } else {
      assembly.store(workspace, ProductSizes(p, weightGradient(p)))
      assembly.convolutionWeightGradient(dy, x, dw, Number(p.accumulate), workspace)
    }
  },
}
