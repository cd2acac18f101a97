/** Pooling and its gradients: assembly/pool.ts. */
import type { Pooling } from '../kernels.js'
import type { SimdKernel } from './kernel.js'

const sizes = (p: Pooling): number[] => [
  p.planes,
  p.height,
  p.width,
  p.outHeight,
  p.outWidth,
  p.kernelHeight,
  p.kernelWidth,
  p.strideY,
  p.strideX,
  p.padY,
  p.padX,
]

/** What every window's sum is divided by, or 0: by the count of its own numbers. */
const divisor = (p: Pooling & { countPadding: boolean }): number =>
  p.countPadding ? p.kernelHeight * p.kernelWidth : 0

export const maxPool: SimdKernel<'maxPool'> = {
  run(assembly, p, [x], [y]) {
    assembly.maxPool(x, y, ...sizes(p))
  },
}

export const maxPoolGradient: SimdKernel<'maxPoolGradient'> = {
  run(assembly, p, [dy, x], [dx]) {
    assembly.maxPoolGradient(dy, x, dx, ...sizes(p))
  },
}

export const averagePool: SimdKernel<'averagePool'> = {
  run(assembly, p, [x], [y]) {
    assembly.averagePool(x, y, divisor(p), ...sizes(p))
  },
}

export const averagePoolGradient: SimdKernel<'averagePoolGradient'> = {
  run(assembly, p, [dy], [dx]) {
    assembly.averagePoolGradient(dy, dx, divisor(p), ...sizes(p))
  },
}
