/** The samples of the page by name, and the settings as a program for Node. Nothing here needs the library. */
import type { Settings } from './settings'

/** Drawn images. */
export const SHAPES = 1200
const DIGITS = 1797
export const CLASSES: Readonly<Record<Settings['data'], readonly string[]>> = {
  digits: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  shapes: ['disc', 'square', 'triangle', 'cross', 'ring'],
}

export const inputShapeOf = ({ data: kind, image }: Settings): number[] =>
  kind === 'digits' ? [1, 8, 8] : [3, image, image]

/** How many samples there are to learn from, and to test with: a fifth. */
export function countsOf({ data: kind }: Settings): { train: number; test: number } {
  const all = kind === 'digits' ? DIGITS : SHAPES
  const test = Math.round(all / 5)
  return { train: all - test, test }
}

/** The training as a program for Node, with the same numbers. */
export function codeOf(settings: Settings): string {
  const {
    model,
    width,
    data: kind,
    image,
    batch,
    memory,
    micro,
    norm,
    recompute,
    device,
    kernels,
    optimizer,
    rate,
  } = settings
  const { epochs, seed } = settings
  const opened = [`memory: ${memory}`, ...(kernels === 'best' ? [] : [`simd: '${kernels}'`])].join(', ')
  const made = [
    `inputShape: [${inputShapeOf(settings).join(', ')}]`,
    `classes: ${CLASSES[kind].length}`,
    `seed: ${seed}`,
    ...(width > 0 ? [`width: ${width}`] : []),
    ...(norm === 'own' ? [] : [`batchNorm: '${norm}'`]),
  ].join(', ')
  const samples =
    kind === 'digits' ? 'data.digits()' : `data.shapes({ samples: ${SHAPES}, size: ${image}, seed: ${seed} })`
  const sized = [
    `batch: ${Math.min(batch, countsOf(settings).train)}`,
    ...(micro === 0 ? [] : [`microBatch: ${micro}`]),
  ]
  return `import { crossEntropy, data, models, openDevice, optim, Streamer } from 'sluice'

const { train, test } = data.split(${samples}, { seed: ${seed} })
const device = await openDevice('${device}', { ${opened} })
const model = models.${model}(device, { ${made} })
const optimizer = optim.${optimizer}(model, { learningRate: ${rate}${optimizer === 'sgd' ? ', momentum: 0.9' : ''} })
const streamer = new Streamer({ model, loss: crossEntropy, optimizer, recompute: '${recompute}', seed: ${seed} })

for await (const { step, loss } of streamer.fit(train, { ${sized.join(', ')}, epochs: ${epochs} })) {
  console.log(step, loss)
}
console.log(await streamer.evaluate(test))
`
}
