/** Kernels that users have written. */
import type { Kernel, KernelParameters } from '../kernels.js'

export const defined: Kernel<KernelParameters['defined']> = ({ kernel, numbers }, inputs, [y]) =>
  kernel.loop(inputs, y, numbers)
