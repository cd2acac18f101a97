/** Pooling and its gradients: assembly/pool.ts. */
import type { Pooling } from '../kernels.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Cut } from './machine/parts.js'

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

/** Numbers of x in a part: walked through in some 5 us where windows are 2 x 2, and longer where they are not. */
const GRAIN = 8192

/** Planes divided between threads: which argument counts them, and what each argument before that holds of a plane. */
function planes(p: Pooling, ...held: ('input' | 'output' | 'nothing')[]): Cut {
  const bytes = { input: 4 * p.height * p.width, output: 4 * p.outHeight * p.outWidth, nothing: 0 }
  const grain = Math.max(1, Math.floor(GRAIN / (p.height * p.width)))
  return { count: held.length, steps: held.map((what) => bytes[what]), grain }
}

export const maxPool: SimdKernel<'maxPool'> = {
  run(assembly, p, [x], [y]) {
    assembly.inParts('maxPool', [x, y, ...sizes(p)], planes(p, 'input', 'output'))
  },
}

export const maxPoolGradient: SimdKernel<'maxPoolGradient'> = {
  run(assembly, p, [dy, x], [dx]) {
    assembly.inParts('maxPoolGradient', [dy, x, dx, ...sizes(p)], planes(p, 'output', 'input', 'input'))
  },
}

export const averagePool: SimdKernel<'averagePool'> = {
  run(assembly, p, [x], [y]) {
    assembly.inParts('averagePool', [x, y, divisor(p), ...sizes(p)], planes(p, 'input', 'output', 'nothing'))
  },
}

export const averagePoolGradient: SimdKernel<'averagePoolGradient'> = {
  run(assembly, p, [dy], [dx]) {
    const cut = planes(p, 'output', 'input', 'nothing')
    assembly.inParts('averagePoolGradient', [dy, dx, divisor(p), ...sizes(p)], cut)
  },
}
