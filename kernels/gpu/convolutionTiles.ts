/**
 * Cross-correlation by tiles of four positions and four output channels that stay in registers, as matmulTiles.ts
 * multiplies matrices: 8 texels that are read serve 64 multiplications.
 *
 * A texel is four channels here, of an image at one place or of a filter at one tap. Both operands are copied to that
 * layout first, and an image with the zeros that pad it, so that no tile asks where an image ends, and any stride and
 * dilation cost the same. A position is a place of the result, (n, oy, ox) row by row.
 *
 *   image    [batch, groups, fours of channels, paddedHeight, paddedWidth]
 *   filters  [groups, output channels of a group in whole fours, fours of channels, kernelHeight, kernelWidth]
 *   planes   [groups, fours of output channels, fours of positions], plane r for channel r of four
 *
 * The gradient to the image is a correlation too: of dy, with zeros between its values where the stride is larger than
 * 1, with every filter turned by half and the two kinds of channels exchanged.
 */
import type { Convolution } from '../kernels.js'
import { fromPlanes, PLANE_PROGRAMS } from './planes.js'
import { eachValue, type Four, type Gpu, type Helpers, type Program, type Texels, type Thread } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function place(position: number, group: number, padded: Four, result: Four, strides: Four): number
declare function meet(image: Texels, filters: Texels, from: number, filter: number, padded: Four, taps: Four): number

/** What is correlated with what. Channels are those of a group. */
export interface Correlation {
  readonly batch: number
  readonly groups: number
  readonly channels: number
  readonly outChannels: number
  readonly size: Plane
  /** zeros before the first value; negative: values left out */
  readonly pad: Plane
  /** from value to value in the padded image: there are zeros between them where it is not 1 */
  readonly spread: Plane
  readonly outSize: Plane
  readonly kernel: Plane
  readonly dilation: Plane
  readonly stride: Plane
  /** in the weight: from output to output channel, from channel to channel, from tap to tap, and the first tap */
  readonly filter: Four
}

/** Down and to the right. */
type Plane = readonly [y: number, x: number]

/** y = x with w. */
export function forwardOf(p: Convolution): Correlation {
  const taps = p.kernelHeight * p.kernelWidth
  const channels = p.channels / p.groups
  return {
    batch: p.batch,
    groups: p.groups,
    channels,
    outChannels: p.outChannels / p.groups,
    size: [p.height, p.width],
    pad: [p.padY, p.padX],
    spread: [1, 1],
    outSize: [p.outHeight, p.outWidth],
    kernel: [p.kernelHeight, p.kernelWidth],
    dilation: [p.dilationY, p.dilationX],
    stride: [p.strideY, p.strideX],
    filter: [channels * taps, taps, 1, 0],
  }
}

/** dx = dy with w turned. */
export function backwardOf(p: Convolution): Correlation {
  const { channels, outChannels, size, pad, outSize, kernel, dilation, stride, ...same } = forwardOf(p)
  const taps = kernel[0] * kernel[1]
  return {
    ...same,
    channels: outChannels,
    outChannels: channels,
    size: outSize,
    pad: [dilation[0] * (kernel[0] - 1) - pad[0], dilation[1] * (kernel[1] - 1) - pad[1]],
    spread: stride,
    outSize: size,
    kernel,
    dilation,
    stride: [1, 1],
    filter: [taps, channels * taps, -1, taps - 1],
  }
}

/**
 * A texel of an image in fours of channels.
 * @param image   groups of all images, channels of a group, height, width
 * @param padded  fours of channels of a group, height, width
 * @param before  what pads it above and to the left, and from value to value down and to the right
 */
function foursTexel(this: Thread, x: Texels, image: Four, padded: Four, before: Four): Four {
  const row = quotient(this.thread.x, padded[2])
  const plane = quotient(row, padded[1])
  const group = quotient(plane, padded[0])
  const top = row - plane * padded[1] - before[0]
  const left = this.thread.x - row * padded[2] - before[1]
  const iy = quotient(top, before[2])
  const ix = quotient(left, before[3])
  if (iy < 0 || iy >= image[2] || ix < 0 || ix >= image[3]) {
    return [0.0, 0.0, 0.0, 0.0]
  }
  if (iy * before[2] !== top || ix * before[3] !== left) {
    return [0.0, 0.0, 0.0, 0.0]
  }
  const c = (plane - group * padded[0]) * 4
  const area = image[2] * image[3]
  const first = (group * image[1] + c) * area + iy * image[3] + ix
  const v0 = at(x, first)
  let v1 = 0.0
  let v2 = 0.0
  let v3 = 0.0
  if (c + 1 < image[1]) {
    v1 = at(x, first + area)
  }
  if (c + 2 < image[1]) {
    v2 = at(x, first + 2 * area)
  }
  if (c + 3 < image[1]) {
    v3 = at(x, first + 3 * area)
  }
  return [v0, v1, v2, v3]
}

export const FOURS: Program = {
  name: 'convolution, channels in fours',
  source: foursTexel,
  kinds: ['texels', 'four', 'four', 'four'],
}

