/** Settings made into data, model and streamer: what the workers of the page run. */
import { crossEntropy, type Dataset, type Device, data, models, optim, Streamer } from 'sluice'
import { CLASSES, inputShapeOf, SHAPES } from './samples'
import type { Settings } from './settings'

export function setsOf({ data: kind, image, seed }: Settings): { train: Dataset; test: Dataset } {
  if (kind === 'digits') return data.split(data.digits(), { seed })
  const drawn = data.shapes({ samples: SHAPES, size: image, seed })
  // drawn once, and not in every epoch again
  const { inputs, targets } = drawn.gather(Uint32Array.from({ length: SHAPES }, (_, i) => i))
  return data.split(data.fromArrays({ inputs, targets, name: drawn.name, classes: drawn.classes }), { seed })
}

export function streamerOf(settings: Settings, device: Device) {
  const { model: name, width, norm, optimizer: kind, rate, recompute, seed } = settings
  const model = models.MODELS[name].build(device, {
    inputShape: inputShapeOf(settings),
    classes: CLASSES[settings.data].length,
    seed,
    ...(width > 0 && { width }),
    ...(norm !== 'own' && { batchNorm: norm }),
  }) as ReturnType<typeof models.lenet>
  const optimizer = optim[kind](model, { learningRate: rate, ...(kind === 'sgd' && { momentum: 0.9 }) })
  return new Streamer({ model, loss: crossEntropy, optimizer, recompute, seed })
}

export const microOf = ({ micro }: Settings): number | 'fit' => (micro === 0 ? 'fit' : micro)
