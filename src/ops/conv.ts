/** Two-dimensional convolution (cross-correlation, as everywhere in deep learning). */

import type { Convolution } from '../../kernels/kernels.js'
import { options } from '../memory/arguments.js'
import { ShapeError } from '../tensor/errors.js'
import { MAYBE_TENSOR, TENSOR } from '../tensor/kinds.js'
import { type Shape, sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import { grid, sample } from './sample.js'
import { sendBias } from './send.js'
import { CONVOLUTION, type ConvolutionOptions, checkImages, convolutionSides, countWindows, sides } from './window.js'

export type { ConvolutionOptions } from './window.js'

type Options = Required<ConvolutionOptions>

const DEFAULTS: Options = { stride: 1, padding: 0, dilation: 1, groups: 1 }

function sizes([x, w, bias]: readonly Shape[], options: Options): Convolution {
  const fail = (why: string): never => {
    throw new ShapeError(`conv2d: input ${showShape(x)} and weight ${showShape(w)}: ${why}`)
  }
  const [strideY, strideX] = sides('conv2d', 'stride', options.stride, 1)
  const [padY, padX] = sides('conv2d', 'padding', options.padding, 0)
  const [dilationY, dilationX] = sides('conv2d', 'dilation', options.dilation, 1)
  const [groups] = sides('conv2d', 'groups', options.groups, 1)
  checkImages('conv2d', x)
  if (w.length !== 4) fail('the weight must be [out, in / groups, kernel height, kernel width]')
  const [batch, channels, height, width] = x
  const [outChannels, groupChannels, kernelHeight, kernelWidth] = w
  if (channels !== groupChannels * groups)
    fail(`the input has ${channels} channels, not ${groupChannels} x ${groups} groups`)
  if (outChannels % groups !== 0) fail(`${outChannels} output channels do not divide into ${groups} groups`)
  if (bias && !sameShape(bias, [outChannels])) fail(`the bias ${showShape(bias)} must be [${outChannels}]`)
  return {
    batch,
    channels,
    height,
    width,
    outChannels,
    kernelHeight,
    kernelWidth,
    groups,
    strideY,
    strideX,
    padY,
    padX,
    dilationY,
    dilationX,
    outHeight: countWindows('conv2d', x, 2, dilationY * (kernelHeight - 1) + 1, strideY, padY),
    outWidth: countWindows('conv2d', x, 3, dilationX * (kernelWidth - 1) + 1, strideX, padX),
  }
}

const convOp: Op<Options> = {
  name: 'conv2d',
  shape: (shapes, options) => {
    const { batch, outChannels, outHeight, outWidth } = sizes(shapes, options)
    return [batch, outChannels, outHeight, outWidth]
  },
  forward: ({ device, shapes, options, inputs, output }) =>
    device.run('convolution', { bias: inputs.length === 3, ...sizes(shapes, options) }, inputs, [output]),
  gradients: [
    {
      // every output sends its dy back, through the same taps, to the input pixels that it was computed from
      saves: [1],
      send: ({ shapes, options, dy, input }, target) =>
        target.run('convolutionInputGradient', { bias: false, ...sizes(shapes, options) }, [dy, input(1)]),
    },
    {
      // dw[tap] = sum of dy x over all positions of the tap
      saves: [0],
      send: ({ shapes, options, dy, input }, target) =>
        target.run('convolutionWeightGradient', { accumulate: false, ...sizes(shapes, options) }, [dy, input(0)]),
    },
    { saves: [], send: sendBias },
  ],
  linear: [0, 1, 2],
  samples: [
    sample(DEFAULTS, [[2, 3, 5, 4], grid], [[4, 3, 3, 2], grid], [[4], grid]),
    sample({ ...DEFAULTS, stride: 2, padding: 1 }, [[2, 2, 6, 6], grid], [[3, 2, 3, 3], grid]),
    sample(
      { stride: [1, 2], padding: [2, 0], dilation: [2, 3], groups: 2 },
      [[1, 4, 7, 6], grid],
      [[6, 2, 3, 2], grid],
      [[6], grid],
    ),
  ],
}
/**
 * y[n, o, i, j] = bias[o] + sum over c, p, q of w[o, c, p, q] x[n, c, i stride - padding + p dilation, likewise j].
 * @param x     [N, C, H, W]
 * @param w     [O, C / groups, KH, KW]
 * @param bias  [O], or null
 * @returns     [N, O, OH, OW], OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1
 * @throws ShapeError     sizes that do not match, or a kernel larger than the padded input
 * @throws ArgumentError  a stride, dilation or groups below 1, a padding below 0, or a fraction
 * Saves x if w needs a gradient, and w if x does.
 */
export const conv2d = define(
  convOp,
  { x: TENSOR, w: TENSOR, bias: MAYBE_TENSOR, options: options(CONVOLUTION) },
  (x: Tensor, w: Tensor, bias?: Tensor | null, options: ConvolutionOptions = {}) =>
    apply(convOp, bias ? [x, w, bias] : [x, w], convolutionSides('conv2d', options)),
)
