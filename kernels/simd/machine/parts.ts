/**
 * Calls of kernels in parts, by all threads. Such calls serve kernels that walk through their operands once: a part is
 * the same call with a smaller count and other addresses.
 *
 *   inParts('unary', [code, n, x, y, a, b], { count: 1, steps: [0, 0, 4, 4], grain: 16384 })
 *
 * calls unary(code, n, x, y, a, b) in parts. Argument 1 is the count n. Each part counts 16384, and x and y advance by
 * 4 bytes for each number counted. Parts must not touch each other, and results must not depend on the cut: outputs can
 * be divided between parts, but a sum cannot.
 *
 * The call is stored in the shared memory as numbers. A thread that takes a part (assembly/machine/parallel.ts)
 * reads them there and calls the function in its own instance of the module.
 */
import * as layout from '../layout.js'

export interface Cut {
  /** the index of the argument that counts the work */
  readonly count: number
  /** how far each argument advances for each item counted; 0 for arguments left out at the end */
  readonly steps: readonly number[]
  /** the largest count of a part: work for about 5 us */
  readonly grain: number
}

/** Parts by element: the size is the first argument, `operands` addresses follow. */
export const byElement = (operands: number): Cut => ({
  count: 0,
  steps: [0, ...new Array<number>(operands).fill(4)],
  grain: layout.CHEAP_GRAIN,
})

export type InParts<Name extends string> = (name: Name, args: readonly number[], cut: Cut) => void

/**
 * The place of a stored call. Its head is the function, the index of the argument that counts, the grain and the number
 * of arguments; then each argument and its step follow.
 */
export const CALL = { address: layout.CALL, length: layout.CALL_NUMBERS, head: 4 } as const

type Functions = Readonly<Record<string, (...numbers: number[]) => number>>

/**
 * Makes an instance of a module that takes part in calls. Workers get this function as text, so it uses no name from
 * outside itself.
 */
export function instantiateWithParts(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  { address, length, head }: typeof CALL,
): { exports: Readonly<Record<string, unknown>>; call: Float64Array } {
  const call = new Float64Array(memory.buffer, address, length)
  const callPart = (item: number): void => {
    const [code, count, grain, size] = call
    const args: number[] = []
    for (let i = 0; i < size; i++) args.push(call[head + 2 * i] + item * grain * call[head + 2 * i + 1])
    args[count] = Math.min(grain, args[count] - item * grain)
    functions[code](...args)
  }
  const { exports } = new WebAssembly.Instance(module, { env: { memory, callPart } })
  const functions = Object.values(exports) as ((...args: number[]) => number)[]
  return { exports, call }
}

/** Makes `inParts` for the main thread, which runs the kernels. */
export function sharing<Name extends string>(
  exports: Functions & Readonly<Record<'isShared' | 'parallelCalls', (...numbers: number[]) => number>>,
  call: Float64Array,
): InParts<Name> {
  const names = Object.keys(exports)
  return (name, args, { count, steps, grain }) => {
    const items = Math.ceil(args[count] / grain)
    if (items < 2 || !exports.isShared()) {
      exports[name](...args)
      return
    }
    call.set([names.indexOf(name), count, grain, args.length])
    args.forEach((value, i) => {
      call[CALL.head + 2 * i] = value
      call[CALL.head + 2 * i + 1] = steps[i] ?? 0
    })
    exports.parallelCalls(items)
  }
}
