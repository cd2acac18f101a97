/**
 * Batch norm by the statistics of a whole mini-batch, of which the input is a part. They are totals that stand between the
 * parts: all parts add to them before one part reads them. So the step runs in passes: see step/levels.ts.
 */
import type { Normalization } from '../../kernels/kernels.js'
import type { Storage } from '../device/storage.js'
import { ShapeError } from '../tensor/errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { channels, checkMerged, type MergedStatistics, merging } from './batch-statistics.js'
import { affine, check, type Epsilon, epsilonOf } from './normalize.js'
import { apply, type BackwardCall, type Call, type Op } from './op.js'

/** The totals of one batch norm over a mini-batch, [C] each. */
export interface WholeStatistics extends MergedStatistics {
  /** the sums of dy, and of dy h, over the mini-batch */
  sum: Tensor
  lean: Tensor
}

interface WholeBatchNorm extends Epsilon {
  whole: WholeStatistics
  /** the values of a channel in the whole mini-batch */
  count: number
}

const rules = channels('batchNorm2d')

const parametersOf = ({ shapes, options }: Call<WholeBatchNorm>): Normalization => ({
  eps: options.eps,
  affine: shapes.length > 1,
  ...rules.view(shapes[0], options),
})

const statisticsOf = ({ options: { whole } }: Call<WholeBatchNorm>): readonly [Storage, Storage] => [
  whole.mean.storage('batchNorm2d'),
  whole.variance.storage('batchNorm2d'),
]

/** The sums of dy and of dy h over the input: the gradients of beta and gamma. */
interface Sums {
  readonly sum: Storage
  readonly lean: Storage
}

const SUMS = new WeakMap<BackwardCall<WholeBatchNorm>, Sums>()

/** Computes the sums, once for all gradients of a call, and adds them to the totals. */
function sumsOf(call: BackwardCall<WholeBatchNorm>): Sums {
  const known = SUMS.get(call)
  if (known) return known
  const { device, dy, options } = call
  const p = parametersOf(call)
  const { outer, groups, inner } = p
  const sums = { sum: call.workspace(groups), lean: call.workspace(groups) }
  SUMS.set(call, sums)
  const shape = { shape: [outer, groups, inner], reduced: [true, false, true] }
  device.run('reduce', { ...shape, function: 'sum', scale: 1, accumulate: false }, [dy], [sums.sum])
  device.run(
    'normalizeScaleGradient',
    { ...p, accumulate: false },
    [dy, call.input(0), ...statisticsOf(call)],
    [sums.lean],
  )
  const { whole } = options
  const add = (total: Tensor, part: Storage): void =>
    device.update({
      kernel: 'blend',
      parameters: { size: groups, a: whole.share === 1 ? 0 : 1, b: 1 },
      targets: [total.storage('batchNorm2d')],
      inputs: [part],
    })
  add(whole.sum, sums.sum)
  add(whole.lean, sums.lean)
  return sums
}

const wholeBatchNormOp: Op<WholeBatchNorm> = {
  name: rules.name,
  shape: (shapes, options) => {
    if (options.count <= 1) throw new ShapeError('batchNorm2d: one value for each channel has no variance')
    return check(rules, shapes, options)
  },
  settings: epsilonOf(rules),
  forward: (call) => {
    const { device, shapes, options, inputs, output, workspace } = call
    const [x, ...parameters] = inputs
    const view = rules.view(shapes[0], options)
    const own = [workspace(view.groups), workspace(view.groups)]
    device.run('moments', view, [x], own)
    device.update(merging(options.whole, own))
    device.run('normalize', parametersOf(call), [x, ...statisticsOf(call), ...parameters], [output])
  },
  gradients: [
    {
      saves: [0, 1],
      send: (call, target) => {
        sumsOf(call)
        const { whole, count } = call.options
        const totals = [...statisticsOf(call), whole.sum.storage('batchNorm2d'), whole.lean.storage('batchNorm2d')]
        const gamma = call.shapes.length > 1 ? [call.input(1)] : []
        target.overwrite('normalizePartGradient', { ...parametersOf(call), count }, [
          call.dy,
          call.input(0),
          ...totals,
          ...gamma,
        ])
      },
    },
    { saves: [0], send: (call, target) => target.pass(sumsOf(call).lean) },
    { saves: [0], send: (call, target) => target.pass(sumsOf(call).sum) },
  ],
  samples: [],
}

/**
 * `batchNorm2d` by the statistics of a mini-batch with `count` values in each channel. Adds those of x to them, and reads
 * them as they are when all parts have been added.
 * @param x            [N, C, H, W]
 * @param gamma, beta  [C]; both or neither
 * @throws ShapeError     shapes that do not match; one value for each channel in the mini-batch
 * @throws ArgumentError  one of gamma and beta without the other
 * Saves x, and gamma if x needs a gradient.
 */
export function wholeBatchNorm2d(
  x: Tensor,
  gamma: Tensor | null,
  beta: Tensor | null,
  options: WholeBatchNorm,
): Tensor {
  checkMerged(x, options.whole)
  return apply(wholeBatchNormOp, [x, ...affine('batchNorm2d', gamma, beta)], options)
}
