/** The modules of the SIMD kernels that this platform can run, on memory of either kind, the fastest first. */
import { adoptWide, type SimdVariant, simdVariants } from '../kernels/simd/index.js'

/** Why this platform cannot run the module `wide`, or null. */
export const notWide: string | null = (await adoptWide(false)) ?? (await adoptWide(true))

export const variants: readonly SimdVariant[] = [...(notWide ? [] : (['wide'] as const)), ...simdVariants()]
