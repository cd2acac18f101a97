/**
 * A band is a copy of the image rows that a few rows of outputs see, with the zeros around them:
 *
 *   band [channels, rows, strideX, phase]
 *
 * Columns are dealt to `strideX` phases. So neighbouring outputs see neighbouring columns through a tap, for any
 * stride. Each tap is at a fixed distance from an output's place in the band, and no load needs a mask. So a band does
 * once, for all taps, the work that packing would do for each tap.
 */

import { BandSizes } from '../machine/sizes'

@unmanaged
export class Band extends BandSizes {
  /** channels of a group */
  c: i32

  get bytes(): usize {
    return <usize>(this.c * this.rows * this.strideX * this.phase) * 4
  }

  /** Bytes from a row of outputs to the next. */
  get rowBytes(): usize {
    return <usize>(this.strideY * this.strideX * this.phase) * 4
  }

  /**
   * Stores `count` distances in bytes, from the place of an output to the number that it sees through each tap of each
   * channel. Beyond the last tap the first distance is repeated.
   */
  listTaps(to: usize, count: i32): void {
    const kernelWidth = this.kernelWidth
    const kernelHeight = this.kernelHeight
    const taps = this.c * kernelHeight * kernelWidth
    for (let i = 0; i < count; i++) {
      const tap = i < taps ? i : 0
      const line = tap / kernelWidth
      const channel = line / kernelHeight
      const column = (tap - line * kernelWidth) * this.dilationX
      const row = channel * this.rows + (line - channel * kernelHeight) * this.dilationY
      const place = (row * this.strideX + (column % this.strideX)) * this.phase + column / this.strideX
      store<i32>(to + <usize>i * 4, place * 4)
    }
  }

  /** Fills the band whose first row of outputs is `row` from the image at x. */
  fill(to: usize, x: usize, row: i32): void {
    const width = this.width
    const phase = this.phase
    const strideX = this.strideX
    const first = row * this.strideY - this.padY
    for (let channel = 0; channel < this.c; channel++) {
      for (let y = first; y < first + this.rows; y++) {
        const from = x + <usize>(y * width) * 4
        const exists = y >= 0 && y < this.height
        for (let column = -this.padX; column < strideX - this.padX; column++) {
          copyColumns(to, phase, from, exists ? width : 0, column, strideX)
          to += <usize>phase * 4
        }
      }
      x += <usize>(this.height * width) * 4
    }
  }
}

/** Copies `count` columns of a row, `step` apart, beginning with `column`; 0 for a column outside the image. */
function copyColumns(to: usize, count: i32, from: usize, width: i32, column: i32, step: i32): void {
  const end = to + <usize>count * 4
  for (; to < end && column < 0; to += 4) {
    store<f32>(to, 0)
    column += step
  }
  if (step == 1) {
    for (; to + 16 <= end && column + 4 <= width; to += 16) {
      v128.store(to, v128.load(from + <usize>column * 4))
      column += 4
    }
  }
  for (; to < end && column < width; to += 4) {
    store<f32>(to, load<f32>(from + <usize>column * 4))
    column += step
  }
  for (; to < end; to += 4) store<f32>(to, 0)
}
