/** The parts that all norms share. The norms themselves, and their views of x, are in norm.ts. */
import type { Normalization } from '../../kernels/kernels.js'
import type { Storage } from '../device/storage.js'
import { NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { MAYBE_TENSOR } from '../tensor/kinds.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { BackwardCall, ForwardCall, Gradient, Op } from './op.js'

export interface Epsilon {
  eps: number
}

type View = Omit<Normalization, 'eps' | 'affine'>

/** The rules in which one norm differs from another. */
export interface Rules<Options> {
  name: string
  /** @throws ShapeError  x has no such view */
  view(x: Shape, options: Options): View
  /** the shape of gamma and beta */
  parameterShape(x: Shape, options: Options): Shape
}

/** Op.settings of a norm. @throws ArgumentError  eps is negative or not finite */
export const epsilonOf =
  ({ name }: { readonly name: string }) =>
  ({ eps }: Epsilon): { eps: number } => {
    if (eps >= 0 && Number.isFinite(eps)) return { eps }
    throw new ArgumentError(`${name}: eps is ${eps}; it must be a finite number, 0 or more`)
  }

/** The shape rule of every norm: the shape of x. @throws ShapeError  another input is not of the parameter shape */
export function check<Options>(rules: Rules<Options>, shapes: readonly Shape[], options: Options): Shape {
  const [x] = shapes
  rules.view(x, options)
  const wanted = rules.parameterShape(x, options)
  for (const shape of shapes.slice(1)) {
    if (sameShape(shape, wanted)) continue
    throw new ShapeError(
      `${rules.name}: input ${showShape(x)} and parameter ${showShape(shape)}, which must be ${showShape(wanted)}`,
    )
  }
  return x
}

/**
 * The gradients of x, gamma and beta. If the call has gamma and beta, they are inputs `first` and `first` + 1.
 * With dh = dy gamma, and averages over a group:
 *   dx = (dh - average(dh) - h average(dh h)) / sqrt(variance + eps), or with fixed statistics dh / sqrt(variance + eps);
 *   dgamma = sum of dy h; dbeta = sum of dy.
 */
export function gradients<Options extends Epsilon>(
  rules: Rules<Options>,
  first: 1 | 3,
  statistics: (call: BackwardCall<Options>) => readonly [Storage, Storage],
  saves: Gradient<Options>['saves'],
): readonly [Gradient<Options>, Gradient<Options>, Gradient<Options>] {
  const parameters = ({ shapes, options }: BackwardCall<Options>): Normalization => ({
    eps: options.eps,
    affine: shapes.length > first,
    ...rules.view(shapes[0], options),
  })
  return [
    {
      saves: [0, first, ...saves],
      send: (call, target) => {
        const gamma = call.shapes.length > first ? [call.input(first)] : []
        const inputs = [call.dy, call.input(0), ...statistics(call), ...gamma]
        target.run('normalizeGradient', { fixed: first === 3, ...parameters(call) }, inputs)
      },
    },
    {
      saves: [0, ...saves],
      send: (call, target) => {
        const inputs = [call.dy, call.input(0), ...statistics(call)]
        target.run('normalizeScaleGradient', { accumulate: false, ...parameters(call) }, inputs)
      },
    },
    {
      saves: [],
      send: (call, target) => {
        const { affineSize, affineInner } = parameters(call)
        const shape = [sizeOf(call.shape) / (affineSize * affineInner), affineSize, affineInner]
        const reduced = [true, false, true]
        target.run('reduce', { shape, reduced, function: 'sum', scale: 1, accumulate: false }, [call.dy])
      },
    },
  ]
}

/**
 * A norm with the statistics of x itself.
 * @param after  uses them at the end of a forward, when nothing else can fail
 */
export function ownStatistics<Options extends Epsilon>(
  rules: Rules<Options>,
  samples: Op<Options>['samples'],
  after?: (call: ForwardCall<Options>) => void,
): Op<Options> {
  return {
    name: rules.name,
    shape: (shapes, options) => check(rules, shapes, options),
    settings: epsilonOf(rules),
    extras: ([x], options) => {
      const { groups } = rules.view(x, options)
      return [groups, groups]
    },
    forward: (call) => {
      const { device, shapes, options, inputs, output, extras } = call
      const [x, ...parameters] = inputs
      const view = rules.view(shapes[0], options)
      device.run('moments', view, [x], extras)
      const affine = parameters.length > 0
      device.run('normalize', { eps: options.eps, affine, ...view }, [x, ...extras, ...parameters], [output])
      after?.(call)
    },
    gradients: gradients(rules, 1, (call) => [call.extra(0), call.extra(1)], ['extras']),
    samples,
  }
}

/**
 * gamma and beta, which PyTorch calls weight and bias: both, or neither.
 * @throws ArgumentError  one without the other
 */
export function affine(op: string, gamma?: Tensor | null, beta?: Tensor | null): Tensor[] {
  if (gamma && beta) return [gamma, beta]
  if (gamma || beta) throw new ArgumentError(`${op}: give both gamma and beta, or neither`)
  return []
}

export interface NormOptions {
  /** added to the variance; default 1e-5 */
  eps?: number
}

/** PyTorch's default. */
export const EPS = 1e-5

/** The kinds of the arguments that norms share. */
export const AFFINE = { gamma: MAYBE_TENSOR, beta: MAYBE_TENSOR }
export const EPS_ONLY = options<NormOptions>({ eps: NUMBER })
