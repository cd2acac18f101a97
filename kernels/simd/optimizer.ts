/** What a commit runs: one call each of assembly/optimizer.ts, with what its constants are made of. */
import type { Update } from '../kernels.js'
import type { SimdKernel } from './kernel.js'
import type { Assembly } from './module.js'

export const blend: SimdKernel<'blend'> = {
  run: (assembly, { size, a, b }, [old, x], [y]) => assembly.blend(size, old, x, y, a, b),
}

export const addSumOfSquares: SimdKernel<'addSumOfSquares'> = {
  run: (assembly, { size }, [sum, x], [to]) => assembly.addSumOfSquares(size, sum, x, to),
}

const clipScale = (assembly: Assembly, { clip, maxNorm }: Update, squaredNorm: number): number =>
  clip ? assembly.clipScale(squaredNorm, maxNorm) : 1

export const sgd: SimdKernel<'sgd'> = {
  run(assembly, p, inputs, outputs) {
    const { size, learningRate, weightDecay, momentum } = p
    if (momentum === 0) {
      const [parameter, gradient, squaredNorm] = inputs
      const scale = clipScale(assembly, p, squaredNorm)
      assembly.sgd(size, parameter, gradient, outputs[0], learningRate, scale, weightDecay)
      return
    }
    const [parameter, velocity, gradient, squaredNorm] = inputs
    const constants = [learningRate, clipScale(assembly, p, squaredNorm), weightDecay, momentum, 1 - p.dampening]
    const flags = [Number(p.nesterov), Number(p.first)]
    assembly.sgdMomentum(size, parameter, velocity, gradient, ...outputs, ...constants, ...flags)
  },
}

export const adam: SimdKernel<'adam'> = {
  run(assembly, p, [parameter, m, v, gradient, squaredNorm], outputs) {
    const { size, learningRate, weightDecay, beta1, beta2, correction1, correction2, decoupled, eps } = p
    const scale = clipScale(assembly, p, squaredNorm)
    const decay = decoupled ? 0 : weightDecay
    const shrink = decoupled ? 1 - learningRate * weightDecay : 1
    const averages = [beta1, 1 - beta1, beta2, 1 - beta2]
    const step = [learningRate / correction1, Math.sqrt(correction2), eps]
    assembly.adam(size, parameter, m, v, gradient, ...outputs, scale, decay, shrink, ...averages, ...step)
  },
}
