/**
 * The weight gradient of a convolution with few channels, by dot products:
 *
 *   dw [o, channel, tap] = sum over images n, rows and columns of
 *                          dy [n, o, row, column] band [channel, row + .., column + ..]
 *
 * A product (convolution.ts) would spend its time on packing: each packed number of dy serves one multiply-add for each
 * tap of each channel, 9 for a grey image. It would also have a single panel of columns, so that no thread could help.
 * Here neither side is packed, because both already lie along the positions: dy as it is, x in a band. Two rows of dy
 * meet four taps in eight vectors of sums, and the lanes of a vector are neighbouring positions.
 *
 * Bands are dealt to a fixed number of parts. Each part has its own sums, and the parts are added in their order. A
 * part with many bands has two sets of sums, one for a block of bands and one for all its blocks: Note [Long sums].
 */
import { BANDS_HEADER_BYTES, BANDS_IN_CHAIN, DOTS_SLOT_BYTES } from '../../layout'
import { Band } from './band'
import { multiplyAdd } from '../machine/multiply-add'
import { parallel } from '../machine/parallel'

/**
 * The head of the workspace. The table of taps, the sums of the parts, and each slot's spare sums and band follow it.
 */
@unmanaged
class Dots extends Band {
  dy: usize
  x: usize
  /** bands in an image */
  bands: i32
  /** distances to the taps of all channels, filled up to a multiple of four */
  taps: usize
  tapCount: i32
  /** [parts, levels, sumBytes] */
  sums: usize
  sumBytes: usize
  slots: usize
  slotBytes: usize
}

/** dy, x -> dw */
export function convolutionWeightDots(dy: usize, x: usize, dw: usize, accumulate: bool, workspace: usize): void {
  const dots = changetype<Dots>(workspace)
  const c = dots.groupChannels
  const taps = c * dots.kernelHeight * dots.kernelWidth
  const parts = dots.parts
  dots.c = c
  dots.dy = dy
  dots.x = x
  dots.bands = (dots.outHeight + dots.outRows - 1) / dots.outRows
  dots.taps = workspace + BANDS_HEADER_BYTES
  dots.tapCount = (taps + 3) & ~3
  dots.sums = dots.taps + <usize>((dots.tapCount + 15) & ~15) * 4
  dots.sumBytes = <usize>((dots.outChannels * dots.tapCount + 15) & ~15) * 4
  dots.slots = dots.sums + <usize>(parts * dots.levels) * dots.sumBytes
  dots.slotBytes = DOTS_SLOT_BYTES + ((dots.bytes + 63) & ~63)
  dots.listTaps(dots.taps, dots.tapCount)
  parallel(workspace, parts, dots.slotCount, (shared, part, slot) => {
    sumPart(changetype<Dots>(shared), part, slot)
  })
  for (let o = 0; o < dots.outChannels; o++) {
    for (let tap = 0; tap < taps; tap++) {
      let sum: f64 = accumulate ? load<f32>(dw) : 0
      let from = dots.sums + <usize>(o * dots.tapCount + tap) * 4
      for (let part = 0; part < parts; part++) {
        sum += <f64>load<f32>(from)
        from += <usize>dots.levels * dots.sumBytes
      }
      store<f32>(dw, <f32>sum)
      dw += 4
    }
  }
}

function sumPart(dots: Dots, part: i32, slot: i32): void {
  const all = dots.batch * dots.bands
  const end = all * (part + 1) / dots.parts
  const total = dots.sums + <usize>(part * dots.levels) * dots.sumBytes
  memory.fill(total, 0, <usize>dots.levels * dots.sumBytes)
  if (dots.levels == 1) {
    sumBands(dots, all * part / dots.parts, end, total, slot)
    return
  }
  const block = total + dots.sumBytes
  for (let i = all * part / dots.parts; i < end; i += BANDS_IN_CHAIN) {
    sumBands(dots, i, min(i + BANDS_IN_CHAIN, end), block, slot)
    for (let at: usize = 0; at < dots.sumBytes; at += 16) {
      v128.store(total + at, f32x4.add(v128.load(total + at), v128.load(block + at)))
    }
    memory.fill(block, 0, dots.sumBytes)
  }
}

/**
 * Adds bands first .. end - 1 to the sums. With an odd number of channels, the last is paired with itself, and its
 * second sums go to `nowhere`.
 */
