/**
 * Normalisation: h = (x - mean) / sqrt(variance + eps), then y = h gamma + beta.
 *
 * Batch, layer and group norm differ only in how they view x: as [outer, groups, inner] with one mean and variance for
 * each group, and as [runs, affineSize, affineInner] for gamma and beta. The gradient needs x, and one mean and variance for
 * each group; h is never stored.
 */
import { LIST, NUMBER, options } from '../memory/arguments.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { AFFINE, affine, EPS, EPS_ONLY, type Epsilon, type NormOptions, ownStatistics } from './normalize.js'
import { apply, define } from './op.js'
import { distinct, grid, sample } from './sample.js'

export type { NormOptions } from './normalize.js'

interface LayerNorm extends Epsilon {
  /** how many of the last axes share a mean and variance */
  axes: number
}

const layerNormOp = ownStatistics<LayerNorm>(
  {
    name: 'layerNorm',
    view: (x, { axes }) => {
      if (!(axes >= 1 && axes <= x.length)) {
        throw new ShapeError(`layerNorm: the input ${showShape(x)} has fewer than the ${axes} axes to normalise`)
      }
      const inner = sizeOf(x.slice(-axes))
      return { outer: 1, groups: sizeOf(x) / inner, inner, affineSize: inner, affineInner: 1 }
    },
    parameterShape: (x, { axes }) => x.slice(-axes),
  },
  [
    sample({ axes: 1, eps: EPS }, [[3, 4], distinct], [[4], grid], [[4], grid]),
    sample({ axes: 2, eps: EPS }, [[2, 3, 4], distinct], [[3, 4], grid], [[3, 4], grid]),
    sample({ axes: 1, eps: 0.5 }, [[2, 5], distinct]),
  ],
)
/**
 * y = (x - mean) / sqrt(variance + eps) gamma + beta, with the mean and biased variance over the last axes.
 * @param gamma, beta              the shape of those axes; both or neither
 * @param options.normalizedShape  the shape of those axes; default that of gamma, else the last axis
 * @throws ShapeError     shapes that do not match the last axes of x
 * @throws ArgumentError  one of gamma and beta without the other
 * Saves x, gamma if x needs a gradient, and two numbers for each group.
 */
export const layerNorm = define(
  layerNormOp,
  {
    x: TENSOR,
    ...AFFINE,
    options: options<NormOptions & { normalizedShape?: Shape }>({ eps: NUMBER, normalizedShape: LIST }),
  },
  (x: Tensor, gamma?: Tensor | null, beta?: Tensor | null, options: NormOptions & { normalizedShape?: Shape } = {}) => {
    const normalized = options.normalizedShape ?? gamma?.shape ?? x.shape.slice(-1)
    if (normalized.length === 0 || !sameShape(x.shape.slice(-normalized.length), normalized)) {
      throw new ShapeError(`layerNorm: the input ${showShape(x.shape)} does not end in ${showShape(normalized)}`)
    }
    const settings = { axes: normalized.length, eps: options.eps ?? EPS }
    return apply(layerNormOp, [x, ...affine('layerNorm', gamma, beta)], settings)
  },
)

interface GroupNorm extends Epsilon {
  groups: number
}

const groupNormOp = ownStatistics<GroupNorm>(
  {
    name: 'groupNorm',
    view: (x, { groups }) => {
      const [samples, channels = 0] = x
      if (x.length < 2 || !(Number.isInteger(groups) && groups > 0) || channels % groups !== 0) {
        throw new ShapeError(`groupNorm: the channels of the input ${showShape(x)} do not divide into ${groups} groups`)
      }
      const pixels = sizeOf(x.slice(2))
      const inner = (channels / groups) * pixels
      return { outer: 1, groups: samples * groups, inner, affineSize: channels, affineInner: pixels }
    },
    parameterShape: (x) => [x[1]],
  },
  [
    sample({ groups: 2, eps: EPS }, [[2, 4, 2, 3], distinct], [[4], grid], [[4], grid]),
    sample({ groups: 3, eps: EPS }, [[3, 6], distinct]),
  ],
)
/**
 * Like layerNorm, but with a mean and variance for each sample and each of `groups` groups of channels.
 * @param x            [N, C, ...]
 * @param groups       divides C
 * @param gamma, beta  [C]; both or neither
 * @throws ShapeError     C does not divide into groups; gamma or beta is not [C]
 * @throws ArgumentError  one of gamma and beta without the other
 * Saves what layerNorm saves.
 */
export const groupNorm = define(
  groupNormOp,
  { x: TENSOR, groups: NUMBER, ...AFFINE, options: EPS_ONLY },
  (x: Tensor, groups: number, gamma?: Tensor | null, beta?: Tensor | null, { eps = EPS }: NormOptions = {}) =>
    apply(groupNormOp, [x, ...affine('groupNorm', gamma, beta)], { groups, eps }),
)
