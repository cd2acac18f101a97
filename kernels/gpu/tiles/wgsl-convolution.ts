/**
 * Convolutions on WebGPU, by tiles that stay in registers (wgsl-tile.ts), read from the tensors as they are: nothing is
 * copied. The definitions are the value-by-value programs of ../convolution.ts and ../convolution-weight.ts.
 *
 *   correlation      rows of a tile are output channels of one group, columns are positions (n, oy, ox)
 *   weight gradient  rows are output channels of one group, columns are weights (c, ky, kx) of one filter
 */
import type { Convolution } from '../../kernels.js'
import { PLAIN } from '../machine/groups.js'
import { type Gpu, packed, type TileProgram } from '../machine/program.js'
import { type Correlation, FEWEST_FOR_TILES, forwardOf } from './convolution-tiles.js'
import { BUSY, each, list, type Size, sharedRows, sums, threadsOf, timeOf } from './wgsl-tile.js'

/** channels, outChannels: of a group */
const IMAGE = ['channels', 'height', 'width', 'groups'] as const
const RESULT = ['outChannels', 'height', 'width', 'tiles'] as const
const TAPS = ['height', 'width', 'dilationY', 'dilationX'] as const
const STRIDES = ['strideY', 'strideX', 'padY', 'padX'] as const
/** spread: the distance of neighbouring values in the image that is correlated; zeros fill the gaps */
const SPREAD = ['y', 'x', 'positions', 'biased'] as const
/** Distances in the weight, as in Correlation. */
const FILTER = ['output', 'channel', 'tap', 'first'] as const
/** weights: of a filter; rows: of all images together; rounds: the rows of a part */
const PARTS = ['parts', 'weights', 'rows', 'rounds'] as const

/** A driver may take ten times as long to compile tiles of 8 x 8. */
const SIZES: readonly Size[] = [
  [8, 4],
  [4, 4],
]

/** The four values of a vector. */
const lanes = (text: (l: number) => string): string => list(4).map(text).join(', ')

/** The group, the rows and the columns of the tile of a thread, if `columns` count. */
const corner = ([r, c]: Size, columns: string): string => `
  let across = (${columns} + ${4 * c - 1}) / ${4 * c} * 4;
  let down = (result.outChannels + ${r - 1}) / ${r};
  let i = min(thread, result.tiles - 4 + lane);
  let column = i % across * ${c};
  let row = i / across % down * ${r};`

function correlation(size: Size): TileProgram {
  const [rows, columns] = size
  return {
    name: `convolution, tiles of ${rows} x ${columns}`,
    kinds: ['texels', 'texels', 'texels', IMAGE, RESULT, TAPS, STRIDES, SPREAD, FILTER],
    parameters: ['x', 'w', 'bias', 'image', 'result', 'taps', 'strides', 'spread', 'filters'],
    wgsl: (quads) => {
      const { places, row, loads } = sharedRows(quads, rows, (place) => `w[${place}]`)
      const { begin, add, endBlock, end } = sums(size)
      const fours = (text: (v: number) => string): string => each(columns / 4, text)
      return `${corner(size, 'spread.positions')}
  let group = i / across / down;
  let plane = image.height * image.width;
  let area = result.height * result.width;
  let first = group * result.outChannels * image.channels * taps.height * taps.width + filters.first;
  ${each(places, (r) => `let filter${r} = first + min(row + ${row(r)}, result.outChannels - 1) * filters.output;`)}
  ${fours((v) => `let place${v} = min(vec4i(column + ${4 * v}) + vec4i(0, 1, 2, 3), vec4i(spread.positions - 1)); let inPlane${v} = place${v} % area;`)}
  ${fours((v) => `let image${v} = (place${v} / area * image.groups + group) * image.channels * plane;`)}
  ${fours((v) => `let top${v} = inPlane${v} / result.width * strides.strideY - strides.padY;`)}
  ${fours((v) => `let left${v} = inPlane${v} % result.width * strides.strideX - strides.padX;`)}
  ${begin}
  var terms = 0;
  for (var t = 0; t < taps.height * taps.width; t++) {
    let down = t / taps.width * taps.dilationY;
    let right = t % taps.width * taps.dilationX;
    ${each(places, (r) => `var at${r} = filter${r} + t * filters.tap;`)}
    ${fours((v) => `var y${v} = top${v} + down; var x${v} = left${v} + right; var meets${v} = vec4<bool>(${lanes((l) => `y${v}[${l}] >= 0 && x${v}[${l}] >= 0`)});`)}
    if (spread.y * spread.x > 1) {
      ${fours((v) => `meets${v} = vec4<bool>(${lanes((l) => `meets${v}[${l}] && y${v}[${l}] % spread.y == 0 && x${v}[${l}] % spread.x == 0`)}); y${v} /= spread.y; x${v} /= spread.x;`)}
    }
    ${fours((v) => `let width${v} = select(vec4u(), vec4u(u32(image.width)), vec4<bool>(${lanes((l) => `meets${v}[${l}] && y${v}[${l}] < image.height`)}));`)}
    ${fours((v) => `let inside${v} = vec4u(x${v}) < width${v}; var from${v} = image${v} + y${v} * image.width + x${v};`)}
    for (var j = 0; j < image.channels; j++) {
      ${loads} ${each(places, (r) => `at${r} += filters.channel;`)}
      ${fours((v) => `let q${v} = select(vec4f(), vec4f(${lanes((l) => `x[from${v}[${l}]]`)}), inside${v}); from${v} += plane;`)}
      ${add}
      terms++;
      if ((terms & 63) == 0) { ${endBlock} }
    }
  }
  ${endBlock}
  if (thread >= result.tiles) { return; }
  ${end(`if (row + r < result.outChannels && column + c < spread.positions) {
        let channel = group * result.outChannels + row + r;
        let n = (column + c) / area;
        let y = (n * image.groups * result.outChannels + channel) * area + column + c - n * area;
        output[y] = value + select(0.0, bias[channel], spread.biased > 0);
      }`)}`
    },
  }
}

