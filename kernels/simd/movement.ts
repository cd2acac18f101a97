/** Kernels that move numbers: fill and copies of assembly/movement.ts. */
import { contiguous, eachLine, mergeAxes, product } from '../strides.js'
import { BYTES, CHEAP_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Assembly } from './machine/module.js'

/** Numbers copied in 5 us: a core copies some ten in a nanosecond. */
const GRAIN = 4 * CHEAP_GRAIN

function fillWith(assembly: Assembly, size: number, y: number, value: number): void {
  assembly.inParts('fill', [size, y, value], { count: 0, steps: [0, 4], grain: GRAIN })
}

export const fill: SimdKernel<'fill'> = {
  run: (assembly, { size, value }, _, [y]) => fillWith(assembly, size, y, value),
}

/** An axis of a copy: its size, and the bytes from step to step in x and in y. */
interface Axis {
  size: number
  x: number
  y: number
}

const ONE: Axis = { size: 1, x: 0, y: 0 }

/**
 * The merged axes of a copy, at least four, from the outermost. The last walks y number by number. If another axis
 * walks x number by number, it comes just before the last: then planes are transposed.
 */
function axesOf(shape: readonly number[], stridesX: readonly number[], stridesY: readonly number[]): Axis[] {
  const merged = mergeAxes(shape, [stridesX, stridesY])
  const [ofX, ofY] = merged.strides
  const axes = merged.shape.map((size, k) => ({ size, x: ofX[k] * BYTES, y: ofY[k] * BYTES }))
  // Merging drops the last axis of y if its size is 1.
  const line = axes.at(-1)?.y === BYTES ? axes.pop() : undefined
  const dense = axes.findIndex(({ x }) => x === BYTES)
  if (line?.x !== BYTES && dense >= 0) axes.push(...axes.splice(dense, 1))
  axes.push(line ?? { size: 1, x: BYTES, y: BYTES })
  while (axes.length < 4) axes.unshift(ONE)
  return axes
}

/**
 * Copies x -> y along four axes, in parts by planes, by the rows of a single plane, or by the numbers of a single row.
 */
function copyPlanes(assembly: Assembly, x: number, y: number, [outer, inner, rows, line]: readonly Axis[]): void {
  const planes = outer.size * inner.size
  // Rows are transposed in blocks of four.
  const block = line.x === BYTES ? 1 : 4
  const parts =
    planes > 1
      ? { count: 3, steps: [0, 0, 1], grain: Math.ceil(GRAIN / (rows.size * line.size)) }
      : rows.size > 1
        ? { count: 9, steps: [rows.x, rows.y], grain: block * Math.ceil(GRAIN / (line.size * block)) }
        : { count: 10, steps: [line.x, line.y], grain: GRAIN }
  const places = [x, y, 0, planes, inner.size, outer.x, outer.y, inner.x, inner.y]
  assembly.inParts('copyPlanes', [...places, rows.size, line.size, rows.x, rows.y, line.x], parts)
}

/** Copies x -> y, with any number of axes. */
function copy(
  assembly: Assembly,
  shape: readonly number[],
  x: number,
  stridesX: readonly number[],
  y: number,
  stridesY: readonly number[],
): void {
  const axes = axesOf(shape, stridesX, stridesY)
  const planes = axes.splice(-4)
  eachLine(
    axes.map(({ size }) => size),
    [axes.map((axis) => axis.x), axes.map((axis) => axis.y)],
    (length, [startX, startY], [stepX, stepY]) => {
      for (let i = 0; i < length; i++) copyPlanes(assembly, x + startX + i * stepX, y + startY + i * stepY, planes)
    },
  )
}

export const stridedCopy: SimdKernel<'stridedCopy'> = {
  run: (assembly, { shape, strides, offset }, [x], [y]) =>
    copy(assembly, shape, x + offset * BYTES, strides, y, contiguous(shape)),
}

export const pad: SimdKernel<'pad'> = {
  run(assembly, { shape, before, outShape, value }, [x], [y]) {
    const strides = contiguous(outShape)
    const offset = before.reduce((sum, steps, axis) => sum + steps * strides[axis], 0)
    fillWith(assembly, product(outShape), y, value)
    copy(assembly, shape, x, contiguous(shape), y + offset * BYTES, strides)
  },
}

export const concat: SimdKernel<'concat'> = {
  run(assembly, { outer, sizes, inner }, pieces, [y]) {
    const row = sizes.reduce((a, b) => a + b, 0) * inner
    let at = y
    pieces.forEach((x, j) => {
      const run = sizes[j] * inner
      const rows = { size: outer, x: run * BYTES, y: row * BYTES }
      copyPlanes(assembly, x, at, [ONE, ONE, rows, { size: run, x: BYTES, y: BYTES }])
      at += run * BYTES
    })
  },
}
