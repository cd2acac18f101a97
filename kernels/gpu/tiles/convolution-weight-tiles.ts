/**
 * The gradient of a convolution to its weight by tiles of 4 x 4 channels: the outer product of four channels of dy and
 * four of x at one tap, for 2 texels that are read at every position. Both are copied to fours of channels first.
 *
 *   dy, x    [batch, groups, fours of channels, height, width]
 *   planes   [parts, groups, fours of output channels, fours of channels, kernelHeight, kernelWidth], plane r for output
 *            channel r of four
 */
import type { Convolution } from '../../kernels.js'
import { at, quotient } from '../machine/builtins.js'
import {
  eachValue,
  type Four,
  type Gpu,
  LARGEST_TENSOR,
  type Program,
  type Texels,
  type Thread,
} from '../machine/program.js'
import { FOURS, type Fours, fours, foursSize, inFours } from './channel-fours.js'
import { FEWEST_FOR_TILES, forwardOf } from './convolution-tiles.js'

/**
 * Texel of a plane.
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
  vec4 t0 = s0, t1 = s0, t2 = s0, t3 = s0;
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
    // a row is a block: Note [Long sums] in index.ts
    t0 += s0;
    t1 += s1;
    t2 += s2;
    t3 += s3;
    s0 = s1 = s2 = s3 = vec4(0.0);
  }
  s0 = t0;
  s1 = t1;
  s2 = t2;
  s3 = t3;
}`

const TILES: Program = {
  name: 'convolutionWeightGradient, tiles',
  source: tile,
  kinds: ['number', 'texels', 'texels', 'four', 'four', 'four', 'four'],
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
  { along: { source: along, kinds: ['texels'] } },
)

/** Enough texels to keep a GPU busy. */
const BUSY = 4096
/** Of the loops of a program: Note [Dialect]. */
const MOST_ROUNDS = 60_000

/** In how many parts the rows of dy are dealt, where a part has so many texels. */
export function partsOf(p: Convolution, texels: number): number {
  const rows = p.batch * p.outHeight
  const least = Math.ceil(rows / Math.floor(MOST_ROUNDS / (1 + p.outWidth)))
  return Math.max(least, Math.min(rows, Math.floor(BUSY / texels)))
}

export const WEIGHT_TILE_PROGRAMS: readonly Program[] = [FOURS, TILES, TOTAL_OF_TILES]

/** x and dy in fours, texels of a part and how many there are. */
function tilesOf(p: Convolution): { image: Fours; slopes: Fours; texels: number; parts: number } {
  const { image, outChannels, outSize } = forwardOf(p)
  const slopes: Fours = { ...image, channels: outChannels, size: outSize, pad: [0, 0], padded: outSize }
  const texels = p.groups * fours(outChannels) * fours(image.channels) * p.kernelHeight * p.kernelWidth
  return { image, slopes, texels, parts: partsOf(p, texels) }
}

/** x and dy in fours, and four planes: in values. Null where there are no tiles. */
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
  const kernel = [p.kernelHeight, p.kernelWidth] as const
  inFours(gpu, image, x, xInFours)
  inFours(gpu, slopes, dy, dyInFours)
  gpu.runPlanes(
    TILES,
    [
      ...[dyInFours, xInFours],
      [p.groups, fours(image.channels), ...image.padded],
      [...slopes.size, fours(slopes.channels), p.batch * p.outHeight],
      [...kernel, p.dilationY, p.dilationX],
      [p.strideY, p.strideX, parts, 0],
    ],
    planes,
  )
  const sizes: Four = [image.channels, kernel[0] * kernel[1], slopes.channels, parts]
  gpu.run(TOTAL_OF_TILES, [...planes, sizes, 4 * texels], dw)
}
