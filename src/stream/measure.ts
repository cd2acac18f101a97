/** The step of a program in micro-batches of any size: recorded once for each size, and planned with any values dropped. */
import { TensorTooLargeError } from '../device/errors.js'
import type { Graph } from '../step/again.js'
import { frontier } from '../step/frontier.js'
import { NO_PROGRESS, type Point, type Progress } from '../step/greedy.js'
import { hasBarriers, Levels } from '../step/levels.js'
import { graphOf, type Pass, plan, planOf } from '../step/pass.js'
import { rehearse } from '../step/record.js'
import { storeChoices } from '../step/stores.js'
import { ShapeError } from '../tensor/errors.js'
import { checkDivides } from './divides.js'
import { type Kind, trains } from './kind.js'
import { planPasses, type StorePlace } from './measure-passes.js'
import { notesOf } from './notes.js'
import { balanced, type Measured, type Passes } from './plan.js'
import type { Program } from './program.js'
import { Recent } from './recent.js'

/** The micro-batch size whose recording decides which values to drop: the choice hardly depends on the size. */
const SAMPLE = 8

/**
 * How many recordings, and how many choices of dropped values, are remembered: a recording of a deep network takes
 * megabytes.
 */
const RECORDED = 16
const CHOICES = 4

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
  graph: Graph
  /** null: there is one pass */
  levels: Levels | null
}

/** Other machines run the micro-batches. */
const NO_MICRO_BATCH = { passes: [], store: null, joint: null, waitingBytes: 0, besideBytes: 0 }

/** The values to drop; undefined: none, or the late ones if that takes fewer bytes, as in step/pass.ts. */
type Dropped = ReadonlySet<number> | undefined

export class StepMeasure {
  readonly ends: Omit<Passes, 'parts' | 'store' | 'joint'>
  readonly #sized = new Recent<Sized>(RECORDED)
  readonly #joints = new Map<number, Graph>()
  readonly #progress = new Map<number, Progress>()
  readonly #points = new Map<string, readonly Point[]>()
  readonly #measured = new Map<Dropped, Map<string, Measured>>()

  constructor(
    readonly program: Program,
    readonly kind: Kind,
    readonly storePlace: StorePlace,
  ) {
    const { device } = program
    const { mode } = kind
    const reset = planOf(device, () => program.reset())
    this.ends =
      mode === 'train' || mode === 'sum'
        ? {
            reset,
            ...(program.measuresNoise && { noise: planOf(device, () => program.measurePart()) }),
            norm: planOf(device, () => program.end(1)),
            commit: planOf(device, () => program.commit()),
          }
        : { reset }
  }

  /**
   * The choices of values to make again for a step in one pass, the fastest first. Empty if the model refuses every size
   * that is tried.
   * @param mostTime  the largest `extraTime` that is wanted
   */
  points(batch: number, mostTime: number): readonly Point[] {
    return (
      atOneSize(batch, (size) =>
        this.#known(`${size} ${mostTime}`, () =>
          frontier(this.program.device, this.#record(size, size).graph, mostTime, this.#progressOf(size)),
        ),
      ) ?? []
    )
  }

