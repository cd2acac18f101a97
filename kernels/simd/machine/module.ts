/** The compiled modules: the ones that this platform can run, and their functions on the memory of a device. */
import { type AssemblyFunction, baseline, baselineProbe, relaxed, relaxedProbe } from './compiled.js'
import { CALL, type InParts, instantiateWithParts, sharing } from './parts.js'

/** `relaxed`: with fused multiply-add. `wide`: V8 fuses its vectors in pairs; it has to be adopted: wide.ts. */
export type SimdVariant = 'wide' | 'relaxed' | 'baseline'

/** The modules that need not be adopted, the fastest first. */
const VARIANTS = ['relaxed', 'baseline'] as const
/** A small module with the instructions of each. */
const PROBES = { relaxed: relaxedProbe, baseline: baselineProbe }

/** The functions that assembly/index.ts exports. Addresses, sizes and flags are all numbers. */
export type Exports = { readonly [Name in AssemblyFunction]: (...numbers: number[]) => number }

export interface Assembly extends Exports {
  /** Stores int32 numbers. */
  store(address: number, numbers: readonly number[]): void
  /** Calls one of the functions in parts, by all threads: parts.ts. */
  inParts: InParts<AssemblyFunction>
}

/**
 * Note [Shared or not]
 *   Whether the memory that a module imports is shared is part of the module's type: one byte of its binary. The
 *   modules are built for shared memory; for the other kind only that byte is changed, so that the package need not
 *   contain the modules twice. Atomic instructions work on both kinds.
 */
const MEMORY_IMPORT = Array.from('\x03env\x06memory\x02', (character) => character.charCodeAt(0))
const SHARED = [...MEMORY_IMPORT, 3]
const UNSHARED = [...MEMORY_IMPORT, 1]

/** The binaries, for shared memory, each made when it is first needed. */
const sources: Partial<Record<SimdVariant, () => Uint8Array>> = {
  baseline: () => unpacked(baseline),
  relaxed: () => unpacked(relaxed, unpacked(baseline)),
}
const binaries = new Map<string, Uint8Array<ArrayBuffer>>()
const modules = new Map<string, WebAssembly.Module>()

/** The value of the key in the map; made and stored if there is none. */
function remembered<T>(map: Map<string, T>, key: string, make: () => T): T {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}

const binaryOf = (variant: SimdVariant, shared: boolean): Uint8Array<ArrayBuffer> =>
  remembered(binaries, `${variant} ${shared}`, () => forMemory((sources[variant] ?? absent(variant))(), shared))

/** The binary for memory of this kind: Note [Shared or not]. */
function forMemory(binary: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(binary)
  const isHere = (first: number, at: number): boolean =>
    first === SHARED[0] && SHARED.every((byte, i) => bytes[at + i] === byte)
  if (!shared) bytes.set(UNSHARED, bytes.findIndex(isHere))
  return bytes
}

/** A binary that was packed by kernels/pack.mjs. @param known  the bytes that stood before it */
function unpacked(base64: string, known: Uint8Array = new Uint8Array()): Uint8Array {
  const packed = atob(base64)
  let from = 0
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = packed.charCodeAt(from++)
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const all = new Uint8Array(known.length + number())
  all.set(known)
  let at = known.length
  let next = 0
  while (at < all.length) {
    for (let fresh = number(); fresh > 0; fresh--, next++) all[at++] = packed.charCodeAt(from++)
    const length = number()
    const place = number()
    next += place % 2 === 0 ? place / 2 : -(place + 1) / 2
    // byte by byte: a repetition may read bytes that it has just written
    for (let left = length; left > 0; left--) all[at++] = all[next++]
  }
  return all.subarray(known.length)
}

function absent(variant: SimdVariant): never {
  throw new Error(`the module '${variant}' has not been loaded`)
}

/** Adds the binary of a module that is not loaded with the others. */
export function addSource(variant: SimdVariant, binary: Uint8Array): void {
  sources[variant] = () => binary
}

/** False in Node with --jitless, and in the strictest mode of browsers. */
export const hasWebAssembly = (): boolean => typeof WebAssembly !== 'undefined'

/** The modules that this platform can run, the fastest first; none without SIMD. */
export function simdVariants(): SimdVariant[] {
  if (!hasWebAssembly()) return []
  return VARIANTS.filter((variant) => WebAssembly.validate(forMemory(unpacked(PROBES[variant]), false)))
}

export const isShared = (memory: WebAssembly.Memory): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer

export const moduleOf = (variant: SimdVariant, shared: boolean): WebAssembly.Module =>
  remembered(modules, `${variant} ${shared}`, () => new WebAssembly.Module(binaryOf(variant, shared)))

/** The functions of a module on `memory`. The module takes the first RUNTIME_BYTES for itself. */
export function instantiate(variant: SimdVariant, memory: WebAssembly.Memory): Assembly {
  const { exports, call } = instantiateWithParts(moduleOf(variant, isShared(memory)), memory, CALL)
  const functions = exports as Exports
  let view = new Int32Array(memory.buffer)
  const store = (address: number, numbers: readonly number[]) => {
    // a memory that has grown has another buffer
    if (view.buffer !== memory.buffer) view = new Int32Array(memory.buffer)
    for (let i = 0; i < numbers.length; i++) view[address / 4 + i] = numbers[i]
  }
  return { ...functions, store, inParts: sharing(functions, call) }
}
