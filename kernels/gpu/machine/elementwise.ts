/**
 * Programs that apply a function to the elements of one to three tensors. If all tensors store their elements in the
 * order of the output, a program goes texel by texel: one read of each tensor gives four values. If a tensor is
 * broadcast, a program goes value by value.
 */
import { contiguous } from '../../strides.js'
import { INDEXING, type Width, walk } from './indexing.js'
import type { ArgumentKind, Four, Gpu, Helpers, Program, Source } from './program.js'
import { eachValue } from './program.js'

const TENSORS = ['x', 'y', 'z']
const kindsOf = (count: number): ArgumentKind[] => new Array<ArgumentKind>(count).fill('texels')

/**
 * f of `count` tensors, texel by texel.
 * @param constants  does f take the constants a and b after the tensors?
 */
export function texelwise(name: string, f: Source, count: number, constants = false, helpers: Helpers = {}): Program {
  const tensors = TENSORS.slice(0, count)
  const numbers = constants ? ['a', 'b'] : []
  const reads = tensors.map((x) => `const ${x}4 = ${x}[this.thread.x]`).join('\n')
  const values = [0, 1, 2, 3].map((lane) => `f(${[...tensors.map((x) => `${x}4[${lane}]`), ...numbers]})`)
  const source = `function texel(${[...tensors, ...numbers]}) {
    ${reads}
    return [${values}]
  }`
  return {
    name,
    source,
    kinds: [...kindsOf(count), ...numbers.map(() => 'number' as const)],
    helpers: { ...helpers, f },
  }
}

/** f of `count` tensors of any strides, value by value. */
function valuewise(name: string, f: Source, count: number, width: Width, helpers: Helpers): Program {
  const tensors = TENSORS.slice(0, count)
  const strides = tensors.flatMap((x) => [`${x}Strides`, `${x}Outer`])
  const reads = tensors.map((x) => `const ${x}1 = at(${x}, offset(i, shape, ${x}Strides, outerShape, ${x}Outer))`)
  const source = `function value(${['i', ...tensors, 'shape', 'outerShape', ...strides]}) {
    ${reads.join('\n')}
    return f(${tensors.map((x) => `${x}1`)})
  }`
  const fours = ['shape', 'outerShape', ...strides].map(() => 'four' as const)
  return eachValue(`${name}, ${width}`, source, [...kindsOf(count), ...fours], { ...INDEXING[width], ...helpers, f })
}

/** A function of broadcast tensors: y = f(...operands). */
export interface Broadcast {
  readonly programs: readonly Program[]
  /** @param strides  of each operand */
  run<Operand>(
    gpu: Gpu<Operand>,
    shape: readonly number[],
    strides: readonly (readonly number[])[],
    operands: readonly Operand[],
    y: Operand,
  ): void
}

/** @param helpers  what f calls, beside builtins */
export function broadcast(name: string, f: Source, count: number, helpers: Helpers = {}): Broadcast {
  const texels = texelwise(name, f, count, false, helpers)
  const values = {
    line: valuewise(name, f, count, 'line', helpers),
    plane: valuewise(name, f, count, 'plane', helpers),
    narrow: valuewise(name, f, count, 'narrow', helpers),
    wide: valuewise(name, f, count, 'wide', helpers),
  }
  return {
    programs: [texels, ...Object.values(values)],
    run(gpu, shape, strides, operands, y) {
      const axes = walk(shape, [contiguous(shape), ...strides])
      const [blocks, planes, rows, columns] = axes.shape
      const inOrder = ([own]: readonly [Four, Four]) => own[3] === 1 || columns === 1
      if (blocks * planes * rows === 1 && axes.strides.every(inOrder)) return gpu.run(texels, operands, y)
      const [, ...fours] = axes.strides
      gpu.run(values[axes.width], [...operands, axes.shape, axes.outerShape, ...fours.flat()], y)
    },
  }
}
