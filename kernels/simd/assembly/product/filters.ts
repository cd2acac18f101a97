/**
 * Weights as the left operand of an input gradient: lanes are input channels, steps are (output channel, tap), with the
 * taps of an Image's table.
 */
import { Image } from './image'
import { panelRows } from './tile'

@unmanaged
export class Filters {
  /** w [outChannels, channels, kernelHeight, kernelWidth] of the group */
  base: usize
  /** the image that has the table of taps */
  image: Image
  /** bytes from an input channel to the next, and from an output channel to the next */
  laneStride: usize
  channelStride: usize

  packRows(to: usize, first: i32, count: i32, step: i32, k: i32): void {
    const image = this.image
    const taps = image.tapCount
    for (let lane = 0, rows = 0; lane < count; lane += rows) {
      rows = panelRows(lane, count)
      const lanes = min(rows, count - lane)
      const channel = step / taps
      let tap = step - channel * taps
      let from = this.base + <usize>(first + lane) * this.laneStride + <usize>channel * this.channelStride
      for (let i = 0; i < k; i++) {
        let at = from + image.tapWeight(tap)
        for (let row = 0; row < rows; row++) {
          store<f32>(to + <usize>row * 4, row < lanes ? load<f32>(at) : 0)
          at += this.laneStride
        }
        to += <usize>rows * 4
        if (++tap == taps) {
          tap = 0
          from += this.channelStride
        }
      }
    }
  }
}
