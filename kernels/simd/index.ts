/**
 * The SIMD dialect: kernels in AssemblyScript on the memory of a device.
 *
 * To add a kernel, write its function in assembly/ and export it from assembly/index.ts. Then write its TypeScript
 * side, which turns the kernel's parameters into the function's arguments, in a file that the table below spreads.
 * These files export kernels and nothing else.
 */
import type { KernelName, KernelParameters } from '../kernels.js'
import * as attention from './attention.js'
import * as convolution from './convolution.js'
import * as dropout from './dropout.js'
import * as elementwise from './elementwise.js'
import * as embedding from './embedding.js'
import * as loss from './loss.js'
import type { SimdKernels } from './machine/kernel.js'
import * as matmul from './matmul.js'
import * as movement from './movement.js'
import * as norm from './norm.js'
import * as optimizer from './optimizer.js'
import * as pool from './pool.js'
import * as reduce from './reduce.js'

export { MAX_THREADS, RUNTIME_BYTES } from './layout.js'
export { type Assembly, hasWebAssembly, instantiate, type SimdVariant, simdVariants } from './machine/module.js'
export { availableThreads, canThread, dropped, Workers } from './machine/threads.js'
export { adoptWide } from './machine/wide.js'

const kernels = {
  ...attention,
  ...convolution,
  ...dropout,
  ...elementwise,
  ...embedding,
  ...loss,
  ...matmul,
  ...movement,
  ...norm,
  ...optimizer,
  ...pool,
  ...reduce,
}

type Others = Exclude<keyof typeof kernels, KernelName>

/** Does not compile if one of the files exports anything other than kernels. */
export const simd: SimdKernels = kernels satisfies Record<Others, never>

/** The workspace, in bytes, that a kernel needs beside its operands; plain loops need none. */
export function workspaceBytes<Name extends KernelName>(name: Name, parameters: KernelParameters[Name]): number {
  return simd[name]?.workspaceBytes?.(parameters) ?? 0
}
