/**
 * Images seen through the taps of a convolution.
 *
 * Tap (down, right) maps a position (y, x) to the pixel (y + down, x + right), or to 0 if that is outside the image. In
 * the convolution and its weight gradient the image is x, and positions are outputs, `stride` pixels apart. In the
 * input gradient the image is dy, and positions are pixels of x.
 *
 * With stride 1, four neighbouring positions see four neighbouring pixels through every tap, so these are loaded as one
 * vector. At the end of a row the vector runs on into the next row or beyond the image; a mask, the same for all
 * channels, zeroes those lanes. Such a load may begin before the image or end after it, in other tensors. That does no
 * harm, but the load must not pass the ends of the memory (`isRun`).
 */

import { TAP_BYTES } from '../../layout'

@unmanaged
export class Image {
  /** the first channel of the group in the first image */
  base: usize
  height: i32
  width: i32
  /** channels of the group */
  channels: i32
  channelBytes: i32
  imageBytes: i32
  /** table of taps: down, right, bytes to the pixel, bytes into the filter */
  taps: usize
  tapCount: i32
  /** the smallest and largest offset that any tap adds to a position, 0 included: in bytes, down and right */
  least: i32
  most: i32
  leastDown: i32
  mostDown: i32
  leastRight: i32
  mostRight: i32

  /** Begins with an empty table of taps at `taps`. */
  open(base: usize, channels: i32, allChannels: i32, height: i32, width: i32, taps: usize): void {
    this.base = base
    this.height = height
    this.width = width
    this.channels = channels
    this.channelBytes = height * width * 4
    this.imageBytes = allChannels * height * width * 4
    this.taps = taps
    this.tapCount = 0
    this.least = this.leastDown = this.leastRight = 0
    this.most = this.mostDown = this.mostRight = 0
  }

  addTap(down: i32, right: i32, weight: i32): void {
    const entry = this.end
    const offset = this.offset(down, right)
    store<i32>(entry, down)
    store<i32>(entry, right, 4)
    store<i32>(entry, offset, 8)
    store<i32>(entry, weight, 12)
    this.tapCount++
    this.least = min(this.least, offset)
    this.most = max(this.most, offset)
    this.leastDown = min(this.leastDown, down)
    this.mostDown = max(this.mostDown, down)
    this.leastRight = min(this.leastRight, right)
    this.mostRight = max(this.mostRight, right)
  }

  /** The end of the table of taps. */
  get end(): usize {
    return this.taps + <usize>this.tapCount * TAP_BYTES
  }

  /** Bytes from an image's beginning to a position. */
  offset(y: i32, x: i32): i32 {
    return (y * this.width + x) * 4
  }

  /** Bytes from a position to its pixel. */
  tapOffset(tap: i32): i32 {
    return load<i32>(this.taps + <usize>tap * TAP_BYTES, 8)
  }

  /** Bytes from a filter's beginning to the tap's weight. */
  tapWeight(tap: i32): i32 {
    return load<i32>(this.taps + <usize>tap * TAP_BYTES, 12)
  }

  /** All ones where the tap maps positions (y, x) into the image, else zeros. */
  mask(tap: i32, y: v128, x: v128): v128 {
    const entry = this.taps + <usize>tap * TAP_BYTES
    const row = i32x4.add(y, v128.load_splat<i32>(entry))
    const column = i32x4.add(x, v128.load_splat<i32>(entry, 4))
    // As an unsigned number, a negative coordinate is larger than all others.
    return v128.and(i32x4.lt_u(row, i32x4.splat(this.height)), i32x4.lt_u(column, i32x4.splat(this.width)))
  }

  /** Do all taps map all four positions into the image? Then their masks are all ones. */
  isInside(y: v128, x: v128): bool {
    const top = i32x4.ge_s(y, i32x4.splat(-this.leastDown))
    const bottom = i32x4.lt_s(y, i32x4.splat(this.height - this.mostDown))
    const left = i32x4.ge_s(x, i32x4.splat(-this.leastRight))
    const right = i32x4.lt_s(x, i32x4.splat(this.width - this.mostRight))
    return i32x4.all_true(v128.and(v128.and(top, bottom), v128.and(left, right)))
  }

  /** Are four positions neighbours in memory, and do all vectors that taps load for them lie within the memory? */
  isRun(offsets: v128): bool {
    const first = i32x4.extract_lane(offsets, 0)
    const run = i32x4.add(i32x4.splat(first), i32x4(0, 4, 8, 12))
    if (!i32x4.all_true(i32x4.eq(offsets, run))) return false
    const at = <i64>this.base + first
    const end = at + this.most + (this.channels - 1) * this.channelBytes + 16
    return at + this.least >= 0 && end <= <i64>memory.size() << 16
  }
}

/** Four numbers at base + offsets, 0 where the mask is 0; masked offsets can point anywhere. */
export function loadScattered(base: usize, offsets: v128, mask: v128): v128 {
  const safe = v128.and(offsets, mask)
  let four = v128.load_zero<f32>(base + i32x4.extract_lane(safe, 0))
  four = v128.load_lane<f32>(base + i32x4.extract_lane(safe, 1), four, 1)
  four = v128.load_lane<f32>(base + i32x4.extract_lane(safe, 2), four, 2)
  four = v128.load_lane<f32>(base + i32x4.extract_lane(safe, 3), four, 3)
  return v128.and(four, mask)
}
