/** Learning rates that change: plain functions of the number of updates made so far, 0 for the first. */
import { checkArgument, either, FUNCTION, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'

/** A learning rate: a number, or a schedule. */
export const RATE = either(NUMBER, { ...FUNCTION, told: 'a function of the step' })
const STEP_DECAY = optionsOf({ learningRate: NUMBER, every: NUMBER, factor: NUMBER }, ['learningRate', 'every'])
const COSINE = optionsOf({ learningRate: NUMBER, steps: NUMBER, floor: NUMBER }, ['learningRate', 'steps'])

/** @param step  updates made so far */
export type Schedule = (step: number) => number

/** The same rate at every step. */
export function constant(learningRate: number): Schedule {
  checkAtLeast('constant', 'learningRate', learningRate, 0)
  return () => learningRate
}

/** learningRate factor^floor(step / every): PyTorch's StepLR. */
export function stepDecay(options: { learningRate: number; every: number; factor?: number }): Schedule {
  checkArgument('stepDecay', 'options', options, STEP_DECAY)
  const { learningRate, every, factor = 0.1 } = options
  checkAtLeast('stepDecay', 'learningRate', learningRate, 0)
  checkCount('stepDecay', 'every', every)
  checkAtLeast('stepDecay', 'factor', factor, 0)
  return (step) => learningRate * factor ** Math.floor(step / every)
}

/**
 * floor + (learningRate - floor) (1 + cos(pi step / steps)) / 2 up to `steps`, and `floor` from there on. PyTorch's
 * CosineAnnealingLR rises again after that; this schedule does not.
 */
export function cosine(options: { learningRate: number; steps: number; floor?: number }): Schedule {
  checkArgument('cosine', 'options', options, COSINE)
  const { learningRate, steps, floor = 0 } = options
  checkAtLeast('cosine', 'learningRate', learningRate, 0)
  checkCount('cosine', 'steps', steps)
  checkAtLeast('cosine', 'floor', floor, 0)
  return (step) => floor + ((learningRate - floor) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))) / 2
}

/**
 * A linear rise to the first rate of `then`: (step + 1) / steps of it for the first `steps` updates. After that `then`,
 * from its own step 0.
 */
export function warmUp(steps: number, then: number | Schedule): Schedule {
  checkCount('warmUp', 'steps', steps)
  checkArgument('warmUp', 'then', then, RATE)
  const schedule = asSchedule(then)
  return (step) => (step < steps ? (schedule(0) * (step + 1)) / steps : schedule(step - steps))
}

/** A number is a constant schedule. */
export const asSchedule = (rate: number | Schedule): Schedule => (typeof rate === 'number' ? constant(rate) : rate)

/** @throws ArgumentError  not a finite number of at least `least` */
export function checkAtLeast(op: string, name: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least) return
  throw new ArgumentError(`${op}: ${name} is ${showValue(value)}; it must be a finite number, ${least} or more`)
}

/** The eps of an optimizer that divides by the size of a gradient. @throws ArgumentError  not a finite number above 0 */
export function checkEps(op: string, eps: number): void {
  checkAtLeast(op, 'eps', eps, 0)
  if (eps > 0) return
  throw new ArgumentError(`${op}: eps is 0; it must be above 0, or a gradient of 0 makes its parameter NaN (0 / 0)`)
}

function checkCount(op: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return
  throw new ArgumentError(`${op}: ${name} is ${showValue(value)}; it must be a whole number, 1 or more`)
}
