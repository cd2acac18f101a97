/** Pooling: one number for each window of an image. */

import type { Pooling } from '../../kernels/kernels.js'
import { choicePacking } from '../../kernels/packing.js'
import { ANYTHING, BOOLEAN, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { type Shape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import { distinct, grid, sample } from './sample.js'
import {
  checkImages,
  countWindows,
  type MaxPoolOptions,
  maxPoolSides,
  POOL,
  type PoolOptions,
  poolSides,
  sides,
} from './window.js'

export type { MaxPoolOptions, PoolOptions } from './window.js'

/** @throws ShapeError  with a dilation, a window at the near edge steps over the whole image, and sees padding only */
function checkSeen(op: string, x: Shape, axis: 2 | 3, stride: number, pad: number, dilation: number): void {
  for (let from = -pad; from < 0; from += stride) {
    if (from + dilation * Math.ceil(-from / dilation) < x[axis]) continue
    throw new ShapeError(
      `${op}: a window of dilation ${dilation} sees no number along axis ${axis} of ${showShape(x)}, only padding ${pad}: ` +
        'take less padding, or a smaller dilation',
    )
  }
}

function sizes(
  op: string,
  x: Shape,
  { kernel, stride = kernel, padding = 0, dilation = 1, ceilMode }: MaxPoolOptions,
): Pooling {
  const [kernelHeight, kernelWidth] = sides(op, 'kernel', kernel, 1)
  const [strideY, strideX] = sides(op, 'stride', stride, 1)
  const [padY, padX] = sides(op, 'padding', padding, 0)
  const [dilationY, dilationX] = sides(op, 'dilation', dilation, 1)
  if (2 * padY > kernelHeight || 2 * padX > kernelWidth) {
    throw new ArgumentError(
      `${op}: padding ${padY} x ${padX} is more than half the kernel ${kernelHeight} x ${kernelWidth}`,
    )
  }
  checkImages(op, x)
  const extentY = dilationY * (kernelHeight - 1) + 1
  const extentX = dilationX * (kernelWidth - 1) + 1
  const outHeight = countWindows(op, x, 2, extentY, strideY, padY, ceilMode)
  const outWidth = countWindows(op, x, 3, extentX, strideX, padX, ceilMode)
  checkSeen(op, x, 2, strideY, padY, dilationY)
  checkSeen(op, x, 3, strideX, padX, dilationX)
  return {
    planes: x[0] * x[1],
    height: x[2],
    width: x[3],
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    padY,
    padX,
    dilationY,
    dilationX,
    outHeight,
    outWidth,
  }
}

function pooled(op: string, x: Shape, options: MaxPoolOptions): number[] {
  const { outHeight, outWidth } = sizes(op, x, options)
  return [x[0], x[1], outHeight, outWidth]
}

const maxPoolOp: Op<MaxPoolOptions> = {
  name: 'maxPool2d',
  shape: ([x], options) => pooled('maxPool2d', x, options),
  extras: ([x], options) => {
    const p = sizes('maxPool2d', x, options)
    return [p.planes * choicePacking(p).perPlane]
  },
  extrasOnlyForGradients: true,
  forward({ device, shapes: [x], options, inputs, output, extras }) {
    const p = sizes('maxPool2d', x, options)
    device.run('maxPool', p, inputs, [output])
    if (extras.length > 0) device.run('maxPoolChoices', p, inputs, extras)
  },
  gradients: [
    {
      saves: ['extras'],
      send: ({ shapes: [x], options, dy, extra }, target) =>
        target.run('maxPoolGradient', sizes('maxPool2d', x, options), [dy, extra(0)]),
    },
  ],
  samples: [
    sample({ kernel: 2 }, [[2, 2, 4, 4], distinct]),
    sample({ kernel: [3, 2], stride: [1, 2], padding: [1, 0] }, [[1, 2, 5, 6], distinct]),
    sample({ kernel: 3, stride: [2, 3], padding: [1, 0], ceilMode: true }, [[1, 2, 6, 17], distinct]),
    sample({ kernel: [2, 3], stride: [2, 1], padding: [1, 1], dilation: [3, 2] }, [[1, 2, 7, 9], distinct]),
  ],
}
/**
 * The maximum of every window; padding never wins; a window holding NaN gives NaN.
 * @param x  [N, C, H, W]
 * @returns  [N, C, OH, OW], OH = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, or with ceilMode perhaps one more
 * @throws ShapeError     x is not [N, C, H, W], or is smaller than the window; a dilated window in the padding sees no number
 * @throws ArgumentError  a padding above half the kernel, a kernel, stride or dilation below 1
 * Saves which number of each window is the maximum, in a few bits. Among equal values the first in row-major order takes
 * the gradient.
 */
export const maxPool2d = define(
  maxPoolOp,
  { x: TENSOR, options: options<MaxPoolOptions>({ ...POOL, dilation: ANYTHING }, ['kernel']) },
  (x: Tensor, options: MaxPoolOptions) => apply(maxPoolOp, [x], maxPoolSides('maxPool2d', options)),
)

export interface AveragePoolOptions extends PoolOptions {
  /** count padding as zeros in the mean; default true */
  countPadding?: boolean
}

/** @throws ArgumentError  padding counts and a window can be cut off: neither size of the window is the right divisor */
function averaging(x: Shape, options: AveragePoolOptions) {
  const p = sizes('averagePool2d', x, options)
  const { countPadding = true, ceilMode = false } = options
  if (!ceilMode || !countPadding) return { countPadding, ...p }
  if (p.padY + p.padX > 0) {
    throw new ArgumentError('averagePool2d: ceilMode with padding needs countPadding: false')
  }
  return { countPadding: false, ...p }
}

const averagePoolOp: Op<AveragePoolOptions> = {
  name: 'averagePool2d',
  shape: ([x], options) => {
    averaging(x, options)
    return pooled('averagePool2d', x, options)
  },
  forward: ({ device, shapes: [x], options, inputs, output }) =>
    device.run('averagePool', averaging(x, options), inputs, [output]),
  gradients: [
    {
      saves: [],
      send: ({ shapes: [x], options, dy }, target) => target.run('averagePoolGradient', averaging(x, options), [dy]),
    },
  ],
  linear: [0],
  samples: [
    sample({ kernel: 2 }, [[2, 2, 4, 4], grid]),
    sample({ kernel: [3, 2], stride: [1, 2], padding: [1, 1] }, [[1, 2, 5, 6], grid]),
    sample({ kernel: 3, stride: 2, padding: 1, countPadding: false }, [[1, 2, 5, 5], grid]),
    sample({ kernel: 2, ceilMode: true }, [[1, 2, 5, 17], grid]),
  ],
}
/**
 * The mean of every window; for a window that ceilMode cuts off, the mean of what is left of it. Shapes and errors are
 * those of maxPool2d. Saves nothing.
 * @throws ArgumentError  ceilMode and padding without countPadding: false
 * @param options.countPadding  true: divide by the size of the window; false: by the number of its pixels on the image
 */
export const averagePool2d = define(
  averagePoolOp,
  { x: TENSOR, options: options<AveragePoolOptions>({ ...POOL, countPadding: BOOLEAN }, ['kernel']) },
  (x: Tensor, options: AveragePoolOptions) =>
    apply(averagePoolOp, [x], { countPadding: options.countPadding, ...poolSides('averagePool2d', options) }),
)
