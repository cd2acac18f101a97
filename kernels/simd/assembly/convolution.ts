/**
 * Two-dimensional convolution and its gradients. Each is one product for each group:
 *
 *   x, dx  [batch, channels, height, width]
 *   w, dw  [outChannels, channels / groups, kernelHeight, kernelWidth]
 *   y, dy  [batch, outChannels, outHeight, outWidth]
 *
 * In a group of c channels and o output channels, with taps = kernelHeight * kernelWidth:
 *
 *   y  [o, batch * outputs] = bias [o] + w [o, c * taps] windows of x [c * taps, batch * outputs]
 *   dx [c, batch * inputs]  = bias [c] + w [c, o * taps] windows of dy [o * taps, batch * inputs]
 *   dw [o, c * taps]        = dy [o, batch * outputs] windows of x [batch * outputs, c * taps]
 *
 * The matrix of the windows, im2col, never exists as a whole: it is packed panel by panel (windows.ts, positions.ts).
 *
 * Where outputs are `stride` pixels apart, only some taps lead from an input back to an output; which taps they are
 * depends on the input's place modulo the stride. So dx is one product for each remainder, over inputs that are
 * `stride` apart: their windows on dy are dense, and no tap is multiplied in vain.
 */
import { Filters } from './product/filters'
import { Grid } from './product/grid'
import { Image } from './product/image'
import { Matrix } from './product/matrix'
import { InputPositions, OutputPositions } from './product/positions'
import { Blocks, LEFT, multiply, Result, RIGHT } from './product/product'
import { Windows } from './product/windows'

/** Places in the head of the workspace that product.ts leaves to the operands. */
const IMAGE: usize = 256
const GRID: usize = 320

/** x, w, bias? (an address, or 0) -> y */
export function convolution(
  x: usize, w: usize, bias: usize, y: usize,
  batch: i32, channels: i32, height: i32, width: i32, outChannels: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
  dilationY: i32, dilationX: i32, groups: i32,
  workspace: usize, depth: i32, blockHeight: i32, tableBytes: usize, scratchBytes: usize, slots: i32,
): void {
  const c = channels / groups
  const o = outChannels / groups
  const filterBytes = c * kernelHeight * kernelWidth * 4
  const outBytes = outHeight * outWidth * 4
  const image = changetype<Image>(workspace + IMAGE)
  const grid = changetype<Grid>(workspace + GRID)
  const left = changetype<Matrix>(workspace + LEFT)
  const right = changetype<Windows>(workspace + RIGHT)
  const result = Result.at(workspace)
  const blocks = Blocks.open(workspace, depth, blockHeight, tableBytes, scratchBytes, slots)

  image.open(x, c, channels, height, width, blocks.tables)
  openTaps(image, kernelHeight, kernelWidth, dilationY, dilationX)
  grid.open(outHeight, outWidth, strideY, strideX, -padY, -padX)
  left.laneStride = filterBytes
  left.stepStride = 4
  right.image = image
  right.grid = grid
  right.placeAt(0, outWidth * 4, 4, outChannels * outBytes)
  result.stride = outBytes
  result.accumulate = false
  result.columnBias = 0
  for (let group = 0; group < groups; group++) {
    image.base = x + group * c * image.channelBytes
    left.base = w + group * o * filterBytes
    result.base = y + group * o * outBytes
    result.rowBias = bias == 0 ? 0 : bias + group * o * 4
    multiply<Matrix, Windows>(workspace, o, batch * outHeight * outWidth, filterBytes / 4)
  }
}

