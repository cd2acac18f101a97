/** The learning rate of a run, as the flags describe it. */
import { constant, cosine, type Schedule, stepDecay, warmUp } from '../optim/index.js'

export const SCHEDULES = ['cosine', 'constant', 'step'] as const

interface Rate {
  learningRate: number
  schedule: (typeof SCHEDULES)[number]
  warmUpSteps: number
}

/** The learning rate of the whole run: warm-up, then the `--schedule` over the steps that remain. */
export function scheduleOf({ learningRate, schedule, warmUpSteps }: Rate, total: number): Schedule {
  const steps = Math.max(1, total - warmUpSteps)
  const schedules = {
    cosine: () => cosine({ learningRate, steps }),
    constant: () => constant(learningRate),
    step: () => stepDecay({ learningRate, every: Math.ceil(steps / 3) }),
  }
  const after = schedules[schedule]()
  return warmUpSteps > 0 ? warmUp(warmUpSteps, after) : after
}
