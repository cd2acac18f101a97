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
import { BUSY, each, SIZES, type Size, sharedRows, sums, threadsOf, timeOf } from './wgsl-tile.js'

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
      const { begin, add, endBlock, end, columns: four } = sums(size)
      return `${corner(size, 'spread.positions')}
  let group = i / across / down;
  let plane = image.height * image.width;
  let area = result.height * result.width;
  let first = group * result.outChannels * image.channels * taps.height * taps.width + filters.first;
  ${each(places, (r) => `let filter${r} = first + min(row + ${row(r)}, result.outChannels - 1) * filters.output;`)}
  ${each(columns, (c) => `let place${c} = min(column + ${c}, spread.positions - 1); let inPlane${c} = place${c} % area;`)}
  ${each(columns, (c) => `let image${c} = (place${c} / area * image.groups + group) * image.channels * plane;`)}
  ${each(columns, (c) => `let top${c} = inPlane${c} / result.width * strides.strideY - strides.padY;`)}
  ${each(columns, (c) => `let left${c} = inPlane${c} % result.width * strides.strideX - strides.padX;`)}
  ${begin}
  var terms = 0;
  for (var ky = 0; ky < taps.height; ky++) {
    for (var kx = 0; kx < taps.width; kx++) {
      let tap = (ky * taps.width + kx) * filters.tap;
      ${each(places, (r) => `var at${r} = filter${r} + tap;`)}
      ${each(columns, (c) => `var y${c} = top${c} + ky * taps.dilationY; var x${c} = left${c} + kx * taps.dilationX;`)}
      ${each(columns, (c) => `var meets${c} = y${c} >= 0 && x${c} >= 0;`)}
      if (spread.y * spread.x > 1) {
        ${each(columns, (c) => `meets${c} = meets${c} && y${c} % spread.y == 0 && x${c} % spread.x == 0; y${c} /= spread.y; x${c} /= spread.x;`)}
      }
      ${each(columns, (c) => `meets${c} = meets${c} && y${c} < image.height && x${c} < image.width;`)}
      ${each(columns, (c) => `var from${c} = select(0, image${c} + y${c} * image.width + x${c}, meets${c});`)}
      for (var block = 0; block < image.channels; block += 64) {
        let last = min(block + 64, image.channels);
        for (var channel = block; channel < last; channel++) {
          ${loads} ${each(places, (r) => `at${r} += filters.channel;`)}
          ${four((c) => `select(0.0, x[from${c}], meets${c})`)} ${each(columns, (c) => `from${c} += plane;`)}
          ${add}
        }
        terms += last - block;
        if (terms >= 64) { ${endBlock} terms = 0; }
      }
    }
  }
  ${endBlock}
  if (thread >= result.tiles) { return; }
  let channel = group * result.outChannels + row;
  ${each(columns, (c) => `let to${c} = (place${c} / area * image.groups * result.outChannels + channel) * area + inPlane${c};`)}
  ${end(
    (r, c, value) => `if (row + ${r} < result.outChannels && column + ${c} < spread.positions) {
    var y = ${value};
    if (spread.biased > 0) { y += bias[channel + ${r}]; }
    output[to${c} + ${r} * area] = y;
  }`,
  )}`
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
      const { begin, add, endBlock, end, columns: four } = sums(size)
      return `${corner(size, 'cut.weights')}
  let part = i / across / down / image.groups;
  let group = i / across / down % image.groups;
  let plane = image.height * image.width;
  let area = result.height * result.width;
  let size = taps.height * taps.width;
  ${each(places, (r) => `let slope${r} = (group * result.outChannels + min(row + ${row(r)}, result.outChannels - 1)) * area;`)}
  ${each(columns, (c) => `let weight${c} = min(column + ${c}, cut.weights - 1);`)}
  ${each(columns, (c) => `let image${c} = (group * image.channels + weight${c} / size) * plane;`)}
  ${each(columns, (c) => `let top${c} = weight${c} % size / taps.width * taps.dilationY - strides.padY;`)}
  ${each(columns, (c) => `let left${c} = weight${c} % taps.width * taps.dilationX - strides.padX;`)}
  ${begin}
  for (var round = 0; round < cut.rounds; round++) {
    let line = part + round * cut.parts;
    let n = line / result.height;
    let oy = line % result.height;
    ${each(places, (r) => `var at${r} = slope${r} + (n * image.groups * result.outChannels * result.height + oy) * result.width;`)}
    ${each(columns, (c) => `let y${c} = top${c} + oy * strides.strideY; var x${c} = left${c};`)}
    ${each(columns, (c) => `let width${c} = select(0u, u32(image.width), line < cut.rows && y${c} >= 0 && y${c} < image.height);`)}
    ${each(columns, (c) => `let from${c} = n * image.groups * image.channels * plane + image${c} + y${c} * image.width;`)}
    for (var block = 0; block < result.width; block += 64) {
      let last = min(block + 64, result.width);
      for (var ox = block; ox < last; ox++) {
        ${loads} ${each(places, (r) => `at${r}++;`)}
        ${four((c) => `select(0.0, x[from${c} + x${c}], u32(x${c}) < width${c})`)}
        ${each(columns, (c) => `x${c} += strides.strideX;`)}
        ${add}
      }
      ${endBlock}
    }
  }
  if (thread >= result.tiles) { return; }
  let to = ((part * image.groups + group) * result.outChannels + row) * cut.weights + column;
  ${end((r, c, value) => `if (row + ${r} < result.outChannels && column + ${c} < cut.weights) { output[to + ${r} * cut.weights + ${c}] = ${value}; }`)}`
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
