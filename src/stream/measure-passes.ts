/** Plans a step in several passes: the schedule of each, its places, and the store between them. */
import type { Device } from '../device/device.js'
import type { Graph } from '../step/again.js'
import { Stretches } from '../step/kept.js'
import type { LevelSchedule, Levels } from '../step/levels.js'
import { Draft, plan } from '../step/pass.js'
import { type StoredLife, StoreLayout } from '../step/store.js'
import type { Measured } from './plan.js'

/** Where the store is. */
export interface StorePlace {
  /** outside the device? */
  readonly onHost: boolean
  /** with a budget of its own? */
  readonly hasBudget: boolean
}

/** The micro-batches of one size. */
interface SizedPart {
  readonly count: number
  readonly levels: Levels
}

/**
 * @param parts    the micro-batches of each size
 * @param dropped  the values that are not stored
 * @param joint    the loss of all outputs together, and the bytes of the host that it takes; null: a loss for each micro-batch
 */
export function planPasses(
  device: Device,
  parts: readonly SizedPart[],
  dropped: ReadonlySet<number>,
  { onHost, hasBudget }: StorePlace,
  joint: { readonly graph: Graph; readonly bytes: number } | null,
): Pick<Measured, 'passes' | 'store' | 'joint' | 'waitingBytes' | 'besideBytes'> {
  const scheduled = parts.map(({ count, levels }) => ({ count, levels, ...schedulesOf(device, levels, dropped) }))
  const layout = new StoreLayout(scheduled)
  const passes = scheduled.map(({ levels, schedules, lives }) =>
    schedules.map((own, level) => {
      const later = new Set(
        lives.flatMap(({ value, birth, death }) => (birth <= level && level < death ? [value] : [])),
      )
      const { turns, stored } = onHost ? levels.withTransfers(own, (value) => later.has(value)) : own
      return new Draft(device, levels.graph, { turns, copyOf: [] }, stored).pass(onHost ? 0 : layout.bytes)
    }),
  )
  const trafficBytes = scheduled.reduce((sum, part) => sum + part.count * part.trafficBytes, 0)
  const { bytes } = layout
  const [{ levels }] = parts
  return {
    passes,
    store: bytes > 0 ? { layout, bytes, onHost, trafficBytes } : null,
    joint: joint && { pass: plan(device, joint.graph, undefined, onHost ? 0 : bytes), after: levels.sending },
    waitingBytes: bytes + (joint?.bytes ?? 0),
    besideBytes: hasBudget ? 0 : (onHost ? bytes : 0) + (joint?.bytes ?? 0),
  }
}

/** The schedule of each pass, and the lives of the stored values. */
function schedulesOf({ allocator }: Device, levels: Levels, dropped: ReadonlySet<number>) {
  const kept = levels.keptWithout((choice) => dropped.has(choice))
  const schedules: LevelSchedule[] = []
  const stretches = new Stretches()
  let trafficBytes = 0
  const costOf = (value: number): number => allocator.costOf(levels.graph.values[value].bytes)
  for (let level = 0; level < levels.count; level++) {
    const schedule = levels.schedule(level, kept)
    schedules.push(schedule)
    for (const value of schedule.stored) {
      stretches.touch(value, level, schedule.begun.has(value))
      trafficBytes += costOf(value)
    }
  }
  const lives = stretches.all.map((stretch): StoredLife => ({ ...stretch, bytes: costOf(stretch.value) }))
  return { schedules, lives, trafficBytes }
}
