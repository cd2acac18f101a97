/**
 * The gradient of a convolution to its weight [outChannels, channels of a group, kernelHeight, kernelWidth]: every weight
 * a sum over all positions of all images. Weights are few and positions many, so the rows of dy are dealt to parts,
 * which a second pass adds.
 *
 * dy and x are copied to fours of channels (convolutionTiles.ts), and a tile is the outer product of a texel of each: 4
 * x 4 weights of one tap, for 2 texels that are read at every position. Where groups have so few channels that tiles
 * would be all but empty, a texel holds one tap of four output channels, which share what is read of x.
 *
 *   image, result, taps, strides: as in convolution.ts
 *   counts:  texels of a filter, parts, rows of dy, fours of output channels in a group
 */
import type { Convolution } from '../kernels.js'
import { FEWEST_FOR_TILES, sizesOf } from './convolution.js'
import { FOURS, type Fours, forwardOf, fours, foursOf, foursSize, inFours } from './convolutionTiles.js'
import type { GpuKernel } from './kernel.js'
import { eachValue, type Four, LARGEST_TENSOR, type Program, type Texels, type Thread } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function inRow(x: Texels, start: number, left: number, width: number): number
declare function along(x: Texels, first: number, apart: number, parts: number): number

/** Value `left` of a row that begins at `start`, or the 0 that pads it. */
function inRowOf(x: Texels, start: number, left: number, width: number): number {
  if (left < 0 || left >= width) {
    return 0.0
  }
  return at(x, start + left)
}

/** One tap of four output channels, value by value. */
function partOf(
  this: Thread,
  dy: Texels,
  x: Texels,
  counts: Four,
  image: Four,
  result: Four,
  taps: Four,
  strides: Four,
): Four {
  const filter = quotient(this.thread.x, counts[0])
  const tap = this.thread.x - filter * counts[0]
  const groups = quotient(image[0], image[3])
  const part = quotient(filter, groups * counts[3])
  const fours = filter - part * groups * counts[3]
  const group = quotient(fours, counts[3])
  const line = quotient(tap, taps[1])
  const c = quotient(line, taps[0])
  const o = group * result[3] + (fours - group * counts[3]) * 4
  const last = (group + 1) * result[3] - 1
  const area = result[1] * result[2]
  const to1 = (Math.min(o + 1, last) - o) * area
  const to2 = (Math.min(o + 2, last) - o) * area
  const to3 = (Math.min(o + 3, last) - o) * area
  const down = (line - c * taps[0]) * taps[2] - strides[2]
  const right = (tap - line * taps[1]) * taps[3] - strides[3]
  let sum0 = 0.0
  let sum1 = 0.0
  let sum2 = 0.0
  let sum3 = 0.0
  for (let row = part; row < counts[2]; row += counts[1]) {
    const n = quotient(row, result[1])
    const oy = row - n * result[1]
    const iy = oy * strides[0] + down
    if (iy >= 0 && iy < image[1]) {
      const slopes = ((n * result[0] + o) * result[1] + oy) * result[2]
      const start = ((n * image[0] + group * image[3] + c) * image[1] + iy) * image[2]
      for (let ox = 0; ox < result[2]; ox++) {
        const value = inRow(x, start, ox * strides[1] + right, image[2])
        sum0 = sum0 + value * at(dy, slopes + ox)
        sum1 = sum1 + value * at(dy, slopes + to1 + ox)
        sum2 = sum2 + value * at(dy, slopes + to2 + ox)
        sum3 = sum3 + value * at(dy, slopes + to3 + ox)
      }
    }
  }
  return [sum0, sum1, sum2, sum3]
}

/** The sum of the parts of weight i. */
function total(i: number, partial: Texels, counts: Four, result: Four): number {
  const o = quotient(i, counts[0])
  const group = quotient(o, result[3])
  const within = o - group * result[3]
  const four = quotient(within, 4)
  const texels = quotient(result[0], result[3]) * counts[3] * counts[0]
  const first = ((group * counts[3] + four) * counts[0] + i - o * counts[0]) * 4 + within - four * 4
  let sum = 0.0
  for (let part = 0; part < counts[1]; part++) {
    sum = sum + at(partial, first + part * texels * 4)
  }
  return sum
}

const PARTS: Program = {
  name: 'convolutionWeightGradient, values',
  source: partOf,
  kinds: ['texels', 'texels', 'four', 'four', 'four', 'four', 'four'],
  helpers: { inRow: { source: inRowOf, kinds: ['texels'] } },
}
const TOTAL = eachValue('convolutionWeightGradient, total', total, ['texels', 'four', 'four'])

/**
 * Texel of a plane [parts, groups, fours of output channels, fours of channels, kernelHeight, kernelWidth]: four channels
 * of one output channel.
 * @param padded  groups, fours of channels of a group, height, width of x
 * @param result  height, width of dy, fours of output channels of a group, rows of all images
 * @param taps    kernelHeight, kernelWidth, dilationY, dilationX
 * @param strides strideY, strideX, parts
 */
