/** What the flags say of a model's sizes and of the samples that it learns from. */
import { MODELS, type ModelKind, type Sample, type SizeOption } from '../models/index.js'
import type { Shape } from '../tensor/shape.js'
import { KNOBS, type Knob, SIZES } from './flags.js'
import { choice, UsageError, whole } from './options.js'

/** Samples to plan for without data. */
export interface Made {
  readonly sample: Sample
  readonly inputShape: Shape
  readonly targetShape: Shape
  readonly classes: number
}

type Given = Partial<Record<string, string | boolean>>

/** @throws UsageError  the model has no such size */
export function sizesOf(model: string, given: Given): Readonly<Partial<Record<SizeOption, number>>> {
  const { takes } = MODELS[model]
  const sizes = SIZES.flatMap((name) => {
    const text = given[name]
    if (typeof text !== 'string') return []
    if (takes.includes(name)) return [[name, whole(`--${name}`, text, 1)]]
    const own = SIZES.filter((other) => takes.includes(other)).map((other) => `--${other}`)
    throw new UsageError(`--${name} is no size of ${model}, which has ${own.join(', ')}`)
  })
  return Object.fromEntries(sizes)
}

/**
 * The samples of a plan without data; null: those of --data.
 * @param form  the form of --data; the digits count as no data if a flag asks for other samples
 * @throws UsageError  a flag that does not fit the data or the model
 */
export function madeFor(model: string, given: Given, form: string): Made | null {
  const { samples }: ModelKind = MODELS[model]
  const number = (name: string, otherwise: number): number => {
    const text = given[name]
    return typeof text === 'string' ? whole(`--${name}`, text, 1) : otherwise
  }
  const flags = (['image', 'context', 'classes', 'vocabulary'] as const).filter((name) => given[name] !== undefined)
  const makes = form === 'digits' && (flags.length > 0 || !samples.includes('class'))
  if (!makes) {
    const stray = flags.find((name) => name === 'classes' || name === 'vocabulary')
    if (stray)
      throw new UsageError(`--${stray} is for a plan without data, and --data ${form} has its own: leave one out`)
    return null
  }
  const sample =
    samples.includes('tokens') && (given.image === undefined || samples.length === 1) ? 'tokens' : samples[0]
  const wrong = sample === 'tokens' ? ['image', 'classes'] : ['context', 'vocabulary']
  const stray = flags.find((name) => wrong.includes(name))
  if (stray) {
    const learns = sample === 'tokens' ? 'tokens' : 'images'
    throw new UsageError(`--${stray}: ${model} learns from ${learns}: leave it out`)
  }
  if (sample === 'tokens') {
    const context = number('context', 1024)
    return { sample, inputShape: [context], targetShape: [context], classes: number('vocabulary', 50257) }
  }
  if (given.image === undefined) {
    const what =
      given.classes === undefined
        ? `--model ${model} learns masks, and --data has none`
        : '--classes is for images without data'
    throw new UsageError(`${what}: say --image SIZE`)
  }
  const side = number('image', 1)
  const classes = number('classes', sample === 'mask' ? 1 : 1000)
  const targetShape = sample === 'mask' ? [classes, side, side] : []
  return { sample, inputShape: [3, side, side], targetShape, classes }
}

/** The knobs that a model with such samples has. */
export function knobsOf(model: string, sample: Sample): readonly Knob[] {
  const own: readonly string[] = [...MODELS[model].takes, 'batch', sample === 'tokens' ? 'context' : 'image']
  return KNOBS.filter((knob) => own.includes(knob))
}

/** @throws UsageError  the model has no such knob */
export function knobOf(text: string, model: string, sample: Sample): Knob {
  const knob = choice('--largest', text, KNOBS)
  const known = knobsOf(model, sample)
  if (known.includes(knob)) return knob
  throw new UsageError(`--largest ${knob}: ${model} has none; say ${known.join(', ')}`)
}
