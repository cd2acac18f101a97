/** Convolution and its gradients: assembly/convolution.ts, or assembly/bands/ where channels are few. */
import type { Convolution } from '../kernels.js'
import { TAP_BYTES, WINDOW_LIST_BYTES } from './layout.js'
import { type Bands, direct, dots, turned } from './machine/bands.js'
import { type Blocking, blocking } from './machine/blocking.js'
import type { SimdKernel } from './machine/kernel.js'

const taps = (p: Convolution): number => p.kernelHeight * p.kernelWidth

/**
 * Windows as the right operand: an entry in the table for each tap; in each slot three lists, and a mask for each tap.
 */
const windows = (p: Convolution) => ({
  tableBytes: () => TAP_BYTES * taps(p),
  scratchBytes: 3 * WINDOW_LIST_BYTES + 16 * taps(p),
})

/** The masks of a block of positions take no more than this, however many taps there are. */
const MASK_BYTES = 65536

/** Positions as steps: the table of taps, four lists, and masks by position for each tap and for no tap. */
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

const sizes = (p: Convolution): number[] => {
  const { batch, channels, height, width, outChannels, outHeight, outWidth } = p
  const window = [p.kernelHeight, p.kernelWidth, p.strideY, p.strideX, p.padY, p.padX, p.dilationY, p.dilationX]
  return [batch, channels, height, width, outChannels, outHeight, outWidth, ...window, p.groups]
}

const blockSizes = (b: Blocking): number[] => [b.depth, b.height, b.tableBytes, b.scratchBytes, b.slots]

const bandSizes = ({ outRows, rows, phase, slots }: Bands): number[] => [outRows, rows, phase, slots]

export const convolution: SimdKernel<'convolution'> = {
  workspaceBytes: (p) => (direct(p) ?? forward(p)).bytes,
  run(assembly, p, [x, w, bias = 0], [y], workspace) {
    const few = direct(p)
    if (few) {
      assembly.convolutionDirect(x, w, bias, y, ...sizes(p), 0, workspace, ...bandSizes(few))
      return
    }
    assembly.convolution(x, w, bias, y, ...sizes(p), workspace, ...blockSizes(forward(p)))
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
      assembly.convolutionDirect(dy, w, bias, dx, ...sizes(back), 1, workspace, ...bandSizes(few))
      return
    }
    assembly.convolutionInputGradient(dy, w, bias, dx, ...sizes(p), workspace, ...blockSizes(inputGradient(p)))
  },
}

export const convolutionWeightGradient: SimdKernel<'convolutionWeightGradient'> = {
  workspaceBytes: (p) => (dots(p) ?? weightGradient(p)).bytes,
  run(assembly, p, [dy, x], [dw], workspace) {
    const accumulate = Number(p.accumulate)
    const few = dots(p)
    if (few) {
      const dotSizes = [...bandSizes(few), few.parts, few.levels]
      assembly.convolutionWeightDots(dy, x, dw, accumulate, ...sizes(p), workspace, ...dotSizes)
      return
    }
    assembly.convolutionWeightGradient(dy, x, dw, accumulate, ...sizes(p), workspace, ...blockSizes(weightGradient(p)))
  },
}