function tile(
  this: Thread,
  plane: number,
  dy: Texels,
  x: Texels,
  padded: Four,
  result: Four,
  taps: Four,
  strides: Four,
): Four {
  const line = quotient(this.thread.x, taps[1])
  const channels = quotient(line, taps[0])
  const out = quotient(channels, padded[1])
  const groups = quotient(out, result[2])
  const part = quotient(groups, padded[0])
  const group = groups - part * padded[0]
  const down = (line - channels * taps[0]) * taps[2]
  const right = (this.thread.x - line * taps[1]) * taps[3]
  let s0 = 0.0
  let s1 = 0.0
  let s2 = 0.0
  let s3 = 0.0
  for (let row = part; row < result[3]; row += strides[2]) {
    const n = quotient(row, result[0])
    const oy = row - n * result[0]
    const image = (n * padded[0] + group) * padded[1] + channels - out * padded[1]
    const value = (image * padded[2] + oy * strides[0] + down) * padded[3] + right
    const slope = (((n * padded[0] + group) * result[2] + out - groups * result[2]) * result[0] + oy) * result[1]
    for (let ox = 0; ox < result[1]; ox++) {
      const d = at(dy, (slope + ox) * 4 + plane)
      const v = x[value + ox * strides[1]]
      s0 = s0 + d * v[0]
      s1 = s1 + d * v[1]
      s2 = s2 + d * v[2]
      s3 = s3 + d * v[3]
    }
  }
  return [s0, s1, s2, s3]
}

/** `tile` of all planes at once, four positions a round: the loop itself takes a fifth of the time where it is one. */
const PLANES = `
#define X(i) texelAt(user_x, widthX, inverseX, i)
#define DY(i) texelAt(user_dy, widthD, inverseD, i)
#define OUTER(d, v) s0 += d.x * v; s1 += d.y * v; s2 += d.z * v; s3 += d.w * v
void planes(float i, out vec4 s0, out vec4 s1, out vec4 s2, out vec4 s3) {
  float widthX = float(user_xSize.x);
  float widthD = float(user_dySize.x);
  vec2 inverseX = intBitsToFloat(user_xDim.xy);
  vec2 inverseD = intBitsToFloat(user_dyDim.xy);
  float line = quotient(i, user_taps.y);
  float channels = quotient(line, user_taps.x);
  float four = quotient(channels, user_padded.y);
  float groups = quotient(four, user_result.z);
  float part = quotient(groups, user_padded.x);
  float group = groups - part * user_padded.x;
  float down = (line - channels * user_taps.x) * user_taps.z;
  float right = (i - line * user_taps.y) * user_taps.w;
  float step = user_strides.y;
  int columns = int(user_result.y);
  s0 = s1 = s2 = s3 = vec4(0.0);
  for (float row = part; row < user_result.w; row += user_strides.z) {
    float n = quotient(row, user_result.x);
    float oy = row - n * user_result.x;
    float image = (n * user_padded.x + group) * user_padded.y + channels - four * user_padded.y;
    float value = (image * user_padded.z + oy * user_strides.x + down) * user_padded.w + right;
    float slope = (((n * user_padded.x + group) * user_result.z + four - groups * user_result.z) * user_result.x + oy)
      * user_result.y;
    int ox = 0;
    for (; ox < columns - 3; ox += 4) {
      vec4 d0 = DY(slope), d1 = DY(slope + 1.0), d2 = DY(slope + 2.0), d3 = DY(slope + 3.0);
      vec4 v0 = X(value), v1 = X(value + step), v2 = X(value + 2.0 * step), v3 = X(value + 3.0 * step);
      OUTER(d0, v0);
      OUTER(d1, v1);
      OUTER(d2, v2);
      OUTER(d3, v3);
      slope += 4.0;
      value += 4.0 * step;
    }
    for (; ox < columns; ox++) {
      vec4 d = DY(slope);
      vec4 v = X(value);
      OUTER(d, v);
      slope += 1.0;
      value += step;
    }
  }
}`

const TILES: Program = {
  name: 'convolutionWeightGradient, tiles',
  source: tile,
  kinds: ['number', 'texels', 'texels', 'four', 'four', 'four', 'four'],
  planes: PLANES,
}

/** The sum of `parts` values. */
function alongOf(x: Texels, first: number, apart: number, parts: number): number {
  let sum = 0.0
  for (let part = 0; part < parts; part++) {
    sum = sum + at(x, first + part * apart)
  }
  return sum
}

/**
 * The sum of the parts of weight i.
 * @param sizes  channels of a group, taps, output channels of a group, parts
 * @param apart  values of a part
 */
