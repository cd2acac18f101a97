/**
 * Transposed two-dimensional convolution: the input gradient of a convolution, as an op of its own.
 *
 * Consider the convolution that maps y to x. Its three kernels serve here in other roles: y is its input gradient for
 * the output gradient x; dx is the convolution of dy; dw is its weight gradient, with x as the output gradient and dy
 * as the input.
 */

import type { Convolution } from '../../kernels/kernels.js'
import { ANYTHING, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { MAYBE_TENSOR, TENSOR } from '../tensor/kinds.js'
import { type Shape, sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import { grid, sample } from './sample.js'
import { sendBias } from './send.js'
import { CONVOLUTION, type ConvolutionOptions, checkImages, convolutionSides, type Sides, sides } from './window.js'

export interface TransposedConvolutionOptions extends ConvolutionOptions {
  /**
   * Rows and columns added at the end of the output: a convolution of stride s maps s different heights to one, and
   * this number chooses among them. Must be smaller than the stride or the dilation; default 0.
   */
  outputPadding?: Sides
}

type Options = Required<TransposedConvolutionOptions>

const DEFAULTS: Options = { stride: 1, padding: 0, outputPadding: 0, dilation: 1, groups: 1 }

const NAME = 'convTranspose2d'

/** The sizes of the convolution that maps y to x. */
function sizes([x, w, bias]: readonly Shape[], options: Options): Convolution {
  const fail = (why: string): never => {
    throw new ShapeError(`${NAME}: input ${showShape(x)} and weight ${showShape(w)}: ${why}`)
  }
  const stride = sides(NAME, 'stride', options.stride, 1)
  const padding = sides(NAME, 'padding', options.padding, 0)
  const outputPadding = sides(NAME, 'outputPadding', options.outputPadding, 0)
  const dilation = sides(NAME, 'dilation', options.dilation, 1)
  const [groups] = sides(NAME, 'groups', options.groups, 1)
  if (outputPadding.some((size, i) => size >= Math.max(stride[i], dilation[i]))) {
    throw new ArgumentError(`${NAME}: outputPadding ${outputPadding.join(' x ')} is not below the stride or dilation`)
  }
  checkImages(NAME, x)
  if (w.length !== 4) fail('the weight must be [in, out / groups, kernel height, kernel width]')
  if (x[1] !== w[0]) fail(`the input has ${x[1]} channels, not ${w[0]}`)
  if (x[1] % groups !== 0) fail(`${x[1]} input channels do not divide into ${groups} groups`)
  const channels = w[1] * groups
  if (bias && !sameShape(bias, [channels])) fail(`the bias ${showShape(bias)} must be [${channels}]`)
  const [height, width] = [0, 1].map((i) => {
    const covered = (x[2 + i] - 1) * stride[i] + dilation[i] * (w[2 + i] - 1) + 1
    return covered - 2 * padding[i] + outputPadding[i]
  })
  if (height < 1 || width < 1) fail(`the output would be empty: ${height} x ${width}`)
  return {
    batch: x[0],
    channels,
    height,
    width,
    outChannels: x[1],
    outHeight: x[2],
    outWidth: x[3],
    kernelHeight: w[2],
    kernelWidth: w[3],
    strideY: stride[0],
    strideX: stride[1],
    padY: padding[0],
    padX: padding[1],
    dilationY: dilation[0],
    dilationX: dilation[1],
    groups,
  }
}

const transposedOp: Op<Options> = {
  name: NAME,
  shape: (shapes, options) => {
    const { batch, channels, height, width } = sizes(shapes, options)
    return [batch, channels, height, width]
  },
  // every input pixel sends itself through all taps of the kernel
  forward: ({ device, shapes, options, inputs, output }) =>
    device.run('convolutionInputGradient', { bias: inputs.length === 3, ...sizes(shapes, options) }, inputs, [output]),
  gradients: [
    {
      // every input pixel gathers the dy of the outputs that it was sent to
      saves: [1],
      send: ({ shapes, options, dy, input }, target) =>
        target.run('convolution', { bias: false, ...sizes(shapes, options) }, [dy, input(1)]),
    },
    {
      // dw[tap] = sum of x dy, over every pair that the tap joins
      saves: [0],
      send: ({ shapes, options, dy, input }, target) =>
        target.run('convolutionWeightGradient', { accumulate: false, ...sizes(shapes, options) }, [input(0), dy]),
    },
    { saves: [], send: sendBias },
  ],
  linear: [0, 1, 2],
  samples: [
    sample(DEFAULTS, [[2, 3, 4, 3], grid], [[3, 4, 3, 2], grid], [[4], grid]),
    sample({ ...DEFAULTS, stride: 2, padding: 1, outputPadding: 1 }, [[2, 2, 3, 4], grid], [[2, 3, 3, 3], grid]),
    sample(
      { stride: [3, 2], padding: [2, 0], outputPadding: [1, 2], dilation: [2, 3], groups: 2 },
      [[1, 4, 3, 4], grid],
      [[4, 3, 3, 2], grid],
      [[6], grid],
    ),
  ],
}
/**
 * y[n, o, i stride - padding + p dilation, likewise j] += w[c, o, p, q] x[n, c, i, j] for all c, i, j, p, q, from bias[o]:
 * the sizes of conv2d reversed, which upsamples by `stride`.
 * @param x     [N, C, H, W]
 * @param w     [C, O / groups, KH, KW], as PyTorch stores it
 * @param bias  [O], or null
 * @returns     [N, O, OH, OW], OH = (H - 1) stride - 2 padding + dilation (KH - 1) + outputPadding + 1
 * @throws ShapeError     sizes that do not match, or a padding that leaves nothing of the output
 * @throws ArgumentError  a stride, dilation or groups below 1, a padding below 0, or a fraction; an outputPadding that is
 *                        below neither stride nor dilation
 * Saves x where w needs a gradient, and w where x does.
 */
export const convTranspose2d = define(
  transposedOp,
  {
    x: TENSOR,
    w: TENSOR,
    bias: MAYBE_TENSOR,
    options: options<TransposedConvolutionOptions>({ ...CONVOLUTION, outputPadding: ANYTHING }),
  },
  (x: Tensor, w: Tensor, bias?: Tensor | null, options: TransposedConvolutionOptions = {}) =>
    apply(transposedOp, bias ? [x, w, bias] : [x, w], {
      outputPadding: sides(NAME, 'outputPadding', options.outputPadding ?? 0, 0),
      ...convolutionSides(NAME, options),
    }),
)