function weightGradient(size: Size): TileProgram {
  const [rows, columns] = size
  return {
    name: `convolutionWeightGradient, tiles of ${rows} x ${columns}`,
    kinds: ['texels', 'texels', IMAGE, RESULT, TAPS, STRIDES, PARTS],
    parameters: ['dy', 'x', 'image', 'result', 'taps', 'strides', 'cut'],
    wgsl: (quads) => {
      const { places, row, loads } = sharedRows(quads, rows, (place) => `dy[${place}]`)
      const { begin, add, endBlock, end } = sums(size)
      const fours = (text: (v: number) => string): string => each(columns / 4, text)
      return `${corner(size, 'cut.weights')}
  let part = i / across / down / image.groups;
  let group = i / across / down % image.groups;
  let plane = image.height * image.width;
  let area = result.height * result.width;
  let size = taps.height * taps.width;
  ${each(places, (r) => `let slope${r} = (group * result.outChannels + min(row + ${row(r)}, result.outChannels - 1)) * area;`)}
  ${fours((v) => `let weight${v} = min(vec4i(column + ${4 * v}) + vec4i(0, 1, 2, 3), vec4i(cut.weights - 1));`)}
  ${fours((v) => `let image${v} = (group * image.channels + weight${v} / size) * plane;`)}
  ${fours((v) => `let top${v} = weight${v} % size / taps.width * taps.dilationY - strides.padY;`)}
  ${fours((v) => `let left${v} = weight${v} % taps.width * taps.dilationX - strides.padX;`)}
  ${begin}
  var terms = 0;
  for (var round = 0; round < cut.rounds; round++) {
    let line = part + round * cut.parts;
    let n = line / result.height;
    let oy = line % result.height;
    ${each(places, (r) => `var at${r} = slope${r} + (n * image.groups * result.outChannels * result.height + oy) * result.width;`)}
    ${fours((v) => `let y${v} = top${v} + oy * strides.strideY; var x${v} = left${v};`)}
    ${fours((v) => `let width${v} = select(vec4u(), vec4u(u32(image.width)), vec4<bool>(${lanes((l) => `line < cut.rows && u32(y${v}[${l}]) < u32(image.height)`)}));`)}
    ${fours((v) => `let start${v} = n * image.groups * image.channels * plane + image${v} + y${v} * image.width;`)}
    for (var ox = 0; ox < result.width; ox++) {
      ${loads} ${each(places, (r) => `at${r}++;`)}
      ${fours((v) => `let from${v} = start${v} + x${v}; let q${v} = select(vec4f(), vec4f(${lanes((l) => `x[from${v}[${l}]]`)}), vec4u(x${v}) < width${v}); x${v} += strides.strideX;`)}
      ${add}
      terms++;
      if ((terms & 63) == 0) { ${endBlock} }
    }
  }
  ${endBlock}
  if (thread >= result.tiles) { return; }
  let to = ((part * image.groups + group) * result.outChannels + row) * cut.weights + column;
  ${end(`if (row + r < result.outChannels && column + c < cut.weights) {
        output[to + r * cut.weights + c] = value;
      }`)}`
    },
  }
}