function totalOfTiles(i: number, p0: Texels, p1: Texels, p2: Texels, p3: Texels, sizes: Four, apart: number): number {
  const filter = quotient(i, sizes[1])
  const o = quotient(filter, sizes[0])
  const group = quotient(o, sizes[2])
  const within = o - group * sizes[2]
  const out = Math.floor(within * 0.25)
  const plane = within - 4 * out
  const c = filter - o * sizes[0]
  const four = Math.floor(c * 0.25)
  const outs = group * quotient(sizes[2] + 3, 4) + out
  const texel = (outs * quotient(sizes[0] + 3, 4) + four) * sizes[1] + i - filter * sizes[1]
  const first = texel * 4 + c - four * 4
  if (plane < 1) {
    return along(p0, first, apart, sizes[3])
  }
  if (plane < 2) {
    return along(p1, first, apart, sizes[3])
  }
  if (plane < 3) {
    return along(p2, first, apart, sizes[3])
  }
  return along(p3, first, apart, sizes[3])
}
const TOTAL_OF_TILES = eachValue(
  'convolutionWeightGradient, total of tiles',
  totalOfTiles,
  ['texels', 'texels', 'texels', 'texels', 'four', 'number'],
  { along: { source: alongOf, kinds: ['texels'] } },
)

/** Enough texels to keep a GPU busy. */
const BUSY = 4096
/** Of the loops of a program: Note [Dialect]. */
const MOST_ROUNDS = 60_000

/** In how many parts the rows of dy are dealt, where a part has so many texels. */
function partsOf(p: Convolution, texels: number): number {
  const rows = p.batch * p.outHeight
  const least = Math.ceil(rows / Math.floor(MOST_ROUNDS / (1 + p.outWidth)))
  return Math.max(least, Math.min(rows, Math.floor(BUSY / texels)))
}

/** Without tiles: texels of all parts, and `counts`. */
function valuesOf(p: Convolution): { counts: Four; texels: number } {
  const filter = (p.channels / p.groups) * p.kernelHeight * p.kernelWidth
  const outFours = fours(p.outChannels / p.groups)
  const texels = p.groups * outFours * filter
  const parts = partsOf(p, texels)
  return { counts: [filter, parts, p.batch * p.outHeight, outFours], texels: parts * texels }
}

/** With them: x and dy in fours, texels of a part and how many there are. */
function tilesOf(p: Convolution): { image: Fours; slopes: Fours; texels: number; parts: number } {
  const { outChannels, outSize, ...rest } = forwardOf(p)
  const image = foursOf({ ...rest, outChannels, outSize })
  const slopes = { ...image, channels: outChannels, size: outSize, pad: [0, 0], padded: outSize } as const
  const texels = p.groups * fours(outChannels) * fours(image.channels) * p.kernelHeight * p.kernelWidth
  return { image, slopes, texels, parts: partsOf(p, texels) }
}

/** x and dy in fours, and four planes; nothing where there are no tiles. */
function tileWorkspaces(p: Convolution): readonly number[] {
  const { image, slopes, texels, parts } = tilesOf(p)
  const plane = 4 * texels * parts
  const sizes = [foursSize(image), foursSize(slopes), plane, plane, plane, plane]
  const pays = image.channels * slopes.channels >= FEWEST_FOR_TILES
  return pays && sizes.every((size) => size <= LARGEST_TENSOR) ? sizes : []
}

export const convolutionWeightGradient: GpuKernel<'convolutionWeightGradient'> = {
  programs: [PARTS, TOTAL, FOURS, TILES, TOTAL_OF_TILES],
  workspaces(p) {
    const sizes = tileWorkspaces(p)
    return sizes.length > 0 ? sizes : [4 * valuesOf(p).texels]
  },
  run(gpu, p, [dy, x], [dw], workspaces) {
    const [, result, taps, strides] = sizesOf(p)
    if (workspaces.length === 1) {
      const [partial] = workspaces
      const { counts } = valuesOf(p)
      gpu.run(PARTS, [dy, x, counts, ...sizesOf(p)], partial)
      gpu.run(TOTAL, [partial, counts, result], dw)
      return
    }
    const { image, slopes, texels, parts } = tilesOf(p)
    const [xInFours, dyInFours, ...planes] = workspaces
    inFours(gpu, image, x, xInFours)
    inFours(gpu, slopes, dy, dyInFours)
    gpu.runPlanes(
      TILES,
      [
        ...[dyInFours, xInFours],
        [p.groups, fours(image.channels), ...image.padded],
        [p.outHeight, p.outWidth, fours(slopes.channels), p.batch * p.outHeight],
        taps,
        [strides[0], strides[1], parts, 0],
      ],
      planes,
    )
    const sizes: Four = [image.channels, p.kernelHeight * p.kernelWidth, slopes.channels, parts]
    gpu.run(TOTAL_OF_TILES, [...planes, sizes, 4 * texels], dw)
  },
}
