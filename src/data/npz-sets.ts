/** The data sets in an npz file, by the names that people give their arrays. */

import { door, OBJECT, optional, TEXT } from '../memory/arguments.js'
import { valueAt } from '../ops/targets.js'
import type { HostArray } from '../tensor/host.js'
import { type Dataset, fromArrays } from './dataset.js'
import { DataError } from './errors.js'

/** The names of inputs and targets that are looked for, in this order. */
const NAMES = [
  ['x', 'y'],
  ['inputs', 'targets'],
  ['images', 'labels'],
  ['data', 'target'],
] as const

const check = door('arraySets', { arrays: OBJECT, name: optional(TEXT) })

/**
 * Makes data sets from named arrays, such as those of parseNpz: from `x_train`, `y_train`, `x_test` and `y_test`, or from
 * `x` and `y`. The names inputs/targets, images/labels and data/target work too. Bytes of images get the scale 1/255, and
 * images without a channel, [N, H, W], get one. Targets of whole numbers [N] are class indices.
 * @throws DataError  there is no such pair, or its arrays differ in samples
 */
export function arraySets(
  arrays: Readonly<Record<string, HostArray>>,
  name = 'arrays',
): { train: Dataset; test: Dataset | undefined } {
  check([arrays, name])
  const pair = (suffix: string): Dataset | undefined => {
    for (const [x, y] of NAMES) {
      const [inputs, targets] = [arrays[x + suffix], arrays[y + suffix]]
      if (inputs && targets) return datasetOf(inputs, targets, name + suffix.replace('_', '/'))
    }
    return undefined
  }
  const train = pair('_train') ?? pair('')
  if (train) return { train, test: pair('_test') }
  const names = Object.keys(arrays).slice(0, 20).join(', ')
  throw new DataError(`${name}: there are the arrays ${names}, and not x and y, nor x_train and y_train`)
}

function datasetOf(inputs: HostArray, targets: HostArray, name: string): Dataset {
  const { data, shape } = inputs
  const image = data instanceof Uint8Array && shape.length >= 3
  const shaped = image && shape.length === 3 ? [shape[0], 1, shape[1], shape[2]] : shape
  const classes = classesOf(targets)
  return fromArrays({
    inputs: { data, shape: shaped, scale: image ? 1 / 255 : inputs.scale },
    targets,
    name,
    ...(classes === null ? {} : { classes }),
  })
}

/** The number of classes of whole numbers [N] from 0 on; null for other targets. */
function classesOf(targets: HostArray): number | null {
  if (targets.shape.length !== 1) return null
  let most = 0
  for (let i = 0; i < targets.data.length; i++) {
    const value = valueAt(targets, i)
    if (!Number.isInteger(value) || value < 0) return null
    most = Math.max(most, value)
  }
  return most + 1
}
