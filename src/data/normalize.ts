/** Mean and deviation of the channels of a data set, and inputs of mean 0 and deviation 1. */
import { checkArgument, either, LIST, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { showValue } from '../memory/errors.js'
import { valueAt } from '../ops/targets.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, showShape } from '../tensor/shape.js'
import { type Arrays, isArray, isShape } from '../tensor/structure.js'
import type { AnyBatch } from './batch.js'
import { type AnyDataset, checkDataset, type Dataset, type LazyDataset } from './dataset.js'
import { DataError } from './errors.js'

/**
 * Mean and deviation of each channel. The channels are axis 0 of a sample: the colours of an image [C, H, W], the features
 * of [F].
 */
export interface Moments {
  readonly mean: readonly number[]
  /** the standard deviation over all values; 1 where all are equal */
  readonly std: readonly number[]
}

/** The number of samples that are on the host at a time. */
const PIECE = 256

/**
 * The mean and standard deviation of each channel of the inputs, over the whole data set. Sums are float64; the deviation is
 * sqrt(mean of (x - mean)^2), in a second pass.
 * @throws DataError  a sample has several inputs, or is a single number
 */
export async function moments(dataset: AnyDataset): Promise<Moments> {
  checkDataset('moments', dataset)
  const channels = channelsOf('moments', dataset)
  /** the mean of f(x, channel) */
  const average = async (f: (x: number, channel: number) => number): Promise<number[]> => {
    const sums = new Float64Array(channels)
    let inner = 1
    for (let start = 0; start < dataset.length; start += PIECE) {
      const indices = Array.from({ length: Math.min(PIECE, dataset.length - start) }, (_, i) => start + i)
      const inputs = inputsOf(dataset, await dataset.gather(indices))
      inner = inputs.data.length / (inputs.shape[0] * channels)
      for (let i = 0; i < inputs.data.length; i++) {
        const channel = Math.floor(i / inner) % channels
        sums[channel] += f(valueAt(inputs, i), channel)
      }
    }
    return Array.from(sums, (sum) => sum / (dataset.length * inner))
  }
  const mean = await average((x) => x)
  const variance = await average((x, channel) => (x - mean[channel]) ** 2)
  return { mean, std: variance.map((value) => Math.sqrt(value) || 1) }
}

const MOMENTS = optionsOf<{ mean: unknown; std: unknown }>({ mean: either(NUMBER, LIST), std: either(NUMBER, LIST) }, [
  'mean',
  'std',
])

/**
 * The data set with (x - mean) / std in place of each value x of its inputs, as float32. To keep one byte for a value, give
 * uint8 with a scale, and begin the model with a norm instead.
 * @param options  mean and std: one number, or a list with one for each channel; `moments` gives both
 * @throws DataError  a sample has several inputs; a list does not fit its channels; a number is not finite, or a std is not
 *                    above 0
 */
export function normalize<Targets extends Arrays>(
  dataset: Dataset<HostArray, Targets>,
  options: { readonly mean: number | readonly number[]; readonly std: number | readonly number[] },
): Dataset<HostArray, Targets>
export function normalize<Targets extends Arrays>(
  dataset: LazyDataset<HostArray, Targets>,
  options: { readonly mean: number | readonly number[]; readonly std: number | readonly number[] },
): LazyDataset<HostArray, Targets>
export function normalize(
  dataset: AnyDataset,
  options: { readonly mean: number | readonly number[]; readonly std: number | readonly number[] },
): AnyDataset {
  checkDataset('normalize', dataset)
  checkArgument('normalize', 'options', options, MOMENTS)
  const channels = channelsOf('normalize', dataset)
  const each = (name: 'mean' | 'std'): readonly number[] => {
    const given = options[name]
    const list = typeof given === 'number' ? Array.from({ length: channels }, () => given) : given
    if (list.length !== channels) {
      throw new DataError(`normalize: ${name} has ${list.length} numbers, and samples have ${channels} channels`)
    }
    const bad = list.findIndex((value) => !Number.isFinite(value) || (name === 'std' && !(value > 0)))
    if (bad < 0) return list
    throw new DataError(
      `normalize: ${name} ${showValue(list[bad])} of channel ${bad} is not finite${name === 'std' ? ' and above 0' : ''}`,
    )
  }
  const [mean, std] = [each('mean'), each('std')]
  const changed = (batch: AnyBatch): AnyBatch => {
    const inputs = inputsOf(dataset, batch)
    const { data, shape } = inputs
    const inner = data.length / (shape[0] * channels)
    const values = Float32Array.from({ length: data.length }, (_, i) => {
      const channel = Math.floor(i / inner) % channels
      return (valueAt(inputs, i) - mean[channel]) / std[channel]
    })
    return { ...batch, inputs: { data: values, shape } }
  }
  return {
    ...dataset,
    gather(indices, epoch) {
      const batch = dataset.gather(indices, epoch)
      return batch instanceof Promise ? batch.then(changed) : changed(batch)
    },
  }
}

function channelsOf(what: string, { name, inputShape }: AnyDataset): number {
  if (!isShape(inputShape)) throw new DataError(`${what}: samples of ${name} have several inputs; one is expected`)
  const shape: Shape = inputShape
  if (shape.length === 0) throw new DataError(`${what}: samples of ${name} are ${showShape(shape)}, without a channel`)
  return shape[0]
}

function inputsOf({ name }: AnyDataset, { inputs }: AnyBatch): HostArray {
  if (isArray(inputs)) return inputs
  throw new DataError(`${name}: gather gave several inputs, but inputShape is a single shape`)
}
