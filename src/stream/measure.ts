/** The step of a program in micro-batches of any size: recorded once for each size, and planned with any values dropped. */
import { TensorTooLargeError } from '../device/errors.js'
import { frontier, type Point } from '../step/frontier.js'
import { plan, planOf } from '../step/pass.js'
import { type Recording, rehearse } from '../step/record.js'
import { ShapeError } from '../tensor/errors.js'
import type { Kind } from './kind.js'
import { notesOf } from './notes.js'
import type { Measured, Passes } from './plan.js'
import type { Program } from './program.js'

/** The micro-batch size whose recording decides which values to drop: the choice hardly depends on the size. */
const SAMPLE = 8

/** Call `fn` with the first size of micro-batch that model and device take; null if they refuse every size that is tried. */
export function atOneSize<T>(batch: number, fn: (size: number) => T): T | null {
  for (const size of new Set([Math.min(batch, SAMPLE), batch, 1])) {
    try {
      return fn(size)
    } catch (error) {
      if (!(error instanceof ShapeError || error instanceof TensorTooLargeError)) throw error
    }
  }
  return null
}

interface Sized extends Pick<Measured, 'outputShape' | 'outputRows' | 'notes'> {
  recording: Recording
}

export class StepMeasure {
  readonly ends: Omit<Passes, 'parts'>
  readonly #sized = new Map<number, Sized>()
  readonly #points = new Map<string, readonly Point[]>()
  readonly #measured = new Map<ReadonlySet<number> | undefined, Map<number, Measured>>()

  constructor(
    readonly program: Program,
    readonly kind: Kind,
  ) {
    const { device } = program
    const { mode } = kind
    const reset = planOf(device, () => program.reset())
    this.ends =
      mode === 'train'
        ? {
            reset,
            ...(program.measuresNoise && { noise: planOf(device, () => program.measureNorm()) }),
            norm: planOf(device, () => program.end(1)),
            commit: planOf(device, () => program.commit()),
          }
        : { reset }
  }

  /**
   * What making values again offers, the fastest choice first. Empty if the model refuses every size that is tried.
   * @param mostTime  the largest `extraTime` that is wanted
   */
  points(batch: number, mostTime: number): readonly Point[] {
    return atOneSize(batch, (size) => this.#pointsOf(size, mostTime)) ?? []
  }

  #pointsOf(size: number, mostTime: number): readonly Point[] {
    const key = `${size} ${mostTime}`
    const points = this.#points.get(key) ?? frontier(this.program.device, this.#record(size).recording, mostTime)
    this.#points.set(key, points)
    return points
  }

  /** Measures steps in which these values are made again. */
  with(dropped?: ReadonlySet<number>): (size: number) => Measured {
    const known = this.#measured.get(dropped) ?? new Map<number, Measured>()
    this.#measured.set(dropped, known)
    return (size) => {
      const measured = known.get(size) ?? this.#measure(size, dropped)
      known.set(size, measured)
      return measured
    }
  }

  #measure(size: number, dropped?: ReadonlySet<number>): Measured {
    const { recording, ...output } = this.#record(size)
    const pass = plan(this.program.device, recording, dropped)
    const { reset, noise = reset, norm = reset, commit = reset } = this.ends
    const all = [pass, reset, noise, norm, commit]
    const { peakHeldBytes, peakOp, heldAtPeak, modulesAtPeak } = all.reduce((a, b) =>
      b.peakHeldBytes > a.peakHeldBytes ? b : a,
    )
    const peakBytes = Math.max(...all.map((each) => each.peakBytes))
    return { pass, peakBytes, peakHeldBytes, peakOp, heldAtPeak, modulesAtPeak, ...output }
  }

  #record(size: number): Sized {
    const known = this.#sized.get(size)
    if (known) return known
    const { program, kind } = this
    const recording = rehearse(program.device, () => program.rehearseMicroBatch(kind, size, size))
    const { outputs, model, optimizer } = program
    const notes = kind.mode === 'train' ? notesOf(model, optimizer) : []
    const sized = { recording, ...outputs, notes }
    this.#sized.set(size, sized)
    return sized
  }
}