  /**
   * The choices of stored values for a step in several passes, the fastest first; micro-batches are smaller than the
   * mini-batch.
   */
  storePoints(batch: number): readonly Point[] {
    const { allocator } = this.program.device
    return (
      atOneSize(batch - 1, (size) =>
        this.#known(`store ${size}`, () => {
          const { levels } = this.#record(size, batch)
          return levels ? storeChoices(levels, (bytes) => allocator.costOf(bytes), Infinity) : []
        }),
      ) ?? []
    )
  }

  /** Does this mini-batch, once it is split, run in several passes? */
  hasPasses(batch: number): boolean {
    return batch > 1 && (atOneSize(batch - 1, (size) => this.#record(size, batch).levels !== null) ?? false)
  }

  /** The output of a micro-batch, without a plan. */
  outputOf(size: number, batch: number): Pick<Measured, 'outputShape' | 'outputRows'> {
    return this.#record(size, batch)
  }

  /**
   * Measures steps in which these values are dropped.
   * @param batch  samples in the mini-batch
   */
  with(batch: number, dropped: Dropped): (size: number) => Measured {
    const known = this.#measured.get(dropped) ?? new Map<string, Measured>()
    this.#measured.delete(dropped)
    this.#measured.set(dropped, known)
    for (const oldest of this.#measured.keys()) if (this.#measured.size > CHOICES) this.#measured.delete(oldest)
    return (size) => {
      const sized = this.#record(size, batch)
      const isAlone = sized.levels === null && !this.program.isCoupled
      const key = isAlone ? `${size}` : `${size} of ${batch}`
      const measured = known.get(key) ?? this.#measure(sized, size, batch, dropped)
      known.set(key, measured)
      return measured
    }
  }

  #progressOf(size: number): Progress {
    const known = this.#progress.get(size) ?? NO_PROGRESS()
    this.#progress.set(size, known)
    return known
  }

  #known(key: string, make: () => readonly Point[]): readonly Point[] {
    const points = this.#points.get(key) ?? make()
    this.#points.set(key, points)
    return points
  }

  #measure({ graph, levels, ...output }: Sized, size: number, batch: number, dropped: Dropped): Measured {
    const planned =
      this.kind.mode === 'sum'
        ? NO_MICRO_BATCH
        : levels
          ? this.#planPasses(size, batch, dropped)
          : this.#planPass(graph, size, batch, dropped)
    const { reset, noise = reset, norm = reset, commit = reset } = this.ends
    const { pass: joint = reset } = planned.joint ?? {}
    const all: readonly Pass[] = [...planned.passes.flat(), joint, reset, noise, norm, commit]
    const { peakHeldBytes, peakOp, heldAtPeak, modulesAtPeak } = all.reduce((a, b) =>
      b.peakHeldBytes > a.peakHeldBytes ? b : a,
    )
    return {
      ...planned,
      get peakBytes() {
        return Math.max(...all.map((each) => each.peakBytes))
      },
      peakHeldBytes,
      peakOp,
      heldAtPeak,
      modulesAtPeak,
      ...output,
    }
  }

  #planPass(graph: Graph, size: number, batch: number, dropped: Dropped) {
    const { device } = this.program
    const passes = [[plan(device, graph, dropped)]]
    // an evaluation sends outputs, but gets nothing back
    const joint = this.#jointOf(size, batch)
    const { bytes = 0 } = joint ?? {}
    return {
      passes,
      store: null,
      joint: joint && { pass: plan(device, joint.graph), after: 0 },
      waitingBytes: bytes,
      besideBytes: this.storePlace.hasBudget ? 0 : bytes,
    }
  }

  #planPasses(cap: number, batch: number, dropped: Dropped) {
    const { device } = this.program
    const parts = balanced(batch, cap).map(({ size, count }) => {
      const { graph, levels } = this.#record(size, batch)
      return { count, levels: levels ?? new Levels(graph) }
    })
    return planPasses(device, parts, dropped ?? new Set(), this.storePlace, this.#jointOf(cap, batch))
  }

  #jointOf(size: number, batch: number) {
    const { program, kind } = this
    if (!program.isCoupled || kind.mode === 'predict' || size >= batch) return null
    const outputs = this.#record(size, batch)
    const known = this.#joints.get(batch) ?? this.#graphOf(() => program.jointLoss(kind, outputs, batch, null))
    this.#joints.set(batch, known)
    return { graph: known, bytes: program.joint.bytesOf(outputs, batch) }
  }

  #record(size: number, batch: number): Sized {
    const key = size < batch ? `${size}, a part` : `${size}`
    const known = this.#sized.get(key)
    if (known) return known
    const { program, kind } = this
    const graph = this.#graphOf(() => program.rehearseMicroBatch(kind, size, Math.max(size, batch)))
    const { outputs, model, optimizer } = program
    if (kind.mode === 'gradient' || kind.mode === 'sum') checkDivides(program)
    const notes = trains(kind.mode) ? notesOf(model, optimizer) : []
    const sized = { graph, levels: hasBarriers(graph) ? new Levels(graph) : null, ...outputs, notes }
    this.#sized.set(key, sized)
    return sized
  }

  #graphOf(fn: () => unknown): Graph {
    const { device } = this.program
    return graphOf(device, rehearse(device, fn))
  }
}
