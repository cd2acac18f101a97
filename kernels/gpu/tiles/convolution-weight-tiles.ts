/**
 * The gradient of a convolution's weight by tiles of 4 x 4 channels that stay in registers (registers.ts): the
 * outer product of four channels of dy and four of x at one tap. Both are copied to fours of channels first.
 *
 *   dy, x    [batch, groups, fours of channels, height, width]
 *   planes   [parts, groups, fours of output channels, fours of channels, kernelHeight, kernelWidth], plane r for output
 *            channel r of four
 */
import type { Convolution } from '../../kernels.js'
import { at, quotient } from '../machine/builtins.js'
import type { Four, Gpu, Named, Program, Texels, Thread } from '../machine/program.js'
import { eachValue, LARGEST_TENSOR, packed } from '../machine/program.js'
import { FOURS, type Fours, fours, foursSize, inFours } from './channel-fours.js'
import { FEWEST_FOR_TILES, forwardOf } from './convolution-tiles.js'
import { addOuterProducts, END_BLOCK, fourFrom, registers } from './registers.js'

/** Sizes of x. fours: fours of channels in a group */
const PADDED = ['groups', 'fours', 'height', 'width'] as const
/** Sizes of dy. fours: fours of output channels in a group; rows: rows of all images together */
const RESULT = ['height', 'width', 'fours', 'rows'] as const
const TAPS = ['height', 'width', 'dilationY', 'dilationX'] as const
const STRIDES = ['strideY', 'strideX', 'parts'] as const
type Padded = Named<typeof PADDED>
type Result = Named<typeof RESULT>
type Taps = Named<typeof TAPS>
type Strides = Named<typeof STRIDES>

/**
 * The place of texel i of a plane: its part, its planes of x and dy in an image, and the distance of its tap from the
 * first tap.
 */
function corner(i: number, padded: Padded, result: Result, taps: Taps): Four {
  const line = quotient(i, taps.width)
  const channels = quotient(line, taps.height)
  const out = quotient(channels, padded.fours)
  const groups = quotient(out, result.fours)
  const part = quotient(groups, padded.groups)
  const group = groups - part * padded.groups
  const down = (line - channels * taps.height) * taps.dilationY
  const right = (i - line * taps.width) * taps.dilationX
  return [
    part,
    group * padded.fours + channels - out * padded.fours,
    group * result.fours + out - groups * result.fours,
    down * padded.width + right,
  ]
}

/** The position at which a row begins in dy, and the position in x of the values that its tap meets. */
function starts(row: number, own: Four, padded: Padded, result: Result, strides: Strides): Four {
  const n = quotient(row, result.height)
  const oy = row - n * result.height
  const image = n * padded.groups * padded.fours + own[1]
  const slopes = n * padded.groups * result.fours + own[2]
  const value = (image * padded.height + oy * strides.strideY) * padded.width + own[3]
  return [(slopes * result.height + oy) * result.width, value, 0, 0]
}

/** Texel i of a plane. */
function tile(
  this: Thread,
  plane: number,
  dy: Texels,
  x: Texels,
  padded: Padded,
  result: Result,
  taps: Taps,
  strides: Strides,
): Four {
  const own = corner(this.thread.x, padded, result, taps)
  let s0 = 0.0
  let s1 = 0.0
  let s2 = 0.0
  let s3 = 0.0
  for (let row = own[0]; row < result.rows; row += strides.parts) {
    const from = starts(row, own, padded, result, strides)
    for (let ox = 0; ox < result.width; ox++) {
      const d = at(dy, (from[0] + ox) * 4 + plane)
      const v = x[from[1] + ox * strides.strideX]
      s0 = s0 + d * v[0]
      s1 = s1 + d * v[1]
      s2 = s2 + d * v[2]
      s3 = s3 + d * v[3]
    }
  }
  return [s0, s1, s2, s3]
}

const readDy = (place: string): string => `DY(${place})`
const readX = (place: string): string => `X(${place})`

/**
 * `tile` of all planes at once, four positions in each round: one position in each takes a fifth longer. A row of dy is
 * a block.
 */
const PLANES = registers(
  ['dy', 'x'],
  `
  vec4 own = corner(i, user_padded, user_result, user_taps);
  float stride = user_strides.strideX;
  int columns = int(user_result.width);
  for (float row = own.x; row < user_result.rows; row += user_strides.parts) {
    vec4 from = starts(row, own, user_padded, user_result, user_strides);
    float slope = from.x;
    float value = from.y;
    int ox = 0;
    for (; ox < columns - 3; ox += 4) {${addOuterProducts(fourFrom('slope', '1.0').map(readDy), fourFrom('value', 'stride').map(readX))}
      slope += 4.0;
      value += 4.0 * stride;
    }
    for (; ox < columns; ox++) {${addOuterProducts([readDy('slope')], [readX('value')])}
      slope += 1.0;
      value += stride;
    }
    ${END_BLOCK}
  }`,
)