const CORRELATIONS = SIZES.map(correlation)
const WEIGHT_GRADIENTS = SIZES.map(weightGradient)

export const WGSL_CORRELATION_PROGRAMS: readonly TileProgram[] = CORRELATIONS
export const WGSL_WEIGHT_PROGRAMS: readonly TileProgram[] = WEIGHT_GRADIENTS

/** The size whose tiles of `rows` x `columns`, `copies` times, take the least time. */
function bestSize(rows: number, columns: number, copies: number): { index: number; threads: number } {
  const choices = SIZES.map((size, index) => {
    const threads = copies * threadsOf(rows, columns, size)
    return { index, threads, time: timeOf(threads, size) }
  })
  return choices.reduce((best, next) => (next.time < best.time ? next : best))
}

/** Do groups have enough pairs of channels for tiles? */
export const paysInTiles = ({ image, outChannels }: Correlation): boolean =>
  image.channels * outChannels >= FEWEST_FOR_TILES

/** @param bias  null: none */
export function wgslCorrelate<Operand>(
  gpu: Gpu<Operand>,
  { image, outChannels, outSize, kernel, dilation, stride, filter }: Correlation,
  [x, w, bias]: readonly [Operand, Operand, Operand | null],
  y: Operand,
): void {
  const { batch, groups, channels, size, pad, spread } = image
  const positions = batch * outSize[0] * outSize[1]
  const { index, threads } = bestSize(outChannels, positions, groups)
  gpu.runTiles(
    CORRELATIONS[index],
    [
      ...[x, w, bias ?? w],
      [channels, ...size, groups],
      [outChannels, ...outSize, threads],
      [...kernel, ...dilation],
      [...stride, ...pad],
      [...spread, positions, bias === null ? 0 : 1],
      packed(FILTER, filter),
    ],
    y,
    threads,
  )
}

interface Cut {
  readonly index: number
  readonly threads: number
  readonly parts: number
  readonly weights: number
}

/** Few weights are summed in parts, side by side. */
function cutOf(p: Convolution): Cut {
  const weights = (p.channels / p.groups) * p.kernelHeight * p.kernelWidth
  const { index, threads } = bestSize(p.outChannels / p.groups, weights, p.groups)
  const parts = Math.max(1, Math.min(p.batch * p.outHeight, Math.floor(BUSY / threads)))
  return { index, threads, parts, weights }
}

/** The size of the workspace for the parts of the gradient of the weight, if there are several. */
export function wgslWeightWorkspaces(p: Convolution): readonly number[] {
  const { parts, weights } = cutOf(p)
  return parts > 1 ? [parts * p.outChannels * weights] : []
}

export function wgslWeightGradient<Operand>(
  gpu: Gpu<Operand>,
  p: Convolution,
  [dy, x]: readonly Operand[],
  dw: Operand,
  [partial = dw]: readonly Operand[],
): void {
  const { index, threads, parts, weights } = cutOf(p)
  const { image, outChannels, outSize, kernel, dilation, stride } = forwardOf(p)
  const rows = p.batch * p.outHeight
  gpu.runTiles(
    WEIGHT_GRADIENTS[index],
    [
      ...[dy, x],
      [image.channels, ...image.size, p.groups],
      [outChannels, ...outSize, threads * parts],
      [...kernel, ...dilation],
      [...stride, ...image.pad],
      packed(PARTS, { parts, weights, rows, rounds: Math.ceil(rows / parts) }),
    ],
    partial,
    threads * parts,
  )
  if (parts > 1) PLAIN.sum.run(gpu, { shape: [parts, p.outChannels * weights], reduced: [true, false] }, [partial], dw)
}
