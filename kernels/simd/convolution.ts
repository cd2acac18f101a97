/**
 * Convolution and its gradients: assembly/convolution.ts; assembly/bands/ where channels are few; assembly/product/winograd.ts
 * where taps are 3 x 3 and channels are many.
 */
import type { Convolution } from '../kernels.js'
import { TAP_BYTES, WINDOW_LIST_BYTES } from './layout.js'
import { direct, dots, turned } from './machine/bands.js'
import { type Blocking, blocking } from './machine/blocking.js'
import { BandSizes, ProductSizes, WinogradSizes } from './machine/compiled.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Assembly } from './machine/module.js'
import { winograd, winogradWeights } from './machine/winograd.js'

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

/** The workspace of a convolution that bands or Winograd's tiles compute faster than a product; null if neither does. */
const faster = (p: Convolution) => direct(p) ?? winograd(p)

/** Computes it so, or returns false. `back`: as the gradient of inputs, with the kernels turned round. */
function runFaster(
  assembly: Assembly,
  p: Convolution,
  [x, w, bias = 0]: readonly number[],
  y: number,
  back: boolean,
  workspace: number,
): boolean {
  const bands = direct(p)
  const tiles = bands ? null : winograd(p)
  if (bands) {
    assembly.store(workspace, BandSizes(p, bands))
    assembly.convolutionDirect(x, w, bias, y, Number(back), workspace)
  } else if (tiles) {
    assembly.store(workspace, WinogradSizes(p, tiles))
    assembly.convolutionWinograd(x, w, bias, y, Number(back), workspace)
  }
  return bands !== null || tiles !== null
}

export const convolution: SimdKernel<'convolution'> = {
  workspaceBytes: (p) => (faster(p) ?? forward(p)).bytes,
  run(assembly, p, inputs, [y], workspace) {
    if (runFaster(assembly, p, inputs, y, false, workspace)) return
    const [x, w, bias = 0] = inputs
    assembly.store(workspace, ProductSizes(p, forward(p)))
    assembly.convolution(x, w, bias, y, workspace)
  },
}

export const convolutionInputGradient: SimdKernel<'convolutionInputGradient'> = {
  workspaceBytes: (p) => {
    const back = turned(p)
    return ((back && faster(back)) ?? inputGradient(p)).bytes
  },
  run(assembly, p, inputs, [dx], workspace) {
    const back = turned(p)
    if (back && runFaster(assembly, back, inputs, dx, true, workspace)) return
    const [dy, w, bias = 0] = inputs
    assembly.store(workspace, ProductSizes(p, inputGradient(p)))
    assembly.convolutionInputGradient(dy, w, bias, dx, workspace)
  },
}

export const convolutionWeightGradient: SimdKernel<'convolutionWeightGradient'> = {
  workspaceBytes: (p) => (dots(p) ?? winogradWeights(p) ?? weightGradient(p)).bytes,
  run(assembly, p, [dy, x], [dw], workspace) {
    const bands = dots(p)
    const tiles = bands ? null : winogradWeights(p)
    if (bands) {
      assembly.store(workspace, BandSizes(p, bands))
      assembly.convolutionWeightDots(dy, x, dw, Number(p.accumulate), workspace)
    } else if (tiles) {
      assembly.store(workspace, WinogradSizes(p, tiles))
      assembly.convolutionWinogradWeights(dy, x, dw, Number(p.accumulate), workspace)
    } else {
      assembly.store(workspace, ProductSizes(p, weightGradient(p)))
      assembly.convolutionWeightGradient(dy, x, dw, Number(p.accumulate), workspace)
    }
  },
}
