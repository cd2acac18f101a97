/** The sizes of a convolution, as arguments of the programs that compute it value by value. */
import type { Convolution } from '../../kernels.js'
import { type Four, type Named, packed } from './program.js'

/** groupChannels and groupOutChannels: channels of one group. */
const IMAGE = ['channels', 'height', 'width', 'groupChannels'] as const
export const RESULT = ['outChannels', 'outHeight', 'outWidth', 'groupOutChannels'] as const
const TAPS = ['kernelHeight', 'kernelWidth', 'dilationY', 'dilationX'] as const
const STRIDES = ['strideY', 'strideX', 'padY', 'padX'] as const
/** The kinds of the arguments that `sizesOf` makes. */
export const SIZES = [IMAGE, RESULT, TAPS, STRIDES] as const
export type Image = Named<typeof IMAGE>
export type Result = Named<typeof RESULT>
export type Taps = Named<typeof TAPS>
export type Strides = Named<typeof STRIDES>

export const sizesOf = (p: Convolution): readonly [image: Four, result: Four, taps: Four, strides: Four] => [
  packed(IMAGE, { ...p, groupChannels: p.channels / p.groups }),
  packed(RESULT, { ...p, groupOutChannels: p.outChannels / p.groups }),
  packed(TAPS, p),
  packed(STRIDES, p),
]
