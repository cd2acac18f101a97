/**
 * The positions that a convolution's windows start from, counted through all images: image, row, column.
 */
import { Image } from './image'

/** How far apart, and where the first one is. */
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
   * Writes y, x and the offset from the image's base, in bytes, for `count` positions from `first` on into three lists.
   * `perImage` may be more than there are in an image: the rest lies off the image for every tap, and so does what is
   * between count and `room`.
   */
  locate(image: Image, first: i32, count: i32, room: i32, perImage: i32, ys: usize, xs: usize, offsets: usize): void {
    const columns = this.columns
    const rows = this.rows
    let n = first / perImage
    let rest = first - n * perImage
    let row = rest / columns
    let column = rest - row * columns
    for (let i = 0; i < room; i++) {
      const at = <usize>i * 4
      if (i < count && row < rows) {
        const y = row * this.stepY + this.firstY
        const x = column * this.stepX + this.firstX
        store<i32>(ys + at, y)
        store<i32>(xs + at, x)
        store<i32>(offsets + at, n * image.imageBytes + image.offset(y, x))
      } else {
        store<i32>(ys + at, OFF_IMAGE)
        store<i32>(xs + at, OFF_IMAGE)
        store<i32>(offsets + at, 0)
      }
      column++
      if (column == columns) {
        column = 0
        row++
      }
      if (++rest == perImage) {
        rest = 0
        row = 0
        column = 0
        n++
      }
    }
  }
}

/** A coordinate that no tap brings back to an image. */
const OFF_IMAGE: i32 = -0x40000000
