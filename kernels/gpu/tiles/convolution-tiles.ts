/**
 * Cross-correlation by tiles of four positions and four output channels that stay in registers (registers.ts).
 *
 * Here a texel is four channels, of an image at one place or of a filter at one tap. Both operands are copied to that
 * layout first. The copy of an image includes its padding, so that no tile asks where an image ends, and all strides
 * and dilations cost the same. A position is a place of the result, (n, oy, ox) row by row.
 *
 *   image    [batch, groups, fours of channels, paddedHeight, paddedWidth]
 *   filters  [groups, output channels of a group in whole fours, fours of channels, kernelHeight, kernelWidth]
 *   planes   [groups, fours of output channels, fours of positions], plane r for channel r of four
 *
 * The gradient of the image is a correlation too: of dy, with zeros between its values where the stride is larger than
 * 1, with every filter turned by 180 degrees and the two kinds of channels exchanged.
 */
import type { Convolution } from '../../kernels.js'
import { at, quotient } from '../machine/builtins.js'
import type { Four, Gpu, Named, Program, Texels, Thread } from '../machine/program.js'
import { eachValue, LARGEST_TENSOR, packed } from '../machine/program.js'
import { FOURS, type Fours, fours, foursSize, inFours, type Plane } from './channel-fours.js'
import { fromPlanes, PLANE_PROGRAMS } from './planes.js'
import { addRows, END_BLOCK, fourFrom, registers } from './registers.js'

/**
 * Distances in the weight from output channel to output channel, from channel to channel and from tap to tap; and the
 * first tap.
 */
const FILTER = ['output', 'channel', 'tap', 'first'] as const
type Filter = Named<typeof FILTER>

/** A correlation of an image with filters. */
export interface Correlation {
  readonly image: Fours
  /** output channels of one group */
  readonly outChannels: number
  readonly outSize: Plane
  readonly kernel: Plane
  readonly dilation: Plane
  readonly stride: Plane
  readonly filter: Filter
}

/** The length along an axis that `outputs` windows see. */
const seen = (outputs: number, kernel: number, dilation: number, stride: number): number =>
  (outputs - 1) * stride + (kernel - 1) * dilation + 1

/** The correlation of x with w: y. */
export function forwardOf(p: Convolution): Correlation {
  const taps = p.kernelHeight * p.kernelWidth
  const channels = p.channels / p.groups
  return {
    image: {
      batch: p.batch,
      groups: p.groups,
      channels,
      size: [p.height, p.width],
      pad: [p.padY, p.padX],
      spread: [1, 1],
      padded: [
        seen(p.outHeight, p.kernelHeight, p.dilationY, p.strideY),
        seen(p.outWidth, p.kernelWidth, p.dilationX, p.strideX),
      ],
    },
    outChannels: p.outChannels / p.groups,
    outSize: [p.outHeight, p.outWidth],
    kernel: [p.kernelHeight, p.kernelWidth],
    dilation: [p.dilationY, p.dilationX],
    stride: [p.strideY, p.strideX],
    filter: { output: channels * taps, channel: taps, tap: 1, first: 0 },
  }
}

/** The correlation of dy with w, turned by 180 degrees: dx. */
export function backwardOf(p: Convolution): Correlation {
  const taps = p.kernelHeight * p.kernelWidth
  const channels = p.channels / p.groups
  return {
    image: {
      batch: p.batch,
      groups: p.groups,
      channels: p.outChannels / p.groups,
      size: [p.outHeight, p.outWidth],
      pad: [p.dilationY * (p.kernelHeight - 1) - p.padY, p.dilationX * (p.kernelWidth - 1) - p.padX],
      spread: [p.strideY, p.strideX],
      padded: [seen(p.height, p.kernelHeight, p.dilationY, 1), seen(p.width, p.kernelWidth, p.dilationX, 1)],
    },
    outChannels: channels,
    outSize: [p.height, p.width],
    kernel: [p.kernelHeight, p.kernelWidth],
    dilation: [p.dilationY, p.dilationX],
    stride: [1, 1],
    filter: { output: taps, channel: channels * taps, tap: -1, first: taps - 1 },
  }
}

/** channels, outChannels: of a group */
const FILTER_SIZES = ['channels', 'fours', 'taps', 'outChannels'] as const

