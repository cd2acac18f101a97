/**
 * Axis 0 of the model's output is the sample.
 *
 * The joined outputs of the micro-batches equal the output of the mini-batch only if this holds. A forward can also
 * make several successive rows of each sample, as language models do ([N, T] -> [N T, V]); a loss over them is exact
 * too. At one size a shape may be right by chance (4 samples of 4 features, averaged), so two sizes are compared.
 */
import { TensorTooLargeError } from '../device/errors.js'
import { SluiceError } from '../memory/errors.js'
import { type Shape, showShape } from '../tensor/shape.js'
import {
  firstOf,
  isShape,
  isTensor,
  mapMembers,
  memberAt,
  membersOf,
  pathOf,
  type Shapes,
  type Structure,
  showShapes,
  type Tensors,
} from '../tensor/structure.js'
import { OutputShapeError } from './errors.js'
import type { Plan } from './plan.js'

/** What a forward returned: its shape without the first axis, and the rows on that axis for each sample. */
export interface Outputs {
  readonly outputShape: Shapes
  readonly outputRows: Structure<number>
}

/**
 * @param inputs   [n, ...], the inputs of the forward
 * @param outputs  [n rows, ...], what it returned
 * @throws OutputShapeError  rows is not a whole number, or in `predict` is not 1
 */
export function outputsOf(mode: string, inputs: Tensors, outputs: Tensors): Outputs {
  const shapes = mapMembers(inputs, isTensor, ({ shape }) => shape)
  return {
    outputShape: mapMembers(outputs, isTensor, ({ shape }) => shape.slice(1)),
    outputRows: mapMembers(outputs, isTensor, ({ shape }, key) => rowsOf(mode, shapes, shape, pathOf('output', key))),
  }
}

/** The shapes of the outputs of so many samples. */
export const shapesOf = ({ outputShape, outputRows }: Outputs, samples: number): Shapes =>
  mapMembers(outputShape, isShape, (shape, key) => [samples * memberAt(outputRows, key), ...shape])

function rowsOf(mode: string, inputs: Shapes, output: Shape, path: string): number {
  const first = firstOf(inputs, isShape)
  const [samples] = first
  const rows = (output[0] ?? 0) / samples
  if (rows === 1 || (rows > 1 && Number.isInteger(rows) && mode !== 'predict')) return rows
  const multiple = mode === 'predict' ? '' : ', or a whole multiple of it'
  const axis = output.length === 0 ? 'has none' : `has ${output[0]}`
  const lone = first.length === 1 ? ` If this is one sample, its shape is [1, ${samples}].` : ''
  const parts = ['x.shape[0]', rows, ...output.slice(1)].join(', ')
  const reshape = rows > 1 && Number.isInteger(rows) ? ` Rows of each sample: return y.reshape([${parts}]).` : ''
  const made = path === 'output' ? showShape(output) : `${path} ${showShape(output)}`
  throw new OutputShapeError(
    `the model made ${made} of ${countSamples(samples)}, inputs ${showShapes(inputs)}: the first axis of its ` +
      `output must be the samples, ${samples}${multiple}, and it ${axis}.${lone}${reshape} Let the forward keep axis 0, ` +
      'and take means over the other axes.',
  )
}

/**
 * Check that the output of another size has the same number of rows for each sample, and the same shape otherwise.
 * @param input     shape of one sample, or the shapes of its inputs
 * @param outputOf  records one micro-batch of `size` samples
 * @throws OutputShapeError  naming both sizes
 */
export function checkRows(plan: Plan, input: Shapes, outputOf: (size: number) => Outputs): void {
  const [{ size }] = plan.parts
  const seen = outputOf(size)
  let refusal = ''
  for (const other of new Set([...plan.parts.map((part) => part.size), 1, plan.batch, 2, size + 1, 2 * size])) {
    if (other === size) continue
    const measured = attempt(other, outputOf)
    if (measured instanceof TensorTooLargeError) return
    if (measured instanceof SluiceError) {
      refusal ||= measured.message
      continue
    }
    if (describe(measured, 1) === describe(seen, 1)) return
    throw new OutputShapeError(
      `the model made ${describe(seen, size)} of ${countSamples(size)}, and ${describe(measured, other)} of ` +
        `${countSamples(other)}: only the first axis of an output may ` +
        'depend on the number of samples, and must be in proportion to it. Let the forward keep axis 0 of its input as ' +
        'it is, and bring samples together in the loss.',
    )
  }
  // The model runs only with this size, so nothing can be compared. Inputs of single numbers are probably one sample.
  if (!membersOf(input, isShape).every(([, shape]) => shape.length === 0)) return
  throw new OutputShapeError(
    `inputs of shape [${size}] are ${countSamples(size)} of one number each, and the model runs with no other number of ` +
      `samples (${refusal}). If this is one sample, its shape is [1, ${size}].`,
  )
}

function attempt(size: number, outputOf: (size: number) => Outputs): Outputs | SluiceError {
  try {
    return outputOf(size)
  } catch (error) {
    // some models refuse some sizes: batch norm refuses one sample of one pixel
    if (error instanceof SluiceError && !(error instanceof OutputShapeError)) return error
    throw error
  }
}

const describe = (outputs: Outputs, samples: number): string => showShapes(shapesOf(outputs, samples))

const countSamples = (count: number): string => (count === 1 ? '1 sample' : `${count} samples`)
