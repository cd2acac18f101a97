/** Pooling and its gradients, in parts by planes: assembly/max-pool.ts and average-pool.ts. */
import type { Pooling } from '../kernels.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Cut } from './machine/parts.js'

const sizes = (p: Pooling): number[] => {
  const window = [p.kernelHeight, p.kernelWidth, p.strideY, p.strideX, p.padY, p.padX]
  return [p.planes, p.height, p.width, p.outHeight, p.outWidth, ...window]
}

/** The divisor of the sum of a window; 0 stands for the count of its own numbers. */
const divisor = (p: Pooling & { countPadding: boolean }): number =>
  p.countPadding ? p.kernelHeight * p.kernelWidth : 0

/** Numbers of x in a part: about 5 us with windows of 2 x 2, longer with others. */
const GRAIN = 8192

/** Parts by plane. `held` says what of a plane each argument before their number holds. */
function byPlane(p: Pooling, ...held: ('input' | 'output' | 'nothing')[]): Cut {
  const bytes = { input: 4 * p.height * p.width, output: 4 * p.outHeight * p.outWidth, nothing: 0 }
  const grain = Math.max(1, Math.floor(GRAIN / (p.height * p.width)))
  return { count: held.length, steps: held.map((what) => bytes[what]), grain }
}

export const maxPool: SimdKernel<'maxPool'> = {
  run(assembly, p, [x], [y]) {
    assembly.inParts('maxPool', [x, y, ...sizes(p)], byPlane(p, 'input', 'output'))
  },
}

export const maxPoolGradient: SimdKernel<'maxPoolGradient'> = {
  run(assembly, p, [dy, x], [dx]) {
    assembly.inParts('maxPoolGradient', [dy, x, dx, ...sizes(p)], byPlane(p, 'output', 'input', 'input'))
  },
}

export const averagePool: SimdKernel<'averagePool'> = {
  run(assembly, p, [x], [y]) {
    assembly.inParts('averagePool', [x, y, divisor(p), ...sizes(p)], byPlane(p, 'input', 'output', 'nothing'))
  },
}

export const averagePoolGradient: SimdKernel<'averagePoolGradient'> = {
  run(assembly, p, [dy], [dx]) {
    const args = [dy, dx, divisor(p), ...sizes(p)]
    assembly.inParts('averagePoolGradient', args, byPlane(p, 'output', 'input', 'nothing'))
  },
}
