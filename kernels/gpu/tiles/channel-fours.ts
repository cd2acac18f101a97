/**
 * Channels in fours: an image copied to texels of four channels at one place, and with the zeros that pad it, so that
 * who reads it need not ask where it ends. The last texel of a group's channels has zeros for those that are not there.
 *
 *   x     [batch, groups, channels, height, width]
 *   copy  [batch, groups, fours of channels, paddedHeight, paddedWidth]
 */
import { at, quotient } from '../machine/builtins.js'
import type { Four, Gpu, Program, Texels, Thread } from '../machine/program.js'

/** Down and to the right. */
export type Plane = readonly [y: number, x: number]

/** An image, of `channels` in each of its groups. */
export interface Fours {
  readonly batch: number
  readonly groups: number
  readonly channels: number
  readonly size: Plane
  /** zeros before the first value; negative: values left out */
  readonly pad: Plane
  /** from value to value in the copy: there are zeros between them where it is not 1 */
  readonly spread: Plane
  /** height and width of the copy */
  readonly padded: Plane
}

/** How many texels hold so many values. */
export const fours = (count: number): number => Math.ceil(count / 4)

/**
 * A texel of the copy.
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
  name: 'channels in fours',
  source: foursTexel,
  kinds: ['texels', 'four', 'four', 'four'],
}

/** Values of the copy. */
export const foursSize = ({ batch, groups, channels, padded }: Fours): number =>
  4 * batch * groups * fours(channels) * padded[0] * padded[1]

export function inFours<Operand>(gpu: Gpu<Operand>, image: Fours, x: Operand, copy: Operand): void {
  const { batch, groups, channels, size, pad, spread, padded } = image
  const sizes: Four = [batch * groups, channels, ...size]
  gpu.run(FOURS, [x, sizes, [fours(channels), ...padded, 0], [...pad, ...spread]], copy)
}
