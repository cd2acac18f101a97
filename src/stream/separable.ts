/** Can a loss be split over micro-batches? A function does not tell, so this checks examples. */
import { backward } from '../autograd/backward.js'
import { checkBatch, sliceBatch } from '../data/index.js'
import { openDevice } from '../device/open.js'
import { checkArgument, FUNCTION, OBJECT } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import type { AnyLoss, Loss } from '../ops/loss.js'
import { fromHost, gradientOf, requireGrad } from '../tensor/create.js'
import type { HostArray } from '../tensor/host.js'
import { TENSOR } from '../tensor/kinds.js'
import { scope } from '../tensor/scope.js'
import { type Arrays, firstOf, isArray, isTensor, type Like, mapMembers, membersOf } from '../tensor/structure.js'
import type { Tensor } from '../tensor/tensor.js'
import { SampleWeights, weigh } from './weights.js'

export interface Separability {
  separable: boolean
  /** the largest difference of loss or gradient between the whole and its parts, relative to max(1, largest of the whole) */
  worstError: number
}

/** Both sides are float64: only the order of sums may differ. */
const TOLERANCE = 1e-10

/**
 * Compare loss(all N samples) with the weighted sum over every cut of the samples into two parts, and compare the
 * gradients with respect to the outputs. A part of weight 0 adds nothing, as in a step. A loss that passes can be
 * streamed; one that couples samples (a contrastive loss, a batch-hard triplet loss) fails.
 * @param outputs  example outputs of the model [N, ...], N >= 2, which should differ; a list or a record where it returns one
 * @param targets  [N, ...], likewise
 * @param weights  [N], if samples have weights
 * @throws ArgumentError  fewer than two samples, a total weight of 0, or weights that the loss ignores
 */
export async function checkSeparable<Outputs extends Arrays | [], Targets extends Arrays | []>(
  loss: Loss<Like<Outputs, HostArray, Tensor>, Like<Targets, HostArray, Tensor>>,
  outputs: Outputs,
  targets: Targets,
  weights?: HostArray,
): Promise<Separability> {
  checkArgument('checkSeparable', 'loss', loss, FUNCTION)
  checkArgument('checkSeparable', 'outputs', outputs, OBJECT)
  checkArgument('checkSeparable', 'targets', targets, OBJECT)
  checkBatch({ inputs: outputs, targets, weights })
  // these outputs and targets are what the loss takes, whatever its type says
  return separability(loss as AnyLoss, outputs, targets, weights)
}

/** `checkSeparable` of any loss. */
export async function separability(
  loss: AnyLoss,
  outputs: Arrays,
  targets: Arrays,
  weights?: HostArray,
): Promise<Separability> {
  const samples = firstOf(outputs, isArray).shape[0] ?? 0
  if (samples < 2) throw new ArgumentError(`checkSeparable: ${samples} samples cannot be split; give some that differ`)
  const cut = (from: number, to: number) => sliceBatch({ inputs: outputs, targets, weights }, from, to - from)
  const weightOf = (from: number, to: number): number => {
    const { inputs, targets, weights } = cut(from, to)
    const shapes = mapMembers(inputs, isArray, ({ shape }) => shape)
    return weigh(loss, targets, weights, shapes)
  }
  const total = weightOf(0, samples)
  if (total === 0) throw new ArgumentError('checkSeparable: none of these targets counts; give some that do')
  const device = await openDevice('reference', { memory: '64MiB' })

  /** Loss of samples [from, to), and its gradient with respect to each output, both multiplied by their share. */
  const part = async (
    from: number,
    to: number,
  ): Promise<{ loss: number; gradients: readonly (readonly number[])[] }> => {
    const share = weightOf(from, to) / total
    const { inputs, targets, weights } = cut(from, to)
    const arrays = membersOf(inputs, isArray).map(([, array]) => array)
    if (share === 0) return { loss: 0, gradients: arrays.map(({ data }) => Array.from(data, () => 0)) }
    const output = mapMembers(inputs, isArray, (array) => requireGrad(fromHost(device, array)))
    const result = scope(device, () => {
      const target = mapMembers(targets, isArray, (array) => fromHost(device, array))
      const used = weights && new SampleWeights(fromHost(device, weights))
      const value = loss(output, target, used && { weights: used })
      checkArgument('checkSeparable', 'what the loss returned', value, TENSOR)
      used?.checkUsed()
      backward(value, share)
      return value
    })
    const found = { loss: share * (await result.item()), gradients: [] as number[][] }
    result.dispose()
    for (const [, leaf] of membersOf(output, isTensor)) {
      const gradient = gradientOf(leaf)
      found.gradients.push(Array.from(await gradient.data()))
      for (const each of [gradient, leaf]) each.dispose()
    }
    return found
  }

  try {
    const whole = await part(0, samples)
    let worstError = 0
    for (let at = 1; at < samples; at++) {
      const [left, right] = [await part(0, at), await part(at, samples)]
      const joined = [left.loss + right.loss, ...left.gradients.flatMap((own, k) => [...own, ...right.gradients[k]])]
      const expected = [whole.loss, ...whole.gradients.flat()]
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
      for (const [i, value] of expected.entries())
        worstError = Math.max(worstError, Math.abs(joined[i] - value) / largest)
    }
    return { separable: worstError <= TOLERANCE, worstError }
  } finally {
    await device.close()
  }
}
