/** Pooling and its gradients, in parts by planes: assembly/max-pool.ts and average-pool.ts. */
import type { Pooling } from '../kernels.js'
import { choicePacking } from '../packing.js'
import { POOL_SIZES } from './layout.js'
import { PoolSizes } from './machine/compiled.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Assembly } from './machine/module.js'

type Name = 'maxPool' | 'maxPoolChoices' | 'maxPoolGradient' | 'averagePool' | 'averagePoolGradient'

/** The divisor of the sum of a window; 0 stands for the count of the window's numbers inside the image. */
const divisor = (p: Pooling & { countPadding: boolean }): number =>
  p.countPadding ? p.kernelHeight * p.kernelWidth : 0

/** Numbers of x in a part: about 5 us with windows of 2 x 2, longer with others. */
const GRAIN = 8192

/** Calls a function of operands, planes and numbers, in parts by planes. `sizes` says how large each operand is. */
function byPlane(
  assembly: Assembly,
  name: Name,
  p: Pooling,
  sizes: readonly ('input' | 'output' | 'choices')[],
  operands: readonly number[],
  ...numbers: number[]
): void {
  const { bits, perElement, perPlane } = choicePacking(p)
  const bytes = { input: 4 * p.height * p.width, output: 4 * p.outHeight * p.outWidth, choices: 4 * perPlane }
  const grain = Math.max(1, Math.floor(GRAIN / (p.height * p.width)))
  assembly.store(
    POOL_SIZES,
    PoolSizes({ ...p, choiceBits: bits, choiceEnd: bits * perElement, choiceNumbers: perPlane }),
  )
  const cut = { count: operands.length, steps: sizes.map((size) => bytes[size]), grain }
  assembly.inParts(name, [...operands, p.planes, ...numbers], cut)
}

export const maxPool: SimdKernel<'maxPool'> = {
  run: (assembly, p, [x], [y]) => byPlane(assembly, 'maxPool', p, ['input', 'output'], [x, y]),
}

export const maxPoolChoices: SimdKernel<'maxPoolChoices'> = {
  run: (assembly, p, [x], [choices]) => byPlane(assembly, 'maxPoolChoices', p, ['input', 'choices'], [x, choices]),
}

export const maxPoolGradient: SimdKernel<'maxPoolGradient'> = {
  run(assembly, p, [dy, choices], [dx]) {
    byPlane(assembly, 'maxPoolGradient', p, ['output', 'choices', 'input'], [dy, choices, dx])
  },
}

export const averagePool: SimdKernel<'averagePool'> = {
  run: (assembly, p, [x], [y]) => byPlane(assembly, 'averagePool', p, ['input', 'output'], [x, y], divisor(p)),
}

export const averagePoolGradient: SimdKernel<'averagePoolGradient'> = {
  run(assembly, p, [dy], [dx]) {
    byPlane(assembly, 'averagePoolGradient', p, ['output', 'input'], [dy, dx], divisor(p))
  },
}
