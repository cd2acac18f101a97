/** The compiled modules: which one this platform runs, and a module at work on a device's memory. */
import { baseline, relaxed } from './binary.js'

/** `relaxed`: with fused multiply-add. */
export type SimdVariant = 'relaxed' | 'baseline'

/** From the best. */
const VARIANTS: readonly SimdVariant[] = ['relaxed', 'baseline']

/**
 * The bottom of every memory that belongs to the modules: what they assume to be nobody's (1 KiB, so that an address
 * and an offset can be added without a carry), then their constants.
 */
export const RUNTIME_BYTES = 4096

/** What assembly/index.ts exports. Addresses, sizes and flags are all numbers. */
export type Assembly = { readonly [Name in AssemblyFunction]: (...numbers: number[]) => number }

type AssemblyFunction =
  | 'matmul'
  | 'convolution'
  | 'convolutionInputGradient'
  | 'convolutionWeightGradient'
  | 'maxPool'
  | 'maxPoolGradient'
  | 'averagePool'
  | 'averagePoolGradient'
  | 'staticEnd'

const sources = { baseline, relaxed }
const decoded = new Map<SimdVariant, Uint8Array<ArrayBuffer>>()
const compiled = new Map<SimdVariant, WebAssembly.Module>()

function binaryOf(variant: SimdVariant): Uint8Array<ArrayBuffer> {
  const known = decoded.get(variant) ?? Uint8Array.from(atob(sources[variant]), (char) => char.charCodeAt(0))
  decoded.set(variant, known)
  return known
}

/** The modules that this platform runs, from the best; none where it has no SIMD. */
export function simdVariants(): SimdVariant[] {
  return VARIANTS.filter((variant) => WebAssembly.validate(binaryOf(variant)))
}

/** A module over `memory`, whose first RUNTIME_BYTES it takes for itself. */
export function instantiate(variant: SimdVariant, memory: WebAssembly.Memory): Assembly {
  const module = compiled.get(variant) ?? new WebAssembly.Module(binaryOf(variant))
  compiled.set(variant, module)
  return new WebAssembly.Instance(module, { env: { memory } }).exports as Assembly
}