/** Value i of the filters. */
function filterOf(i: number, w: Texels, sizes: Named<typeof FILTER_SIZES>, filter: Filter): number {
  const texel = quotient(i, 4)
  const four = quotient(texel, sizes.taps)
  const out = quotient(four, sizes.fours)
  const group = quotient(out, quotient(sizes.outChannels + 3, 4) * 4)
  const o = out - group * quotient(sizes.outChannels + 3, 4) * 4
  const c = (four - out * sizes.fours) * 4 + i - texel * 4
  if (c >= sizes.channels || o >= sizes.outChannels) {
    return 0.0
  }
  const tap = texel - four * sizes.taps
  const start = group * sizes.outChannels * sizes.channels * sizes.taps
  return at(w, start + o * filter.output + c * filter.channel + tap * filter.tap + filter.first)
}
const FILTERS = eachValue('convolution, filters in fours', filterOf, ['texels', FILTER_SIZES, FILTER])

/** fours: of channels of a group; height, width: of the image with its padding */
const PADDED = ['groups', 'fours', 'height', 'width'] as const
/** outChannels, outFours: of a group */
const RESULT = ['height', 'width', 'outChannels', 'outFours'] as const
const TAPS = ['height', 'width', 'dilationY', 'dilationX'] as const
/** positions: in fours */
const STRIDES = ['strideY', 'strideX', 'positions', 'biased'] as const
type Padded = Named<typeof PADDED>
type Result = Named<typeof RESULT>
type Taps = Named<typeof TAPS>
type Strides = Named<typeof STRIDES>

/**
 * The place of tile i: the number of its four output channels, their group, its first position, and its first output
 * channel.
 */
function corner(i: number, result: Result, strides: Strides): Four {
  const four = quotient(i, strides.positions)
  const group = quotient(four, result.outFours)
  const channel = group * result.outChannels + (four - group * result.outFours) * 4
  return [four, group, 4 * (i - four * strides.positions), channel]
}

/** The texel of the image that the first tap of the first four channels meets at a position. */
function place(position: number, group: number, padded: Padded, result: Result, strides: Strides): number {
  const row = quotient(position, result.width)
  const n = quotient(row, result.height)
  const plane = (n * padded.groups + group) * padded.fours
  const y = (row - n * result.height) * strides.strideY
  return (plane * padded.height + y) * padded.width + (position - row * result.width) * strides.strideX
}

/** The sum over all channels and taps, from texels `from` of the image and `filter` of the filters on. */
function meet(image: Texels, filters: Texels, from: number, filter: number, padded: Padded, taps: Taps): number {
  let sum = 0.0
  for (let c = 0; c < padded.fours; c++) {
    for (let ky = 0; ky < taps.height; ky++) {
      for (let kx = 0; kx < taps.width; kx++) {
        const texel = from + (c * padded.height + ky * taps.dilationY) * padded.width + kx * taps.dilationX
        const tap = filter + (c * taps.height + ky) * taps.width + kx
        for (let lane = 0; lane < 4; lane++) {
          sum = sum + at(image, texel * 4 + lane) * at(filters, tap * 4 + lane)
        }
      }
    }
  }
  return sum
}

/** Texel i of a plane. */
function tile(
  this: Thread,
  plane: number,
  image: Texels,
  filters: Texels,
  bias: Texels,
  padded: Padded,
  result: Result,
  taps: Taps,
  strides: Strides,
): Four {
  const own = corner(this.thread.x, result, strides)
  const filter = (4 * own[0] + plane) * padded.fours * taps.height * taps.width
  let start = 0.0
  if (strides.biased > 0) {
    start = at(bias, own[3] + plane)
  }
  const from0 = place(own[2], own[1], padded, result, strides)
  const from1 = place(own[2] + 1, own[1], padded, result, strides)
  const from2 = place(own[2] + 2, own[1], padded, result, strides)
  const from3 = place(own[2] + 3, own[1], padded, result, strides)
  return [
    start + meet(image, filters, from0, filter, padded, taps),
    start + meet(image, filters, from1, filter, padded, taps),
    start + meet(image, filters, from2, filter, padded, taps),
    start + meet(image, filters, from3, filter, padded, taps),
  ]
}

const IMAGE_TEXELS = [0, 1, 2, 3].map((r) => `IMAGE(from${r} + to)`)
const FILTER_TEXELS = fourFrom('tap', 'size').map((texel) => `FILTERS(${texel})`)