/** dy, w, bias? (an address, or 0) -> dx */
export function convolutionInputGradient(
  dy: usize, w: usize, bias: usize, dx: usize,
  batch: i32, channels: i32, height: i32, width: i32, outChannels: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
  dilationY: i32, dilationX: i32, groups: i32,
  workspace: usize, depth: i32, blockHeight: i32, tableBytes: usize, scratchBytes: usize, slots: i32,
): void {
  const c = channels / groups
  const o = outChannels / groups
  const kernelBytes = kernelHeight * kernelWidth * 4
  const planeBytes = height * width * 4
  const image = changetype<Image>(workspace + IMAGE)
  const grid = changetype<Grid>(workspace + GRID)
  const left = changetype<Filters>(workspace + LEFT)
  const right = changetype<Windows>(workspace + RIGHT)
  const result = Result.at(workspace)
  const blocks = Blocks.open(workspace, depth, blockHeight, tableBytes, scratchBytes, slots)

  left.image = image
  left.laneStride = kernelBytes
  left.channelStride = c * kernelBytes
  right.image = image
  right.grid = grid
  result.stride = planeBytes
  result.accumulate = false
  result.columnBias = 0
  // The loop below skips inputs from which no tap leads back to an output.
  if (strideY > 1 || strideX > 1) fillPlanes(dx, bias, batch, channels, planeBytes)
  for (let restY = 0; restY < min(strideY, height); restY++) {
    for (let restX = 0; restX < min(strideX, width); restX++) {
      image.open(dy, o, outChannels, outHeight, outWidth, blocks.tables)
      for (let ky = 0; ky < kernelHeight; ky++) {
        const down = restY + padY - ky * dilationY
        if (down % strideY != 0) continue
        for (let kx = 0; kx < kernelWidth; kx++) {
          const across = restX + padX - kx * dilationX
          if (across % strideX == 0) image.addTap(down / strideY, across / strideX, (ky * kernelWidth + kx) * 4)
        }
      }
      if (image.tapCount == 0) continue
      const rows = (height - restY + strideY - 1) / strideY
      const columns = (width - restX + strideX - 1) / strideX
      grid.open(rows, columns, 1, 1, 0, 0)
      right.placeAt((restY * width + restX) * 4, strideY * width * 4, strideX * 4, channels * planeBytes)
      for (let group = 0; group < groups; group++) {
        image.base = dy + group * o * image.channelBytes
        left.base = w + group * o * c * kernelBytes
        result.base = dx + group * c * planeBytes
        result.rowBias = bias == 0 ? 0 : bias + group * c * 4
        multiply<Filters, Windows>(workspace, c, batch * rows * columns, o * image.tapCount)
      }
    }
  }
}

/** dy, x -> dw */
export function convolutionWeightGradient(
  dy: usize, x: usize, dw: usize, accumulate: bool,
  batch: i32, channels: i32, height: i32, width: i32, outChannels: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
  dilationY: i32, dilationX: i32, groups: i32,
  workspace: usize, depth: i32, blockHeight: i32, tableBytes: usize, scratchBytes: usize, slots: i32,
): void {
  const c = channels / groups
  const o = outChannels / groups
  const taps = kernelHeight * kernelWidth
  const outputs = outHeight * outWidth
  const steps = (outputs + 3) & ~3
  const image = changetype<Image>(workspace + IMAGE)
  const grid = changetype<Grid>(workspace + GRID)
  const left = changetype<OutputPositions>(workspace + LEFT)
  const right = changetype<InputPositions>(workspace + RIGHT)
  const result = Result.at(workspace)
  const blocks = Blocks.open(workspace, depth, blockHeight, tableBytes, scratchBytes, slots)

  image.open(x, c, channels, height, width, blocks.tables)
  openTaps(image, kernelHeight, kernelWidth, dilationY, dilationX)
  grid.open(outHeight, outWidth, strideY, strideX, -padY, -padX)
  left.size = outputs
  left.steps = steps
  left.imageBytes = outChannels * outputs * 4
  right.image = image
  right.grid = grid
  right.steps = steps
  right.depth = depth
  right.tables = image.end
  result.stride = c * taps * 4
  result.accumulate = accumulate
  result.columnBias = 0
  result.rowBias = 0
  for (let group = 0; group < groups; group++) {
    image.base = x + group * c * image.channelBytes
    left.base = dy + group * o * outputs * 4
    result.base = dw + group * o * c * taps * 4
    multiply<OutputPositions, InputPositions>(workspace, o, c * taps, batch * steps)
  }
}

/** Adds the taps in the order of the kernel. */
function openTaps(image: Image, kernelHeight: i32, kernelWidth: i32, dilationY: i32, dilationX: i32): void {
  for (let ky = 0; ky < kernelHeight; ky++) {
    for (let kx = 0; kx < kernelWidth; kx++) {
      image.addTap(ky * dilationY, kx * dilationX, (ky * kernelWidth + kx) * 4)
    }
  }
}

/** Fills each plane of y [batch, channels, planeBytes] with the bias of its channel, or 0 without a bias. */
function fillPlanes(y: usize, bias: usize, batch: i32, channels: i32, planeBytes: i32): void {
  if (bias == 0) return memory.fill(y, 0, <usize>(batch * channels) * planeBytes)
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const value = load<f32>(bias + <usize>c * 4)
      for (const end = y + planeBytes; y < end; y += 4) store<f32>(y, value)
    }
  }
}
