/** What a few steps of training give, by name: to compare a mini-batch in pieces with the same in one piece. */
import * as assert from 'uvu/assert'
import { type Batch, type Loss, type Module, nn, type optim, Streamer, type StreamerOptions } from '../src/index.js'

export type Lesson = Map<string, readonly number[]>

export interface LessonOptions {
  loss: Loss
  optimizer(model: Module): optim.Optimizer
  /** default 2 */
  steps?: number
  store?: StreamerOptions['store']
}

/**
 * Losses and gradient norms of some steps, and after them gradients, parameters and buffers. Each step must peak as
 * planned, within the budget.
 */
export async function lesson(
  model: Module,
  batch: Batch,
  microBatch: number | 'fit',
  { loss, optimizer, steps = 2, store }: LessonOptions,
): Promise<Lesson> {
  const streamer = new Streamer({ model, loss, optimizer: optimizer(model), seed: 3, store })
  const seen = new Map<string, readonly number[]>()
  for (let i = 0; i < steps; i++) {
    const { loss, gradNorm, peakBytes, plannedPeakBytes } = await streamer.step(batch, { microBatch })
    assert.is(peakBytes, plannedPeakBytes)
    assert.ok(peakBytes <= model.device.memory.budgetBytes)
    seen.set(`loss ${i}`, [loss]).set(`gradient norm ${i}`, [gradNorm])
  }
  for (const [name, { grad }] of model.namedParameters()) {
    if (grad) seen.set(`gradient of ${name}`, [...(await grad.data())])
  }
  for (const [name, { data }] of Object.entries(await model.stateDict())) seen.set(name, [...data])
  return seen
}

/** The largest difference between two lessons, relative to the largest value of its tensor, or to `atLeast`. */
export function distance(seen: Lesson, wanted: Lesson, atLeast = 1): { of: number; at: string } {
  assert.equal([...seen.keys()], [...wanted.keys()])
  let most = { of: 0, at: '' }
  for (const [name, values] of wanted) {
    const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), atLeast)
    seen.get(name)?.forEach((value, i) => {
      const error = Math.abs(value - values[i]) / largest
      if (!(error <= most.of)) most = { of: error, at: `${name}[${i}]: ${value}, not ${values[i]}` }
    })
  }
  return most
}

/** @throws AssertionError  two lessons differ by more than this */
export function expectSame(seen: Lesson, wanted: Lesson, tolerance: number): void {
  const { of, at } = distance(seen, wanted)
  assert.ok(of <= tolerance, `${of} at ${at}`)
}

/** Random samples of this shape. */
export function samplesOf(count: number, shape: readonly number[], classes: number, seed = count): Batch {
  const random = nn.generator(seed)
  const size = shape.reduce((a, b) => a * b, count)
  return {
    inputs: { data: Float32Array.from({ length: size }, () => 2 * random() - 1), shape: [count, ...shape] },
    targets: { data: Int32Array.from({ length: count }, () => Math.floor(classes * random())), shape: [count] },
  }
}