/** `tile` of all planes at once. */
const PLANES = registers(
  ['image', 'filters'],
  `
  vec4 own = corner(i, user_result, user_strides);
  float from0 = place(own.z, own.y, user_padded, user_result, user_strides);
  float from1 = place(own.z + 1.0, own.y, user_padded, user_result, user_strides);
  float from2 = place(own.z + 2.0, own.y, user_padded, user_result, user_strides);
  float from3 = place(own.z + 3.0, own.y, user_padded, user_result, user_strides);
  float area = user_padded.height * user_padded.width;
  float size = user_padded.fours * user_taps.height * user_taps.width;
  float tap = 4.0 * own.x * size;
  int channels = int(user_padded.fours);
  int rows = int(user_taps.height);
  int columns = int(user_taps.width);
  if (user_strides.biased > 0.0) {
    t0 += at(user_bias, user_biasSize, user_biasDim, own.w);
    t1 += at(user_bias, user_biasSize, user_biasDim, own.w + 1.0);
    t2 += at(user_bias, user_biasSize, user_biasDim, own.w + 2.0);
    t3 += at(user_bias, user_biasSize, user_biasDim, own.w + 3.0);
  }
  int left = 64;
  for (int c = 0; c < channels; c++) {
    for (int ky = 0; ky < rows; ky++) {
      float to = float(c) * area + float(ky) * user_taps.dilationY * user_padded.width;
      for (int kx = 0; kx < columns; kx++) {${addRows('DOTS', IMAGE_TEXELS, FILTER_TEXELS)}
        to += user_taps.dilationX;
        tap += 1.0;
        if (--left == 0) {
          ${END_BLOCK}
          left = 64;
        }
      }
    }
  }`,
)

const TILES: Program = {
  name: 'convolution, tiles',
  source: tile,
  kinds: ['number', 'texels', 'texels', 'texels', PADDED, RESULT, TAPS, STRIDES],
  helpers: {
    corner: { source: corner, kinds: ['number', RESULT, STRIDES], returns: 'four' },
    place: { source: place, kinds: ['number', 'number', PADDED, RESULT, STRIDES] },
    meet: { source: meet, kinds: ['texels', 'texels', 'number', 'number', PADDED, TAPS] },
  },
  planes: PLANES,
}

export const CORRELATION_PROGRAMS: readonly Program[] = [FOURS, FILTERS, TILES, ...PLANE_PROGRAMS]

const positionsOf = ({ image, outSize }: Correlation): number => image.batch * outSize[0] * outSize[1]

/**
 * The smallest number of pairs of channels that makes a tile worthwhile; a tile has room for 16. With fewer, single values
 * are as fast, and take no memory.
 */
export const FEWEST_FOR_TILES = 4

/** Sizes of the workspaces of `correlate`, in values; empty if the correlation is not computed by tiles. */
export function correlationWorkspaces(c: Correlation): readonly number[] {
  const { groups, channels } = c.image
  const outFours = groups * fours(c.outChannels)
  const plane = 4 * outFours * fours(positionsOf(c))
  const filters = 4 * outFours * 4 * fours(channels) * c.kernel[0] * c.kernel[1]
  const sizes = [foursSize(c.image), filters, plane, plane, plane, plane]
  const pays = channels * c.outChannels >= FEWEST_FOR_TILES
  return pays && sizes.every((size) => size <= LARGEST_TENSOR) ? sizes : []
}

/** @param bias  null: none */
export function correlate<Operand>(
  gpu: Gpu<Operand>,
  c: Correlation,
  [x, w, bias]: readonly [Operand, Operand, Operand | null],
  y: Operand,
  [image, filters, ...planes]: readonly Operand[],
): void {
  const { outChannels, outSize, kernel, dilation, stride } = c
  const { groups, channels, padded } = c.image
  const positions = fours(positionsOf(c))
  const outFours = fours(outChannels)
  const filterSizes = { channels, fours: fours(channels), taps: kernel[0] * kernel[1], outChannels }
  inFours(gpu, c.image, x, image)
  gpu.run(FILTERS, [w, packed(FILTER_SIZES, filterSizes), packed(FILTER, c.filter)], filters)
  const sizes: readonly Four[] = [
    [groups, fours(channels), ...padded],
    [...outSize, outChannels, outFours],
    [...kernel, ...dilation],
    [...stride, positions, bias === null ? 0 : 1],
  ]
  gpu.runPlanes(TILES, [image, filters, bias ?? w, ...sizes], planes)
  const strides = [outSize[0] * outSize[1], outFours * 4 * positions, 4 * positions] as const
  fromPlanes(gpu, { groups, rows: outChannels, columns: strides[0], strides }, planes, y)
}