/**
 * Value i of the filters.
 * @param sizes   channels of a group, their fours, taps, output channels of a group
 * @param filter  as in Correlation
 */
function filterOf(i: number, w: Texels, sizes: Four, filter: Four): number {
  const texel = quotient(i, 4)
  const four = quotient(texel, sizes[2])
  const out = quotient(four, sizes[1])
  const group = quotient(out, quotient(sizes[3] + 3, 4) * 4)
  const o = out - group * quotient(sizes[3] + 3, 4) * 4
  const c = (four - out * sizes[1]) * 4 + i - texel * 4
  if (c >= sizes[0] || o >= sizes[3]) {
    return 0.0
  }
  const tap = texel - four * sizes[2]
  return at(w, group * sizes[3] * sizes[0] * sizes[2] + o * filter[0] + c * filter[1] + tap * filter[2] + filter[3])
}
const FILTERS = eachValue('convolution, filters in fours', filterOf, ['texels', 'four', 'four'])

/** The texel of an image that the first tap of the first channels meets for a position. */
function placeOf(position: number, group: number, padded: Four, result: Four, strides: Four): number {
  const row = quotient(position, result[1])
  const n = quotient(row, result[0])
  const plane = (n * padded[0] + group) * padded[1]
  const y = (row - n * result[0]) * strides[0]
  return (plane * padded[2] + y) * padded[3] + (position - row * result[1]) * strides[1]
}

/** The sum over all channels and taps, from texels `from` of the image and `filter` of the filters on. */
function meetOf(image: Texels, filters: Texels, from: number, filter: number, padded: Four, taps: Four): number {
  let sum = 0.0
  for (let c = 0; c < padded[1]; c++) {
    for (let ky = 0; ky < taps[0]; ky++) {
      for (let kx = 0; kx < taps[1]; kx++) {
        const texel = from + (c * padded[2] + ky * taps[2]) * padded[3] + kx * taps[3]
        const tap = filter + (c * taps[0] + ky) * taps[1] + kx
        for (let lane = 0; lane < 4; lane++) {
          sum = sum + at(image, texel * 4 + lane) * at(filters, tap * 4 + lane)
        }
      }
    }
  }
  return sum
}

/**
 * A texel of a plane.
 * @param padded   groups, fours of channels of a group, height, width
 * @param result   height, width, output channels of a group, fours of them
 * @param taps     kernelHeight, kernelWidth, dilationY, dilationX
 * @param strides  strideY, strideX, fours of positions, 1 where there is a bias
 */
function tile(
  this: Thread,
  plane: number,
  image: Texels,
  filters: Texels,
  bias: Texels,
  padded: Four,
  result: Four,
  taps: Four,
  strides: Four,
): Four {
  const four = quotient(this.thread.x, strides[2])
  const group = quotient(four, result[3])
  const position = 4 * (this.thread.x - four * strides[2])
  const filter = (4 * four + plane) * padded[1] * taps[0] * taps[1]
  let start = 0.0
  if (strides[3] > 0) {
    start = at(bias, group * result[2] + (four - group * result[3]) * 4 + plane)
  }
  const from0 = place(position, group, padded, result, strides)
  const from1 = place(position + 1, group, padded, result, strides)
  const from2 = place(position + 2, group, padded, result, strides)
  const from3 = place(position + 3, group, padded, result, strides)
  return [
    start + meet(image, filters, from0, filter, padded, taps),
    start + meet(image, filters, from1, filter, padded, taps),
    start + meet(image, filters, from2, filter, padded, taps),
    start + meet(image, filters, from3, filter, padded, taps),
  ]
}

/** `tile` of all planes at once. */
const PLANES = `
#define IMAGE(i) texelAt(user_image, widthI, inverseI, i)
#define FILTERS(i) texelAt(user_filters, widthF, inverseF, i)
#define BIAS(r) at(user_bias, user_biasSize, user_biasDim, channel + r)
#define DOTS(s, p) s += vec4(dot(p, v0), dot(p, v1), dot(p, v2), dot(p, v3))
void planes(float i, out vec4 s0, out vec4 s1, out vec4 s2, out vec4 s3) {
  float widthI = float(user_imageSize.x);
  float widthF = float(user_filtersSize.x);
  vec2 inverseI = intBitsToFloat(user_imageDim.xy);
  vec2 inverseF = intBitsToFloat(user_filtersDim.xy);
  float four = quotient(i, user_strides.z);
  float group = quotient(four, user_result.w);
  float position = 4.0 * (i - four * user_strides.z);
  float from0 = place(position, group, user_padded, user_result, user_strides);
  float from1 = place(position + 1.0, group, user_padded, user_result, user_strides);
  float from2 = place(position + 2.0, group, user_padded, user_result, user_strides);
  float from3 = place(position + 3.0, group, user_padded, user_result, user_strides);
  float area = user_padded.z * user_padded.w;
  float size = user_padded.y * user_taps.x * user_taps.y;
  float tap = 4.0 * four * size;
  int channels = int(user_padded.y);
  int rows = int(user_taps.x);
  int columns = int(user_taps.y);
  s0 = s1 = s2 = s3 = vec4(0.0);
  if (user_strides.w > 0.0) {
    float channel = group * user_result.z + (four - group * user_result.w) * 4.0;
    s0 += BIAS(0.0);
    s1 += BIAS(1.0);
    s2 += BIAS(2.0);
    s3 += BIAS(3.0);
  }
  for (int c = 0; c < channels; c++) {
    for (int ky = 0; ky < rows; ky++) {
      float to = float(c) * area + float(ky) * user_taps.z * user_padded.w;
      for (int kx = 0; kx < columns; kx++) {
        vec4 v0 = IMAGE(from0 + to);
        vec4 v1 = IMAGE(from1 + to);
        vec4 v2 = IMAGE(from2 + to);
        vec4 v3 = IMAGE(from3 + to);
        vec4 p = FILTERS(tap);
        DOTS(s0, p);
        p = FILTERS(tap + size);
        DOTS(s1, p);
        p = FILTERS(tap + 2.0 * size);
        DOTS(s2, p);
        p = FILTERS(tap + 3.0 * size);
        DOTS(s3, p);
        to += user_taps.w;
        tap += 1.0;
      }
    }
  }
}`

