/**
 * Reductions over any set of axes, and over groups of a tensor seen as [outer, size, inner].
 *
 * Every output element is one sum in double precision in a fixed order, rounded once at the end. Not here:
 * cross-entropy and softmax, which contain reductions.
 */
import type { Kernels } from '../kernels.js'
import { type Axes, contiguous, eachLine, mergeAxes } from '../strides.js'
import { beats } from './machine/maxima.js'

/** One group for each output element: the block of x, starting at `start`, that reduces to y[out]. */
function eachGroup(
  shape: readonly number[],
  reduced: readonly boolean[],
  visit: (out: number, start: number, block: Axes) => void,
): void {
  const strides = contiguous(shape)
  const kept = (_: number, axis: number) => !reduced[axis]
  const gone = (_: number, axis: number) => reduced[axis]
  const keptShape = shape.filter(kept)
  const block = mergeAxes(shape.filter(gone), [strides.filter(gone)])
  eachLine(keptShape, [contiguous(keptShape), strides.filter(kept)], (length, [out, start], [, step]) => {
    for (let j = 0; j < length; j++) visit(out + j, start + j * step, block)
  })
}

/** The block as runs of `length` elements, `step` apart. */
function eachRun(
  block: Axes,
  start: number,
  visit: (start: number, length: number, step: number) => void,
  axis = 0,
): void {
  const size = block.shape[axis]
  const step = block.strides[0][axis]
  if (axis === block.shape.length - 1) visit(start, size, step)
  else for (let i = 0; i < size; i++) eachRun(block, start + i * step, visit, axis + 1)
}

export const reduce: Kernels['reduce'] = ({ shape, reduced, function: name, scale, accumulate }, [x], [y]) => {
  eachGroup(shape, reduced, (out, groupStart, block) => {
    let result = name === 'sum' ? 0 : -Infinity
    eachRun(block, groupStart, (start, length, step) => {
      let run = result
      if (name === 'sum') for (let j = 0; j < length; j++) run += x[start + j * step]
      else for (let j = 0; j < length; j++) if (beats(x[start + j * step], run)) run = x[start + j * step]
      result = run
    })
    y[out] = (accumulate ? y[out] : 0) + scale * result
  })
}

export const maxGradient: Kernels['maxGradient'] = ({ shape, reduced }, [dy, x, y], [dx]) => {
  eachGroup(shape, reduced, (out, groupStart, block) => {
    let ties = 0
    eachRun(block, groupStart, (start, length, step) => {
      for (let j = 0; j < length; j++) if (x[start + j * step] === y[out]) ties++
    })
    // With a NaN maximum nothing ties, and 0 / 0 passes the NaN on.
    eachRun(block, groupStart, (start, length, step) => {
      for (let i = start, j = 0; j < length; j++, i += step) dx[i] = (x[i] === y[out] ? dy[out] : 0) / ties
    })
  })
}

export const squaredDeviation: Kernels['squaredDeviation'] = ({ shape, reduced, scale }, [x, mean], [y]) => {
  eachGroup(shape, reduced, (out, groupStart, block) => {
    const center = mean[out]
    let total = 0
    eachRun(block, groupStart, (start, length, step) => {
      let run = 0
      for (let j = 0; j < length; j++) {
        const deviation = x[start + j * step] - center
        run += deviation * deviation
      }
      total += run
    })
    y[out] = scale * total
  })
}

export const squaredDeviationGradient: Kernels['squaredDeviationGradient'] = (
  { shape, reduced, scale },
  [dy, x, mean],
  [dx],
) => {
  eachGroup(shape, reduced, (out, groupStart, block) => {
    eachRun(block, groupStart, (start, length, step) => {
      for (let i = start, j = 0; j < length; j++, i += step) dx[i] = scale * dy[out] * (x[i] - mean[out])
    })
  })
}

/** x [outer, size, inner] -> index [outer, inner] */
export const argmax: Kernels['argmax'] = ({ outer, size, inner }, [x], [y]) => {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * size * inner + i
      let best = 0
      for (let c = 1; c < size; c++) if (beats(x[start + c * inner], x[start + best * inner])) best = c
      y[o * inner + i] = best
    }
  }
}

/** x [outer, groups, inner] -> mean [groups], variance [groups]: two passes, so that no digits cancel. */
export const moments: Kernels['moments'] = ({ outer, groups, inner }, [x], [mean, variance]) => {
  const count = outer * inner
  for (let g = 0; g < groups; g++) {
    let total = 0
    for (let o = 0; o < outer; o++) {
      const start = (o * groups + g) * inner
      for (let j = 0; j < inner; j++) total += x[start + j]
    }
    const center = total / count
    let squares = 0
    for (let o = 0; o < outer; o++) {
      const start = (o * groups + g) * inner
      for (let j = 0; j < inner; j++) squares += (x[start + j] - center) * (x[start + j] - center)
    }
    mean[g] = center
    variance[g] = squares / count
  }
}

/** losses [rows], weights [rows] -> mean, total. A row of weight 0 does not count, even if its loss is NaN. */
export const weightedMean: Kernels['weightedMean'] = ({ rows }, [losses, weights], [mean, total]) => {
  let sum = 0
  let weight = 0
  for (let r = 0; r < rows; r++) {
    if (weights[r] === 0) continue
    sum += weights[r] * losses[r]
    weight += weights[r]
  }
  mean[0] = weight === 0 ? 0 : sum / weight
  total[0] = weight
}
