/** What moves numbers: planes of assembly/movement.ts. */
import { contiguous, product } from '../reference/strides.js'
import type { SimdKernel } from './kernel.js'
import type { Assembly } from './module.js'
import { CHEAP_GRAIN } from './parts.js'
import { eachPlane } from './planes.js'

export function fillWith(assembly: Assembly, size: number, y: number, value: number): void {
  assembly.inParts('fill', [size, y, value], { count: 0, steps: [0, 4], grain: CHEAP_GRAIN })
}

export const fill: SimdKernel<'fill'> = {
  run: (assembly, { size, value }, _, [y]) => fillWith(assembly, size, y, value),
}

/** x -> y, both from their addresses on. */
function copy(
  assembly: Assembly,
  shape: readonly number[],
  x: number,
  stridesX: readonly number[],
  y: number,
  stridesY: readonly number[],
): void {
  eachPlane(
    shape,
    [stridesY, stridesX],
    ({ rows, length, starts: [toY, toX], rowSteps: [rowY, rowX], steps: [stepY, stepX] }) => {
      if (stepY === 4) {
        assembly.copyPlane(x + toX, y + toY, rows, length, rowX, rowY, stepX)
        return
      }
      // y's last axis had size 1 and is gone: what is left are columns, each a plane of rows of one number.
      for (let i = 0; i < rows; i++) {
        assembly.copyPlane(x + toX + i * rowX, y + toY + i * rowY, length, 1, stepX, stepY, 4)
      }
    },
    1,
  )
}

export const stridedCopy: SimdKernel<'stridedCopy'> = {
  run: (assembly, { shape, strides, offset }, [x], [y]) =>
    copy(assembly, shape, x + offset * 4, strides, y, contiguous(shape)),
}

export const pad: SimdKernel<'pad'> = {
  run(assembly, { shape, before, outShape, value }, [x], [y]) {
    const strides = contiguous(outShape)
    const offset = before.reduce((sum, steps, axis) => sum + steps * strides[axis], 0)
    fillWith(assembly, product(outShape), y, value)
    copy(assembly, shape, x, contiguous(shape), y + offset * 4, strides)
  },
}

export const concat: SimdKernel<'concat'> = {
  run(assembly, { outer, sizes, inner }, pieces, [y]) {
    const row = sizes.reduce((a, b) => a + b, 0) * inner
    let at = y
    pieces.forEach((x, j) => {
      const run = sizes[j] * inner
      assembly.copyPlane(x, at, outer, run, run * 4, row * 4, 4)
      at += run * 4
    })
  },
}