const TILES: Program = {
  name: 'convolutionWeightGradient, tiles',
  source: tile,
  kinds: ['number', 'texels', 'texels', PADDED, RESULT, TAPS, STRIDES],
  helpers: {
    corner: { source: corner, kinds: ['number', PADDED, RESULT, TAPS], returns: 'four' },
    starts: { source: starts, kinds: ['number', 'four', PADDED, RESULT, STRIDES], returns: 'four' },
  },
  planes: PLANES,
}

/** The sum of `parts` values. */
function along(x: Texels, first: number, apart: number, parts: number): number {
  let sum = 0.0
  for (let part = 0; part < parts; part++) {
    sum = sum + at(x, first + part * apart)
  }
  return sum
}

/** channels, outChannels: of a group */
const WEIGHT = ['channels', 'taps', 'outChannels', 'parts'] as const

/** The sum of the parts of weight i. @param apart  values of a part */
function totalOfTiles(
  i: number,
  p0: Texels,
  p1: Texels,
  p2: Texels,
  p3: Texels,
  weight: Named<typeof WEIGHT>,
  apart: number,
): number {
  const filter = quotient(i, weight.taps)
  const o = quotient(filter, weight.channels)
  const group = quotient(o, weight.outChannels)
  const within = o - group * weight.outChannels
  const out = Math.floor(within * 0.25)
  const plane = within - 4 * out
  const c = filter - o * weight.channels
  const four = Math.floor(c * 0.25)
  const outs = group * quotient(weight.outChannels + 3, 4) + out
  const texel = (outs * quotient(weight.channels + 3, 4) + four) * weight.taps + i - filter * weight.taps
  const first = texel * 4 + c - four * 4
  if (plane < 1) {
    return along(p0, first, apart, weight.parts)
  }
  if (plane < 2) {
    return along(p1, first, apart, weight.parts)
  }
  if (plane < 3) {
    return along(p2, first, apart, weight.parts)
  }
  return along(p3, first, apart, weight.parts)
}
const TOTAL_OF_TILES = eachValue(
  'convolutionWeightGradient, total of tiles',
  totalOfTiles,
  ['texels', 'texels', 'texels', 'texels', WEIGHT, 'number'],
  { along: { source: along, kinds: ['texels'] } },
)

/** Enough texels to keep a GPU busy. */
const BUSY = 4096
/** The largest number of rounds of all loops of a program: Note [Dialect] in index.ts. */
const MOST_ROUNDS = 60_000

/** The number of parts into which the rows of dy are divided, if a part has `texels` texels. */
export function partsOf(p: Convolution, texels: number): number {
  const rows = p.batch * p.outHeight
  const least = Math.ceil(rows / Math.floor(MOST_ROUNDS / (1 + p.outWidth)))
  return Math.max(least, Math.min(rows, Math.floor(BUSY / texels)))
}

export const WEIGHT_TILE_PROGRAMS: readonly Program[] = [FOURS, TILES, TOTAL_OF_TILES]

/** x and dy in fours, the texels of a part, and the parts. */
function tilesOf(p: Convolution): { image: Fours; slopes: Fours; texels: number; parts: number } {
  const { image, outChannels, outSize } = forwardOf(p)
  const slopes: Fours = { ...image, channels: outChannels, size: outSize, pad: [0, 0], padded: outSize }
  const texels = p.groups * fours(outChannels) * fours(image.channels) * p.kernelHeight * p.kernelWidth
  return { image, slopes, texels, parts: partsOf(p, texels) }
}

/** Sizes of x and dy in fours and of four planes, in values; null if the gradient is not computed by tiles. */
export function weightTileWorkspaces(p: Convolution): readonly number[] | null {
  const { image, slopes, texels, parts } = tilesOf(p)
  const plane = 4 * texels * parts
  const sizes = [foursSize(image), foursSize(slopes), plane, plane, plane, plane]
  const pays = image.channels * slopes.channels >= FEWEST_FOR_TILES
  return pays && sizes.every((size) => size <= LARGEST_TENSOR) ? sizes : null
}

export function weightTiles<Operand>(
  gpu: Gpu<Operand>,
  p: Convolution,
  [dy, x]: readonly Operand[],
  dw: Operand,
  [xInFours, dyInFours, ...planes]: readonly Operand[],
): void {
  const { image, slopes, texels, parts } = tilesOf(p)
  const { kernel, dilation, stride } = forwardOf(p)
  inFours(gpu, image, x, xInFours)
  inFours(gpu, slopes, dy, dyInFours)
  const sizes: readonly Four[] = [
    [p.groups, fours(image.channels), ...image.padded],
    [...slopes.size, fours(slopes.channels), p.batch * p.outHeight],
    [...kernel, ...dilation],
    [...stride, parts, 0],
  ]
  gpu.runPlanes(TILES, [dyInFours, xInFours, ...sizes], planes)
  const { channels } = image
  const weight = packed(WEIGHT, { channels, taps: kernel[0] * kernel[1], outChannels: slopes.channels, parts })
  gpu.run(TOTAL_OF_TILES, [...planes, weight, 4 * texels], dw)
}
