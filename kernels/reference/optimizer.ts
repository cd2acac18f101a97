/**
 * Optimizer updates, with the formulas of torch.optim. All state of a parameter is read and written element by element,
 * so an output can be an input. Not here: schedules and step counts, which are passed as numbers.
 */
import type { Floats, Kernels, UpdateParameters } from '../kernels.js'

/** The smallest scale of a norm: float32's smallest number of full precision. */
const LEAST_SCALE = 2 ** -126

/** Squares are taken relative to the largest value so far, so that none over- or underflows: LAPACK's dnrm2. */
export const gradientNorm: Kernels['gradientNorm'] = ({ sizes }, gradients, [norm]) => {
  let scale = LEAST_SCALE
  let sum = 0
  for (const [j, size] of sizes.entries()) {
    for (let i = 0; i < size; i++) {
      const value = Math.abs(gradients[j][i])
      if (value > scale) {
        sum = 1 + sum * (scale / value) ** 2
        scale = value
      } else sum += (value / scale) ** 2
    }
  }
  norm[0] = scale
  norm[1] = Math.sqrt(sum)
}

/**
 * The root of min(1, maxNorm / (norm + 1e-6)): gradients are multiplied by it twice, because for a large gradient the
 * factor itself may be too small for an element.
 */
function clipRoot({ clip, maxNorm }: UpdateParameters, norm: Floats): number {
  if (!clip) return 1
  const [scale, ratio] = norm
  return Math.min(1, Math.sqrt(maxNorm / (ratio + 1e-6 / scale)) / Math.sqrt(scale))
}

/** parameter, velocity?, gradient, norm? -> parameter, velocity? */
export const sgd: Kernels['sgd'] = (p, inputs, outputs) => {
  if (p.momentum === 0) return plainSgd(p, inputs, outputs)
  const { size, learningRate, weightDecay, momentum, dampening, nesterov, first } = p
  const [parameter, velocity, gradient, norm] = inputs
  const [newParameter, newVelocity] = outputs
  const root = clipRoot(p, norm)
  for (let i = 0; i < size; i++) {
    const g = root * (root * gradient[i]) + weightDecay * parameter[i]
    const v = first ? g : momentum * velocity[i] + (1 - dampening) * g
    newVelocity[i] = v
    newParameter[i] = parameter[i] - learningRate * (nesterov ? g + momentum * v : v)
  }
}

const plainSgd: Kernels['sgd'] = (p, [parameter, gradient, norm], [newParameter]) => {
  const { size, learningRate, weightDecay } = p
  const root = clipRoot(p, norm)
  for (let i = 0; i < size; i++) {
    newParameter[i] = parameter[i] - learningRate * (root * (root * gradient[i]) + weightDecay * parameter[i])
  }
}

/** parameter, m, v, gradient, norm? -> parameter, m, v */
export const adam: Kernels['adam'] = (p, [parameter, m, v, gradient, norm], [newParameter, newM, newV]) => {
  const { size, learningRate, weightDecay, beta1, beta2, eps, correction1, correction2, decoupled } = p
  const root = clipRoot(p, norm)
  const shrink = decoupled ? 1 - learningRate * weightDecay : 1
  const coupledDecay = decoupled ? 0 : weightDecay
  const stepSize = learningRate / correction1
  const rootCorrection2 = Math.sqrt(correction2)
  for (let i = 0; i < size; i++) {
    const g = root * (root * gradient[i]) + coupledDecay * parameter[i]
    const first = beta1 * m[i] + (1 - beta1) * g
    const second = beta2 * v[i] + (1 - beta2) * g * g
    newM[i] = first
    newV[i] = second
    newParameter[i] = shrink * parameter[i] - (stepSize * first) / (Math.sqrt(second) / rootCorrection2 + eps)
  }
}

/** parameter, square, mean?, velocity?, gradient, norm? -> parameter, square, mean?, velocity? */
export const rmsprop: Kernels['rmsprop'] = (p, inputs, outputs) => {
  const { size, learningRate, weightDecay, alpha, eps, momentum, centered } = p
  const moments = rmspropMoments(p, inputs)
  const [parameter, square] = inputs
  const [gradient, norm] = inputs.slice(outputs.length)
  const [newParameter, newSquare] = outputs
  const moved = rmspropMoments(p, outputs)
  const root = clipRoot(p, norm)
  for (let i = 0; i < size; i++) {
    const g = root * (root * gradient[i]) + weightDecay * parameter[i]
    const second = alpha * square[i] + (1 - alpha) * g * g
    const first = centered ? alpha * moments.mean[i] + (1 - alpha) * g : 0
    const step = g / (Math.sqrt(Math.max(0, second - first * first)) + eps)
    const velocity = momentum === 0 ? step : momentum * moments.velocity[i] + step
    newSquare[i] = second
    if (centered) moved.mean[i] = first
    if (momentum !== 0) moved.velocity[i] = velocity
    newParameter[i] = parameter[i] - learningRate * velocity
  }
}

const rmspropMoments = ({ centered }: { centered: boolean }, operands: readonly Floats[]) =>
  centered ? { mean: operands[2], velocity: operands[3] } : { mean: operands[1], velocity: operands[2] }
