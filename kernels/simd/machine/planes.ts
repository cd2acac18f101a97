/** Walking strided tensors as planes: what assembly/ does at once, so that few calls do much. */

import { eachLine, mergeAxes } from '../../strides.js'
import { BYTES } from '../layout.js'

/** Of each operand: where a plane starts, how far apart its rows are, and the numbers in a row. All in bytes. */
export interface Plane {
  rows: number
  length: number
  starts: readonly number[]
  rowSteps: readonly number[]
  steps: readonly number[]
}

/**
 * Visits planes of the last two merged axes, so that row-major operands are walked from front to back. Strides are
 * counted in elements, `starts` in bytes and from 0; `starts` is reused between visits.
 */
export function eachPlane(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (plane: Plane) => void,
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
