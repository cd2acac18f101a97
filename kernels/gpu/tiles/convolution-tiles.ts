/**
 * Cross-correlation by tiles of four positions and four output channels that stay in registers, as matmul-tiles.ts
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
import type { Convolution } from '../../kernels.js'
import { at, quotient } from '../machine/builtins.js'
import {
  eachValue,
  type Four,
  type Gpu,
  type Helpers,
  LARGEST_TENSOR,
  type Program,
  type Texels,
  type Thread,
} from '../machine/program.js'
import { FOURS, type Fours, fours, foursSize, inFours, type Plane } from './channel-fours.js'
import { fromPlanes, PLANE_PROGRAMS } from './planes.js'

/** What is correlated with what. */
export interface Correlation {
  readonly image: Fours
  /** of a group */
  readonly outChannels: number
  readonly outSize: Plane
  readonly kernel: Plane
  readonly dilation: Plane
  readonly stride: Plane
  /** in the weight: from output to output channel, from channel to channel, from tap to tap, and the first tap */
  readonly filter: Four
}

/** The length that so many outputs of an axis see. */
const seen = (outputs: number, kernel: number, dilation: number, stride: number): number =>
  (outputs - 1) * stride + (kernel - 1) * dilation + 1

/** y: x with w. */
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
    filter: [channels * taps, taps, 1, 0],
  }
}

/** dx: dy with w turned. */
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
    filter: [taps, channels * taps, -1, taps - 1],
  }
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
function place(position: number, group: number, padded: Four, result: Four, strides: Four): number {
  const row = quotient(position, result[1])
  const n = quotient(row, result[0])
  const plane = (n * padded[0] + group) * padded[1]
  const y = (row - n * result[0]) * strides[0]
  return (plane * padded[2] + y) * padded[3] + (position - row * result[1]) * strides[1]
}

/** The sum over all channels and taps, from texels `from` of the image and `filter` of the filters on. */
function meet(image: Texels, filters: Texels, from: number, filter: number, padded: Four, taps: Four): number {
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
  vec4 t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  if (user_strides.w > 0.0) {
    float channel = group * user_result.z + (four - group * user_result.w) * 4.0;
    t0 += BIAS(0.0);
    t1 += BIAS(1.0);
    t2 += BIAS(2.0);
    t3 += BIAS(3.0);
  }
  int left = 64;
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
        // Note [Long sums] in index.ts
        if (--left == 0) {
          t0 += s0;
          t1 += s1;
          t2 += s2;
          t3 += s3;
          s0 = s1 = s2 = s3 = vec4(0.0);
          left = 64;
        }
      }
    }
  }
  s0 += t0;
  s1 += t1;
  s2 += t2;
  s3 += t3;
}`

const HELPERS: Helpers = {
  place: { source: place, kinds: ['number', 'number', 'four', 'four', 'four'] },
  meet: { source: meet, kinds: ['texels', 'texels', 'number', 'number', 'four', 'four'] },
}
const TILES: Program = {
  name: 'convolution, tiles',
  source: tile,
  kinds: ['number', 'texels', 'texels', 'texels', 'four', 'four', 'four', 'four'],
  helpers: HELPERS,
  planes: PLANES,
}

export const CORRELATION_PROGRAMS: readonly Program[] = [FOURS, FILTERS, TILES, ...PLANE_PROGRAMS]

const positionsOf = ({ image, outSize }: Correlation): number => image.batch * outSize[0] * outSize[1]

/** Of the 4 x 4 channels of a tile: with fewer, single values are as fast, and take no memory. */
export const FEWEST_FOR_TILES = 4

/** Sizes, in values, of what `correlate` needs; none where there are no tiles. */
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
  inFours(gpu, c.image, x, image)
  gpu.run(FILTERS, [w, [channels, fours(channels), kernel[0] * kernel[1], outChannels], c.filter], filters)
  gpu.runPlanes(
    TILES,
    [
      ...[image, filters, bias ?? w],
      [groups, fours(channels), ...padded],
      [...outSize, outChannels, fours(outChannels)],
      [...kernel, ...dilation],
      [...stride, positions, bias === null ? 0 : 1],
    ],
    planes,
  )
  const strides = [outSize[0] * outSize[1], fours(outChannels) * 4 * positions, 4 * positions] as const
  fromPlanes(gpu, { groups, rows: outChannels, columns: strides[0], strides }, planes, y)
}
