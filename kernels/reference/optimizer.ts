/**
 * Optimizer updates, formula for formula those of torch.optim. All of a parameter's state is read and written
 * element by element, so outputs may be the inputs. Not here: schedules and step counts, which come as numbers.
 */
import type { Floats, Kernels, Update } from '../kernels.js'

/** What every gradient is multiplied by so that the norm of all of them stays within maxNorm. */
function clipScale({ clip, maxNorm }: Update, squaredNorm: Floats): number {
  return clip ? Math.min(1, maxNorm / (Math.sqrt(squaredNorm[0]) + 1e-6)) : 1
}

/** parameter, velocity?, gradient, squaredNorm? -> parameter, velocity? */
export const sgd: Kernels['sgd'] = (p, inputs, outputs) => {
  if (p.momentum === 0) return plainSgd(p, inputs, outputs)
  const { size, learningRate, weightDecay, momentum, dampening, nesterov, first } = p
  const [parameter, velocity, gradient, squaredNorm] = inputs
  const [newParameter, newVelocity] = outputs
  const scale = clipScale(p, squaredNorm)
  for (let i = 0; i < size; i++) {
    const g = scale * gradient[i] + weightDecay * parameter[i]
    const v = first ? g : momentum * velocity[i] + (1 - dampening) * g
    newVelocity[i] = v
    newParameter[i] = parameter[i] - learningRate * (nesterov ? g + momentum * v : v)
  }
}

const plainSgd: Kernels['sgd'] = (p, [parameter, gradient, squaredNorm], [newParameter]) => {
  const { size, learningRate, weightDecay } = p
  const scale = clipScale(p, squaredNorm)
  for (let i = 0; i < size; i++) {
    newParameter[i] = parameter[i] - learningRate * (scale * gradient[i] + weightDecay * parameter[i])
  }
}

/** parameter, m, v, gradient, squaredNorm? -> parameter, m, v */
export const adam: Kernels['adam'] = (p, [parameter, m, v, gradient, squaredNorm], [newParameter, newM, newV]) => {
  const { size, learningRate, weightDecay, beta1, beta2, eps, correction1, correction2, decoupled } = p
  const scale = clipScale(p, squaredNorm)
  const shrink = decoupled ? 1 - learningRate * weightDecay : 1
  const coupledDecay = decoupled ? 0 : weightDecay
  const stepSize = learningRate / correction1
  const rootCorrection2 = Math.sqrt(correction2)
  for (let i = 0; i < size; i++) {
    const g = scale * gradient[i] + coupledDecay * parameter[i]
    const first = beta1 * m[i] + (1 - beta1) * g
    const second = beta2 * v[i] + (1 - beta2) * g * g
    newM[i] = first
    newV[i] = second
    newParameter[i] = shrink * parameter[i] - (stepSize * first) / (Math.sqrt(second) / rootCorrection2 + eps)
  }
}
