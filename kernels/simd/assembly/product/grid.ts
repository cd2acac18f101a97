/** The positions of a convolution's windows, counted through all images: image, row, column. */
import { Image } from './image'

@unmanaged
export class Grid {
  rows: i32
  columns: i32
  /** position (row, column) is y = row stepY + firstY on the image, likewise x */
  stepY: i32
  stepX: i32
  firstY: i32
  firstX: i32

  open(rows: i32, columns: i32, stepY: i32, stepX: i32, firstY: i32, firstX: i32): void {
    this.rows = rows
    this.columns = columns
    this.stepY = stepY
    this.stepX = stepX
    this.firstY = firstY
    this.firstX = firstX
  }

  /**
   * Writes y, x and the offset from the image's base in bytes into three lists, for `count` positions from `first` on.
   * `perImage` can exceed the number of positions in an image: the additional ones lie outside the image for every tap,
   * and so do the entries from `count` to `room`.
   */
  locate(image: Image, first: i32, count: i32, room: i32, perImage: i32, ys: usize, xs: usize, offsets: usize): void {
    const stepX = this.stepX
    let n = first / perImage
    let rest = first - n * perImage
    let row = rest / this.columns
    let column = rest - row * this.columns
    let i: usize = 0
    const end = <usize>count * 4
    while (i < end) {
      const exists = row < this.rows
      const y = row * this.stepY + this.firstY
      let x = column * stepX + this.firstX
      let offset = n * image.imageBytes + image.offset(y, x)
      // to the end of the row, or of the positions that fill up the image
      const left = exists ? this.columns - column : perImage - rest
      const stop = min(end, i + <usize>left * 4)
      for (; i < stop; i += 4) {
        store<i32>(ys + i, exists ? y : OFF_IMAGE)
        store<i32>(xs + i, x)
        store<i32>(offsets + i, offset)
        x += stepX
        offset += stepX * 4
      }
      rest += left
      column = 0
      row++
      if (rest < perImage) continue
      rest = 0
      row = 0
      n++
    }
    for (; i < <usize>room * 4; i += 4) store<i32>(ys + i, OFF_IMAGE)
  }
}

/** A coordinate that lies outside the image for every tap. */
const OFF_IMAGE: i32 = -0x40000000
