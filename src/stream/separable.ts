/** Can a loss be split over micro-batches? A function does not tell, so this checks examples. */
import { backward } from '../autograd/backward.js'
import { openDevice } from '../device/open.js'
import { ArgumentError } from '../memory/errors.js'
import type { Loss } from '../ops/loss.js'
import { fromHost, gradientOf, requireGrad } from '../tensor/create.js'
import type { HostArray } from '../tensor/host.js'
import { scope } from '../tensor/scope.js'
import { sizeOf } from '../tensor/shape.js'
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
 * @param outputs  example outputs of the model [N, ...], N >= 2, which should differ
 * @param targets  [N, ...]
 * @param weights  [N], if samples have weights
 * @throws ArgumentError  fewer than two samples, a total weight of 0, or weights that the loss ignores
 */
export async function checkSeparable(
  loss: Loss,
  outputs: HostArray,
  targets: HostArray,
  weights?: HostArray,
): Promise<Separability> {
  const samples = outputs.shape[0] ?? 0
  if (samples < 2) throw new ArgumentError(`checkSeparable: ${samples} samples cannot be split; give some that differ`)
  const weightOf = (from: number, to: number): number =>
    weigh(loss, samplesOf(targets, from, to), weights && samplesOf(weights, from, to))
  const total = weightOf(0, samples)
  if (total === 0) throw new ArgumentError('checkSeparable: none of these targets counts; give some that do')
  const device = await openDevice('reference', { memory: '64MiB' })

  /** Loss and gradient of samples [from, to), both multiplied by their share. */
  const part = async (from: number, to: number): Promise<{ loss: number; gradient: readonly number[] }> => {
    const share = weightOf(from, to) / total
    if (share === 0) return { loss: 0, gradient: Array.from(samplesOf(outputs, from, to).data, () => 0) }
    const output = requireGrad(fromHost(device, samplesOf(outputs, from, to)))
    const result = scope(device, () => {
      const target = fromHost(device, samplesOf(targets, from, to))
      const used = weights && new SampleWeights(fromHost(device, samplesOf(weights, from, to)))
      const value = loss(output, target, used && { weights: used })
      used?.checkUsed()
      backward(value, share)
      return value
    })
    const found = { loss: share * (await result.item()), gradient: Array.from(await gradientOf(output).data()) }
    for (const each of [result, gradientOf(output), output]) each.dispose()
    return found
  }

  try {
    const whole = await part(0, samples)
    let worstError = 0
    for (let at = 1; at < samples; at++) {
      const [left, right] = [await part(0, at), await part(at, samples)]
      const joined = [left.loss + right.loss, ...left.gradient, ...right.gradient]
      const expected = [whole.loss, ...whole.gradient]
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
      for (const [i, value] of expected.entries())
        worstError = Math.max(worstError, Math.abs(joined[i] - value) / largest)
    }
    return { separable: worstError <= TOLERANCE, worstError }
  } finally {
    await device.close()
  }
}

function samplesOf(array: HostArray, from: number, to: number): HostArray {
  const size = sizeOf(array.shape.slice(1))
  return { ...array, data: array.data.slice(from * size, to * size), shape: [to - from, ...array.shape.slice(1)] }
}