const HELPERS: Helpers = {
  place: { source: placeOf, kinds: ['number', 'number', 'four', 'four', 'four'] },
  meet: { source: meetOf, kinds: ['texels', 'texels', 'number', 'number', 'four', 'four'] },
}
const TILES: Program = {
  name: 'convolution, tiles',
  source: tile,
  kinds: ['number', 'texels', 'texels', 'texels', 'four', 'four', 'four', 'four'],
  helpers: HELPERS,
  planes: PLANES,
}

export const CORRELATION_PROGRAMS: readonly Program[] = [FOURS, FILTERS, TILES, ...PLANE_PROGRAMS]

export const fours = (count: number): number => Math.ceil(count / 4)

/** Channels of an image in fours, padded to all that a tile reads. */
export interface Fours {
  readonly batch: number
  readonly groups: number
  readonly channels: number
  readonly size: Plane
  readonly pad: Plane
  readonly spread: Plane
  readonly padded: Plane
}

/** The length that `out` positions of an axis see. */
const seen = (out: number, kernel: number, dilation: number, stride: number): number =>
  (out - 1) * stride + (kernel - 1) * dilation + 1

export function foursOf(c: Correlation): Fours {
  const along = (axis: 0 | 1): number => seen(c.outSize[axis], c.kernel[axis], c.dilation[axis], c.stride[axis])
  return { ...c, padded: [along(0), along(1)] }
}

export const foursSize = ({ batch, groups, channels, padded }: Fours): number =>
  4 * batch * groups * fours(channels) * padded[0] * padded[1]

export function inFours<Operand>(gpu: Gpu<Operand>, image: Fours, x: Operand, copy: Operand): void {
  const { batch, groups, channels, size, pad, spread, padded } = image
  const sizes: Four = [batch * groups, channels, ...size]
  gpu.run(FOURS, [x, sizes, [fours(channels), ...padded, 0], [...pad, ...spread]], copy)
}

const positionsOf = ({ batch, outSize }: Correlation): number => batch * outSize[0] * outSize[1]

/** Sizes, in values, of what `correlate` needs. */
export function correlationWorkspaces(c: Correlation): readonly number[] {
  const { groups, channels, outChannels, kernel } = c
  const outFours = groups * fours(outChannels)
  const plane = 4 * outFours * fours(positionsOf(c))
  const filters = 4 * outFours * 4 * fours(channels) * kernel[0] * kernel[1]
  return [foursSize(foursOf(c)), filters, plane, plane, plane, plane]
}

/** @param bias  null: none */
export function correlate<Operand>(
  gpu: Gpu<Operand>,
  c: Correlation,
  [x, w, bias]: readonly [Operand, Operand, Operand | null],
  y: Operand,
  [image, filters, ...planes]: readonly Operand[],
): void {
  const { groups, channels, outChannels, outSize, kernel, dilation, stride } = c
  const padded = foursOf(c)
  const positions = fours(positionsOf(c))
  const taps = kernel[0] * kernel[1]
  inFours(gpu, padded, x, image)
  gpu.run(FILTERS, [w, [channels, fours(channels), taps, outChannels], c.filter], filters)
  gpu.runPlanes(
    TILES,
    [
      ...[image, filters, bias ?? w],
      [groups, fours(channels), ...padded.padded],
      [...outSize, outChannels, fours(outChannels)],
      [...kernel, ...dilation],
      [...stride, positions, bias === null ? 0 : 1],
    ],
    planes,
  )
  const columns = outSize[0] * outSize[1]
  const tileStride = 4 * positions
  const strides = [columns, fours(outChannels) * tileStride, tileStride] as const
  fromPlanes(gpu, { groups, rows: outChannels, columns, strides }, planes, y)
}
