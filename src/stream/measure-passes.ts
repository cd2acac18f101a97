/** Plans a step in several passes: the schedule of each, its places, and the store between them. */
import type { Device } from '../device/device.js'
import type { Graph } from '../step/again.js'
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
  const passes = scheduled.map(({ levels, schedules, lives }) => {
    const last = new Map(lives.map(({ value, death }) => [value, death]))
    return schedules.map((own, level) => {
      const { turns, stored } = onHost ? levels.withTransfers(level, own, (value) => last.get(value) ?? 0) : own
      return new Draft(device, levels.graph, { turns, copyOf: [] }, stored).pass(onHost ? 0 : layout.bytes)
    })
  })
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

/** The schedule of each pass, and the lives of what they store. */
function schedulesOf({ allocator }: Device, levels: Levels, dropped: ReadonlySet<number>) {
  const stored = levels.storedWithout(dropped)
  const schedules: LevelSchedule[] = []
  const last = new Map<number, number>()
  let trafficBytes = 0
  const costOf = (value: number): number => allocator.costOf(levels.graph.values[value].bytes)
  for (let level = 0; level < levels.count; level++) {
    const schedule = levels.schedule(level, stored)
    schedules.push(schedule)
    for (const value of schedule.stored) {
      last.set(value, level)
      trafficBytes += costOf(value)
    }
  }
  const lives = Array.from(
    last,
    ([value, death]): StoredLife => ({ value, bytes: costOf(value), birth: levels.births[value], death }),
  )
  return { schedules, lives, trafficBytes }
}