function sumBands(dots: Dots, first: i32, end: i32, sums: usize, slot: i32): void {
  const nowhere = dots.slots + <usize>slot * dots.slotBytes
  const band = nowhere + DOTS_SLOT_BYTES
  const o = dots.groupOutChannels
  const outRowBytes = <usize>dots.outWidth * 4
  const outBytes = <usize>dots.outHeight * outRowBytes
  const inBytes = <usize>(dots.c * dots.height * dots.width) * 4
  const tapCount = dots.tapCount
  const sumBytes = <usize>tapCount * 4
  for (let i = first; i < end; i++) {
    const n = i / dots.bands
    const row = (i - n * dots.bands) * dots.outRows
    const rows = min(dots.outRows, dots.outHeight - row)
    for (let group = 0; group < dots.groups; group++) {
      const plane = n * dots.groups + group
      dots.fill(band, dots.x + <usize>plane * inBytes, row)
      let dy = dots.dy + <usize>(plane * o) * outBytes + <usize>row * outRowBytes
      let to = sums + <usize>(group * o) * sumBytes
      for (let channel = 0; channel < o; channel += 2) {
        const pair = channel + 1 < o
        const other = pair ? dy + outBytes : dy
        for (let tap: usize = 0; tap < sumBytes; tap += 16) {
          dots2x4(dots, rows, dy, other, band, dots.taps + tap, to + tap, pair ? to + sumBytes + tap : nowhere)
        }
        dy += 2 * outBytes
        to += 2 * sumBytes
      }
    }
  }
}

/** Adds the dot products of two channels of dy with four taps, over `rows` rows, to sums0 and sums1. */
function dots2x4(
  dots: Dots, rows: i32, dy0: usize, dy1: usize, band: usize, taps: usize, sums0: usize, sums1: usize,
): void {
  const zero = f32x4.splat(0)
  let s00 = zero, s01 = zero, s02 = zero, s03 = zero
  let s10 = zero, s11 = zero, s12 = zero, s13 = zero
  const width = <usize>dots.outWidth * 4
  const whole = width & ~15
  const rest = width - whole
  // The last vector of a row begins further left, so that it is whole; its lanes that were summed before are zeroed.
  const fresh = i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(4 - <i32>(rest >> 2)))
  const rowBytes = dots.rowBytes
  let x0 = band + load<i32>(taps)
  let x1 = band + load<i32>(taps, 4)
  let x2 = band + load<i32>(taps, 8)
  let x3 = band + load<i32>(taps, 12)
  do {
    let i: usize = 0
    do {
      const y0 = v128.load(dy0 + i)
      const y1 = v128.load(dy1 + i)
      const a = v128.load(x0 + i)
      s00 = multiplyAdd(y0, a, s00)
      s10 = multiplyAdd(y1, a, s10)
      const b = v128.load(x1 + i)
      s01 = multiplyAdd(y0, b, s01)
      s11 = multiplyAdd(y1, b, s11)
      const c = v128.load(x2 + i)
      s02 = multiplyAdd(y0, c, s02)
      s12 = multiplyAdd(y1, c, s12)
      const d = v128.load(x3 + i)
      s03 = multiplyAdd(y0, d, s03)
      s13 = multiplyAdd(y1, d, s13)
      i += 16
    } while (i < whole)
    if (rest > 0) {
      const at = width - 16
      const y0 = v128.and(v128.load(dy0 + at), fresh)
      const y1 = v128.and(v128.load(dy1 + at), fresh)
      const a = v128.and(v128.load(x0 + at), fresh)
      s00 = multiplyAdd(y0, a, s00)
      s10 = multiplyAdd(y1, a, s10)
      const b = v128.and(v128.load(x1 + at), fresh)
      s01 = multiplyAdd(y0, b, s01)
      s11 = multiplyAdd(y1, b, s11)
      const c = v128.and(v128.load(x2 + at), fresh)
      s02 = multiplyAdd(y0, c, s02)
      s12 = multiplyAdd(y1, c, s12)
      const d = v128.and(v128.load(x3 + at), fresh)
      s03 = multiplyAdd(y0, d, s03)
      s13 = multiplyAdd(y1, d, s13)
    }
    dy0 += width
    dy1 += width
    x0 += rowBytes
    x1 += rowBytes
    x2 += rowBytes
    x3 += rowBytes
  } while (--rows)
  addSums(sums0, s00, s01, s02, s03)
  addSums(sums1, s10, s11, s12, s13)
}

/** Adds the sum of the lanes of each of four vectors to one of four numbers. */
@inline
function addSums(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const low = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const high = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
  const even = v128.shuffle<f32>(low, high, 0, 1, 4, 5)
  const odd = v128.shuffle<f32>(low, high, 2, 3, 6, 7)
  v128.store(to, f32x4.add(v128.load(to), f32x4.add(even, odd)))
}
