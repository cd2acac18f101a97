/**
 * Walking strided tensors, several at once, as few and as long lines as possible.
 *
 * Not here: the work on a line. That loop belongs to the kernel, where a reader expects it and where it is fast.
 */

/** A shape, and for each operand the element stride of every axis. */
export interface Axes {
  shape: number[]
  strides: number[][]
}

/** Row-major strides of a shape. */
export function contiguous(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

export const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1)

/**
 * The same walk over fewer axes: an axis of size 1 is dropped, and two neighbours become one axis if, for every
 * operand, a step along the outer one equals a full run along the inner one. At least one axis is left.
 */
export function mergeAxes(shape: readonly number[], strides: readonly (readonly number[])[]): Axes {
  const merged: Axes = { shape: [], strides: strides.map(() => []) }
  shape.forEach((size, axis) => {
    if (size === 1) return
    const last = merged.shape.length - 1
    if (last >= 0 && strides.every((s, k) => merged.strides[k][last] === size * s[axis])) {
      merged.shape[last] *= size
      strides.forEach((s, k) => {
        merged.strides[k][last] = s[axis]
      })
    } else {
      merged.shape.push(size)
      strides.forEach((s, k) => {
        merged.strides[k].push(s[axis])
      })
    }
  })
  if (merged.shape.length === 0) {
    merged.shape.push(1)
    for (const s of merged.strides) s.push(0)
  }
  return merged
}

/**
 * Visits every line along the last merged axis, in row-major order: element j of the line lies at
 * starts[k] + j * steps[k] in operand k. `starts` is reused between visits.
 */
export function eachLine(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (length: number, starts: readonly number[], steps: readonly number[]) => void,
): void {
  const axes = mergeAxes(shape, strides)
  const last = axes.shape.length - 1
  const length = axes.shape[last]
  const steps = axes.strides.map((s) => s[last])
  const starts = axes.strides.map(() => 0)
  const index = new Array<number>(last).fill(0)
  const lines = product(axes.shape.slice(0, last))
  for (let line = 0; line < lines; line++) {
    visit(length, starts, steps)
    for (let axis = last - 1; axis >= 0; axis--) {
      const carry = ++index[axis] === axes.shape[axis]
      const move = carry ? 1 - axes.shape[axis] : 1
      for (let k = 0; k < starts.length; k++) starts[k] += move * axes.strides[k][axis]
      if (!carry) break
      index[axis] = 0
    }
  }
}

/**
 * The starts of the matrices of a batch: a list of numbers, or a recipe that makes the list when a kernel runs. A plan
 * runs no kernel, so it can plan batches of any size, even if the list would not fit any memory.
 */
export type Offsets = readonly number[] | MadeOffsets

export interface MadeOffsets {
  /** the largest number of the list */
  readonly largest: number
  list(): readonly number[]
}

export const listed = (offsets: Offsets): readonly number[] => ('list' in offsets ? offsets.list() : offsets)

export const largestOf = (offsets: Offsets): number =>
  'list' in offsets ? offsets.largest : offsets.reduce((most, offset) => Math.max(most, offset), 0)
