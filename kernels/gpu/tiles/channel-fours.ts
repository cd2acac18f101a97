/**
 * Channels in fours: a copy of an image in texels of four channels at one place. The copy holds the zeros that pad the
 * image, so that a program that reads it need not know where the image ends. If a group's channels are not a multiple
 * of four, its last texel ends with zeros.
 *
 *   x     [batch, groups, channels, height, width]
 *   copy  [batch, groups, fours of channels, paddedHeight, paddedWidth]
 */
import { at, quotient } from '../machine/builtins.js'
import { type Four, type Gpu, type Named, type Program, packed, type Texels, type Thread } from '../machine/program.js'

/** A pair of numbers for the directions down and right. */
export type Plane = readonly [y: number, x: number]

/** An image with `channels` in each of its groups, and its copy. */
export interface Fours {
  readonly batch: number
  readonly groups: number
  readonly channels: number
  readonly size: Plane
  /** zeros before the first value; negative: values left out */
  readonly pad: Plane
  /** the distance of neighbouring values in the copy; zeros fill the gaps */
  readonly spread: Plane
  /** height and width of the copy */
  readonly padded: Plane
}

/** The number of texels that hold `count` values. */
export const fours = (count: number): number => Math.ceil(count / 4)

/** channels: of a group */
const IMAGE = ['channels', 'height', 'width'] as const
const COPY = ['fours', 'height', 'width'] as const
const BEFORE = ['padY', 'padX', 'spreadY', 'spreadX'] as const

function foursTexel(
  this: Thread,
  x: Texels,
  image: Named<typeof IMAGE>,
  copy: Named<typeof COPY>,
  before: Named<typeof BEFORE>,
): Four {
  const row = quotient(this.thread.x, copy.width)
  const plane = quotient(row, copy.height)
  const group = quotient(plane, copy.fours)
  const top = row - plane * copy.height - before.padY
  const left = this.thread.x - row * copy.width - before.padX
  const iy = quotient(top, before.spreadY)
  const ix = quotient(left, before.spreadX)
  if (iy < 0 || iy >= image.height || ix < 0 || ix >= image.width) {
    return [0.0, 0.0, 0.0, 0.0]
  }
  if (iy * before.spreadY !== top || ix * before.spreadX !== left) {
    return [0.0, 0.0, 0.0, 0.0]
  }
  const c = (plane - group * copy.fours) * 4
  const area = image.height * image.width
  const first = (group * image.channels + c) * area + iy * image.width + ix
  const v0 = at(x, first)
  let v1 = 0.0
  let v2 = 0.0
  let v3 = 0.0
  if (c + 1 < image.channels) {
    v1 = at(x, first + area)
  }
  if (c + 2 < image.channels) {
    v2 = at(x, first + 2 * area)
  }
  if (c + 3 < image.channels) {
    v3 = at(x, first + 3 * area)
  }
  return [v0, v1, v2, v3]
}

export const FOURS: Program = {
  name: 'channels in fours',
  source: foursTexel,
  kinds: ['texels', IMAGE, COPY, BEFORE],
}

/** Values of the copy. */
export const foursSize = ({ batch, groups, channels, padded }: Fours): number =>
  4 * batch * groups * fours(channels) * padded[0] * padded[1]

export function inFours<Operand>(gpu: Gpu<Operand>, image: Fours, x: Operand, copy: Operand): void {
  const { channels, size, pad, spread, padded } = image
  const sizes = packed(IMAGE, { channels, height: size[0], width: size[1] })
  const copied = packed(COPY, { fours: fours(channels), height: padded[0], width: padded[1] })
  gpu.run(FOURS, [x, sizes, copied, [...pad, ...spread]], copy)
}
