/** Einstein's sum, made of other ops: each further tensor is multiplied with the result so far. */
import { checkArgument, TEXT } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { mul } from './binary.js'
import { matmul } from './matmul.js'
import { permute, reshape } from './movement.js'
import { sum } from './reduce.js'

/** A tensor whose axes have names, a letter each. */
interface Named {
  readonly x: Tensor
  readonly axes: readonly string[]
}

/**
 * Products of elements whose indices agree along axes of the same name, summed over the axes that the result does not name:
 * `einsum('bij,bjk->bik', a, b)` is y[b, i, k] = sum over j of a[b, i, j] b[b, j, k].
 * @param equation  a letter for each axis of each tensor, with commas between tensors, and after -> the axes of the result.
 *                  Without -> these are the letters that occur once, in alphabetical order
 * @throws ArgumentError  not such an equation, or not one for this number of tensors; a letter twice in one tensor; '...'
 * @throws ShapeError     another number of axes than letters; axes of one name that differ in length
 * Tensors are taken from left to right. It is made of `permute`, `sum`, `mul` and `matmul`, and saves what they save: the
 * two factors of each product. A tensor is copied if a product needs its axes in another order.
 */
export function einsum(equation: string, ...tensors: Tensor[]): Tensor {
  checkArgument('einsum', 'equation', equation, TEXT)
  for (const [i, x] of tensors.entries()) checkArgument('einsum', `tensor ${i}`, x, TENSOR)
  const { inputs, result } = parsed(equation, tensors.length)
  const operands = inputs.map((axes, i): Named => ({ x: tensors[i], axes }))
  checkLengths(equation, operands)
  let done = operands[0]
  for (const [i, next] of operands.entries()) {
    if (i > 0) done = product(done, next, new Set([...result, ...inputs.slice(i + 1).flat()]))
  }
  return ordered(summed(done, new Set(result)), result).x
}

/** @throws ArgumentError */
function parsed(equation: string, count: number): { inputs: string[][]; result: string[] } {
  const fail = (why: string): never => {
    throw new ArgumentError(`einsum: '${equation}' ${why}; an equation looks like 'bij,bjk->bik'`)
  }
  const text = equation.replaceAll(' ', '')
  if (text.includes('...')) fail("has '...', which is not known here: name each axis")
  if (!/^[a-zA-Z]*(,[a-zA-Z]*)*(->[a-zA-Z]*)?$/.test(text)) fail('has something other than letters, commas and one ->')
  const [left, right] = text.split('->')
  const inputs = left.split(',').map((axes) => [...axes])
  if (inputs.length !== count) fail(`is for ${inputs.length} tensors, and ${count} are given`)
  const all = inputs.flat()
  const once = (): string[] => all.filter((axis) => all.indexOf(axis) === all.lastIndexOf(axis)).sort()
  const result = right === undefined ? once() : [...right]
  for (const axes of [...inputs, result]) {
    const twice = axes.find((axis, i) => axes.indexOf(axis) < i)
    if (twice) fail(`has ${twice} twice in ${axes.join('')}`)
  }
  const unknown = result.find((axis) => !all.includes(axis))
  if (unknown) fail(`has ${unknown} in its result, and in no tensor`)
  return { inputs, result }
}

/** @throws ShapeError */
function checkLengths(equation: string, operands: readonly Named[]): void {
  const lengths = new Map<string, number>()
  for (const [i, { x, axes }] of operands.entries()) {
    const shown = `einsum: '${equation}': tensor ${i} is ${showShape(x.shape)}`
    if (x.rank !== axes.length) throw new ShapeError(`${shown}, and has ${axes.length} letters`)
    for (const [j, axis] of axes.entries()) {
      const length = lengths.get(axis) ?? x.shape[j]
      if (length !== x.shape[j]) throw new ShapeError(`${shown}, and ${axis} is ${length} in a tensor before it`)
      lengths.set(axis, length)
    }
  }
}

/** The sum over the axes that nobody needs. */
function summed({ x, axes }: Named, needed: ReadonlySet<string>): Named {
  const over = axes.flatMap((axis, i) => (needed.has(axis) ? [] : [i]))
  return over.length === 0 ? { x, axes } : { x: sum(x, over), axes: axes.filter((axis) => needed.has(axis)) }
}

function ordered({ x, axes }: Named, order: readonly string[]): Named {
  const places = order.map((axis) => axes.indexOf(axis))
  return { x: places.every((place, i) => place === i) ? x : permute(x, places), axes: order }
}

/**
 * Two tensors as one. An axis that both have is a batch axis if it is needed later; else it is contracted. With nothing to
 * contract, elements are multiplied.
 */
function product(first: Named, second: Named, needed: ReadonlySet<string>): Named {
  const a = summed(first, new Set([...needed, ...second.axes]))
  const b = summed(second, new Set([...needed, ...first.axes]))
  const both = a.axes.filter((axis) => b.axes.includes(axis))
  const batch = both.filter((axis) => needed.has(axis))
  const inner = both.filter((axis) => !needed.has(axis))
  const rows = a.axes.filter((axis) => !both.includes(axis))
  const columns = b.axes.filter((axis) => !both.includes(axis))
  const axes = [...batch, ...rows, ...columns]
  const left = ordered(a, [...batch, ...rows, ...inner]).x
  const right = ordered(b, [...batch, ...inner, ...columns]).x
  const batchShape = left.shape.slice(0, batch.length)
  const rowShape = left.shape.slice(batch.length, batch.length + rows.length)
  const columnShape = right.shape.slice(right.rank - columns.length)
  if (inner.length === 0) {
    const wide = reshape(left, [...batchShape, ...rowShape, ...columnShape.map(() => 1)])
    return { x: mul(wide, reshape(right, [...batchShape, ...rowShape.map(() => 1), ...columnShape])), axes }
  }
  const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1)
  const [n, m, p] = [batchShape, rowShape, columnShape].map(size)
  const k = left.size / (n * m)
  const y = matmul(reshape(left, [n, m, k]), reshape(right, [n, k, p]))
  return { x: reshape(y, [...batchShape, ...rowShape, ...columnShape]), axes }
}
