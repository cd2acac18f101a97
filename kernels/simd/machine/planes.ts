/** Walks strided tensors plane by plane. A call of assembly/ computes a whole plane, so that few calls are needed. */

import { eachLine, mergeAxes } from '../../strides.js'
import { BYTES } from '../layout.js'

/**
 * A plane of several operands. For each of them, in bytes: its start, and the distances of rows and of numbers in a
 * row.
 */
export interface StridedPlane {
  rows: number
  length: number
  starts: readonly number[]
  rowSteps: readonly number[]
  steps: readonly number[]
}

/**
 * Visits the planes of the last two merged axes, so that row-major operands are walked from front to back. The strides
 * count elements; the first start of each operand is 0. `starts` is reused between visits.
 */
export function eachPlane(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (plane: StridedPlane) => void,
): void {
  const axes = mergeAxes(shape, strides)
  const inner = axes.shape.length - 1
  const outer = inner - 1
  const starts = axes.strides.map(() => 0)
  const plane = {
    rows: outer < 0 ? 1 : axes.shape[outer],
    length: axes.shape[inner],
    starts,
    rowSteps: axes.strides.map((s) => (outer < 0 ? 0 : s[outer] * BYTES)),
    steps: axes.strides.map((s) => s[inner] * BYTES),
  }
  const others = axes.strides.map((s) => s.slice(0, -2))
  eachLine(axes.shape.slice(0, -2), others, (length, lineStarts, lineSteps) => {
    for (let i = 0; i < length; i++) {
      for (let k = 0; k < starts.length; k++) starts[k] = (lineStarts[k] + i * lineSteps[k]) * BYTES
      visit(plane)
    }
  })
}
