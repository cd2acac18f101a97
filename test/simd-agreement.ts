/**
 * Shared parts of the tests of the SIMD kernels: a kernel is compared with the plain loops, in every module that this
 * platform can run.
 *
 * A module has a memory of its own, in which all numbers except the operands are NaN. This exposes a kernel that reads
 * beyond its operands, or writes beyond its outputs or workspace.
 */
import * as assert from 'uvu/assert'
import type { Floats, KernelName, KernelParameters } from '../kernels/kernels.js'
import { reference } from '../kernels/reference/index.js'
import { instantiate, RUNTIME_BYTES, simd } from '../kernels/simd/index.js'
import { float32Sum } from './tolerances.js'
import { variants } from './variants.js'

const PAGES = 40

export const bench = variants.map((variant) => {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES })
  return { variant, memory, assembly: instantiate(variant, memory) }
})

if (bench.length === 0) throw new Error('this platform has no WebAssembly SIMD: nothing of it can be tested')

export const absolute = (values: Floats): Float64Array => Float64Array.from(values, Math.abs)

/** The largest error that is allowed for an element. */
export type Limit = (element: number, expected: number, output: number) => number

/** For kernels that do not compute, or do not round. */
export const exactly: Limit = () => 0

export interface Placing {
  /** output k is written over input inPlace[k] */
  inPlace?: readonly number[]
  /** operands need no alignment and nothing beyond their last number is read, not even in its cache line */
  tight?: boolean
  /** the part of each output that is compared; default the whole */
  reading?: (output: Floats) => Floats
}

/**
 * Run kernel `name` in every module, and assert that its outputs agree with those of the plain loops in float64.
 * @param outputs  the values of the outputs before the kernel runs
 * @param limit  the largest error of an element; or, for sums of products, the number of terms: the limit then follows
 *   from the sum of their absolute values
 */
export function agrees<Name extends KernelName>(
  name: Name,
  parameters: KernelParameters[Name],
  inputs: readonly Float32Array[],
  outputs: Float32Array | readonly Float32Array[],
  limit: number | Limit,
  placing: Placing = {},
): void {
  if (!simd[name] || simd[name].covers?.(parameters) === false) throw new Error(`no SIMD kernel for this ${name}`)
  const { inPlace } = placing
  const before = outputs instanceof Float32Array ? [outputs] : outputs
  const doubles = inputs.map((values) => Float64Array.from(values))
  const expected = before.map((values, k) => (inPlace ? doubles[inPlace[k]] : Float64Array.from(values)))
  reference[name](parameters, doubles, expected)
  const within = typeof limit === 'number' ? sums(name, parameters, inputs.map(absolute), before, limit) : limit
  // In each round another input ends where the memory ends: a read beyond it traps.
  for (let ending = 0; ending < Math.max(1, inputs.length); ending++) {
    const seen = bench.map((module) => ({
      ...module,
      bits: runsAs(module, name, parameters, inputs, ending, before, expected, within, placing),
    }))
    const [wide, relaxed] = ['wide', 'relaxed'].map((variant) => seen.find((module) => module.variant === variant))
    if (wide) assert.equal(wide.bits, relaxed?.bits, `${name}: bits of wide and relaxed`)
  }
}

/** The limit of sums of `terms` products. The kernel itself adds up their absolute values, which are `inputs`. */
export function sums<Name extends KernelName>(
  name: Name,
  parameters: KernelParameters[Name],
  inputs: readonly Floats[],
  outputs: readonly Floats[],
  terms: number,
): Limit {
  const magnitudes = outputs.map(absolute)
  reference[name](parameters, inputs, magnitudes)
  return (element, _, output) => float32Sum(terms, magnitudes[output][element])
}

/** Returns the bits of the outputs. */
function runsAs<Name extends KernelName>(
  { variant, memory, assembly }: (typeof bench)[number],
  name: Name,
  parameters: KernelParameters[Name],
  inputs: readonly Float32Array[],
  ending: number,
  before: readonly Float32Array[],
  expected: readonly Float64Array[],
  limit: Limit,
  { inPlace, tight, reading = (output) => output }: Placing,
): Uint32Array[] {
  const floats = new Float32Array(memory.buffer)
  floats.fill(Number.NaN, RUNTIME_BYTES / 4)
  const what = `${name}, ${variant}`
  const lastBytes = inputs[ending]?.byteLength ?? 0
  const endBytes = memory.buffer.byteLength - (tight ? lastBytes : Math.ceil(lastBytes / 64) * 64)
  let end = RUNTIME_BYTES
  const reserve = (bytes: number): number => {
    const address = end
    // leaves a number between operands that belongs to neither
    end = Math.ceil((end + bytes + 4) / 64) * 64
    assert.ok(end <= endBytes, 'this test draws larger operands than it has room for')
    return address
  }
  const place = (values: Float32Array, address = reserve(values.byteLength)): number => {
    floats.set(values, address / 4)
    return address
  }
  const addresses = inputs.map((values, i) => place(values, i === ending ? endBytes : undefined))
  const own = before.map((values, k) => ({ values, address: inPlace ? addresses[inPlace[k]] : place(values) }))
  const workspaceBytes = simd[name]?.workspaceBytes?.(parameters) ?? 0
  const workspace = reserve(workspaceBytes)
  const to = own.map(({ address }) => address)
  simd[name]?.run(assembly, parameters, addresses, to, workspace)

  const untouched = (from: number, bytes: number) => floats.subarray(from / 4, bytes / 4).every(Number.isNaN)
  own.forEach(({ values, address }, output) => {
    const written = reading(floats.subarray(address / 4, address / 4 + values.length))
    reading(expected[output]).forEach((wanted, i) => {
      const value = written[i]
      const close = Object.is(value, Math.fround(wanted)) || Math.abs(value - wanted) <= limit(i, wanted, output)
      if (!close) assert.unreachable(`${what}: element ${i} is ${value}, not ${wanted} to ${limit(i, wanted, output)}`)
    })
    const after = address + values.byteLength
    assert.ok(untouched(after, Math.ceil((after + 1) / 64) * 64), `${what} writes beyond output ${output}`)
  })
  const beyond = Math.min(end + 4096, endBytes)
  assert.ok(untouched(workspace + workspaceBytes, beyond), `${what} writes beyond its workspace`)
  inputs.forEach((values, i) => {
    if (to.includes(addresses[i])) return
    const same = values.every((value, j) => Object.is(floats[addresses[i] / 4 + j], value))
    assert.ok(same, `${what} changed input ${i}`)
  })
  return own.map(({ values, address }) => new Uint32Array(memory.buffer, address, values.length).slice())
}
