/** The kernels of a commit: each computes its constants and calls assembly/optimizer.ts once. */
import type { UpdateParameters } from '../kernels.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Assembly } from './machine/module.js'
import { byElement } from './machine/parts.js'

export const blend: SimdKernel<'blend'> = {
  run: (assembly, { size, a, b }, [old, x], [y]) => assembly.inParts('blend', [size, old, x, y, a, b], byElement(3)),
}

/** In double precision no square of a float32 number overflows or underflows. */
export const gradientNorm: SimdKernel<'gradientNorm'> = {
  run(assembly, { sizes }, gradients, [norm]) {
    assembly.storeNorm(
      sizes.reduce((sum, size, j) => sum + assembly.sumOfSquares(size, gradients[j]), 0),
      norm,
    )
  },
}

const clipRoot = (assembly: Assembly, { clip, maxNorm }: UpdateParameters, norm: number): number =>
  clip ? assembly.clipRoot(norm, maxNorm) : 1

export const sgd: SimdKernel<'sgd'> = {
  run(assembly, p, inputs, outputs) {
    const { size, learningRate, weightDecay, momentum } = p
    if (momentum === 0) {
      const [parameter, gradient, norm] = inputs
      const [to] = outputs
      const root = clipRoot(assembly, p, norm)
      assembly.inParts('sgd', [size, parameter, gradient, to, learningRate, root, weightDecay], byElement(3))
      return
    }
    const [parameter, velocity, gradient, norm] = inputs
    const constants = [learningRate, clipRoot(assembly, p, norm), weightDecay, momentum, 1 - p.dampening]
    const flags = [Number(p.nesterov), Number(p.first)]
    const operands = [parameter, velocity, gradient, ...outputs]
    assembly.inParts('sgdMomentum', [size, ...operands, ...constants, ...flags], byElement(operands.length))
  },
}

export const adam: SimdKernel<'adam'> = {
  run(assembly, p, [parameter, m, v, gradient, norm], outputs) {
    const { size, learningRate, weightDecay, beta1, beta2, correction1, correction2, decoupled, eps } = p
    const root = clipRoot(assembly, p, norm)
    const decay = decoupled ? 0 : weightDecay
    const shrink = decoupled ? 1 - learningRate * weightDecay : 1
    const averages = [beta1, 1 - beta1, beta2, 1 - beta2]
    const step = [learningRate / correction1, Math.sqrt(correction2), eps]
    const operands = [parameter, m, v, gradient, ...outputs]
    assembly.inParts('adam', [size, ...operands, root, decay, shrink, ...averages, ...step], byElement(operands.length))
  },
}

export const rmsprop: SimdKernel<'rmsprop'> = {
  run(assembly, p, inputs, outputs) {
    const { size, learningRate, weightDecay, alpha, eps, momentum, centered } = p
    const [gradient, norm] = inputs.slice(outputs.length)
    // a moment that is left out is neither read nor written: any address will do
    const all = ([parameter, square, ...rest]: readonly number[]) => [
      ...[parameter, square, centered ? rest[0] : square],
      momentum === 0 ? square : rest[centered ? 1 : 0],
    ]
    const operands = [...all(inputs.slice(0, outputs.length)), gradient, ...all(outputs)]
    const constants = [clipRoot(assembly, p, norm), weightDecay, learningRate, alpha, 1 - alpha, eps, momentum]
    assembly.inParts('rmsprop', [size, ...operands, ...constants, Number(centered)], byElement(operands.length))
  },
}
