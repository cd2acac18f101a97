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
 * If outputs are `stride` pixels apart, only some taps lead from an input back to an output; which ones depends on the
 * input's place modulo the stride. So dx is one product for each remainder, over inputs that are `stride` apart: their
 * windows on dy are dense, and every multiplied tap contributes.
 */
import { ProductSizes, Sizes } from './machine/sizes'
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
export function convolution(x: usize, w: usize, bias: usize, y: usize, workspace: usize): void {
  const p = changetype<ProductSizes>(workspace)
  const c = p.groupChannels
  const o = p.groupOutChannels
  const filterBytes = c * p.kernelHeight * p.kernelWidth * 4
  const outBytes = p.outHeight * p.outWidth * 4
  const image = changetype<Image>(workspace + IMAGE)
  const grid = changetype<Grid>(workspace + GRID)
  const left = changetype<Matrix>(workspace + LEFT)
  const right = changetype<Windows>(workspace + RIGHT)
  const result = Result.at(workspace)
  const blocks = Blocks.open(workspace, p.depth, p.blockHeight, p.tableBytes, p.scratchBytes, p.slotCount)

  image.open(x, c, p.channels, p.height, p.width, blocks.tables)
  openTaps(image, p)
  grid.open(p.outHeight, p.outWidth, p.strideY, p.strideX, -p.padY, -p.padX)
  left.laneStride = filterBytes
  left.stepStride = 4
  right.image = image
  right.grid = grid
  right.placeAt(0, p.outWidth * 4, 4, p.outChannels * outBytes)
  result.stride = outBytes
  result.accumulate = false
  result.columnBias = 0
  for (let group = 0; group < p.groups; group++) {
    image.base = x + group * c * image.channelBytes
    left.base = w + group * o * filterBytes
    result.base = y + group * o * outBytes
    result.rowBias = bias == 0 ? 0 : bias + group * o * 4
    multiply<Matrix, Windows>(workspace, o, p.batch * p.outHeight * p.outWidth, filterBytes / 4)
  }
}

/** dy, w, bias? (an address, or 0) -> dx */
export function convolutionInputGradient(dy: usize, w: usize, bias: usize, dx: usize, workspace: usize): void {
  const p = changetype<ProductSizes>(workspace)
  const c = p.groupChannels
  const o = p.groupOutChannels
  const kernelBytes = p.kernelHeight * p.kernelWidth * 4
  const planeBytes = p.height * p.width * 4
  const image = changetype<Image>(workspace + IMAGE)
  const grid = changetype<Grid>(workspace + GRID)
  const left = changetype<Filters>(workspace + LEFT)
  const right = changetype<Windows>(workspace + RIGHT)
  const result = Result.at(workspace)
  const blocks = Blocks.open(workspace, p.depth, p.blockHeight, p.tableBytes, p.scratchBytes, p.slotCount)

  left.image = image
  left.laneStride = kernelBytes
  left.channelStride = c * kernelBytes
  right.image = image
  right.grid = grid
  result.stride = planeBytes
  result.accumulate = false
  result.columnBias = 0
  // The loop below skips inputs from which no tap leads back to an output.
  if (p.strideY > 1 || p.strideX > 1) fillPlanes(dx, bias, p.batch, p.channels, planeBytes)
  for (let restY = 0; restY < min(p.strideY, p.height); restY++) {
    for (let restX = 0; restX < min(p.strideX, p.width); restX++) {
      image.open(dy, o, p.outChannels, p.outHeight, p.outWidth, blocks.tables)
      for (let ky = 0; ky < p.kernelHeight; ky++) {
        const down = restY + p.padY - ky * p.dilationY
        if (down % p.strideY != 0) continue
        for (let kx = 0; kx < p.kernelWidth; kx++) {
          const across = restX + p.padX - kx * p.dilationX
          if (across % p.strideX == 0) image.addTap(down / p.strideY, across / p.strideX, (ky * p.kernelWidth + kx) * 4)
        }
      }
      if (image.tapCount == 0) continue
      const rows = (p.height - restY + p.strideY - 1) / p.strideY
      const columns = (p.width - restX + p.strideX - 1) / p.strideX
      grid.open(rows, columns, 1, 1, 0, 0)
      right.placeAt((restY * p.width + restX) * 4, p.strideY * p.width * 4, p.strideX * 4, p.channels * planeBytes)
      for (let group = 0; group < p.groups; group++) {
        image.base = dy + group * o * image.channelBytes
        left.base = w + group * o * c * kernelBytes
        result.base = dx + group * c * planeBytes
        result.rowBias = bias == 0 ? 0 : bias + group * c * 4
        multiply<Filters, Windows>(workspace, c, p.batch * rows * columns, o * image.tapCount)
      }
    }
  }
}

/** dy, x -> dw */
export function convolutionWeightGradient(
  dy: usize, x: usize, dw: usize, accumulate: bool, workspace: usize,
): void {
  const p = changetype<ProductSizes>(workspace)
  const c = p.groupChannels
  const o = p.groupOutChannels
  const taps = p.kernelHeight * p.kernelWidth
  const outputs = p.outHeight * p.outWidth
  const steps = (outputs + 3) & ~3
  const image = changetype<Image>(workspace + IMAGE)
  const grid = changetype<Grid>(workspace + GRID)
  const left = changetype<OutputPositions>(workspace + LEFT)
  const right = changetype<InputPositions>(workspace + RIGHT)
  const result = Result.at(workspace)
  const blocks = Blocks.open(workspace, p.depth, p.blockHeight, p.tableBytes, p.scratchBytes, p.slotCount)

  image.open(x, c, p.channels, p.height, p.width, blocks.tables)
  openTaps(image, p)
  grid.open(p.outHeight, p.outWidth, p.strideY, p.strideX, -p.padY, -p.padX)
  left.size = outputs
  left.steps = steps
  left.imageBytes = p.outChannels * outputs * 4
  right.image = image
  right.grid = grid
  right.steps = steps
  right.depth = p.depth
  right.tables = image.end
  result.stride = c * taps * 4
  result.accumulate = accumulate
  result.columnBias = 0
  result.rowBias = 0
  for (let group = 0; group < p.groups; group++) {
    image.base = x + group * c * image.channelBytes
    left.base = dy + group * o * outputs * 4
    result.base = dw + group * o * c * taps * 4
    multiply<OutputPositions, InputPositions>(workspace, o, c * taps, p.batch * steps)
  }
}

/** Adds the taps in the order of the kernel. */
function openTaps(image: Image, p: Sizes): void {
  for (let ky = 0; ky < p.kernelHeight; ky++) {
    for (let kx = 0; kx < p.kernelWidth; kx++) {
      image.addTap(ky * p.dilationY, kx * p.dilationX, (ky * p.kernelWidth + kx) * 4)
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
