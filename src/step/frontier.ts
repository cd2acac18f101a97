/**
 * Which values to drop and make again: from nothing, which takes the most bytes and the least time, to the least bytes that
 * can be reached.
 *
 * Note [Greedy by excess]
 *   For a target of bytes, values are dropped one after the other until no turn holds more. The next is the one that brings
 *   down the excess (the bytes above the target, summed over all turns: the peak alone has plateaus) by the most for each
 *   second that it costs. Then repair: what can be kept after all is kept, the dearest first. The targets come down in steps,
 *   each from the result of the one before.
 */
import type { Device } from '../device/device.js'
import { Graph } from './again.js'
import { timeOf } from './cost.js'
import type { Recording } from './record.js'

/** What can be had: these values dropped, at most so many bytes at once, so much more time. */
export interface Point {
  readonly dropped: ReadonlySet<number>
  readonly bytes: number
  /** the time that making again takes, as a share of the step without it */
  readonly extraTime: number
}

const TARGETS = 32
/** Values of values that are made again may be made again, and so on: a plan with so many times the work is given up. */
const MOST_TIMES = 4

/** The frontier of a recording on a device. */
export function pointsOf({ allocator }: Device, recording: Recording): Point[] {
  return frontier(new Graph(recording.instructions, recording.values, recording), (bytes) => allocator.costOf(bytes))
}

/** The points of which no other has both fewer bytes and less time, the fastest first. */
export function frontier(graph: Graph, costOf: (bytes: number) => number): Point[] {
  const simulate = simulator(graph, costOf)
  const never = simulate(new Set())
  const points: Point[] = [{ dropped: new Set(), bytes: never.peak, extraTime: 0 }]
  const candidates = graph.droppable
  const scores = new Map(candidates.map((value) => [value, Infinity]))
  let dropped: ReadonlySet<number> = new Set()
  for (let step = 1; step < TARGETS; step++) {
    const target = never.peak * (1 - step / TARGETS)
    const found = reach(target, dropped, candidates, scores, simulate)
    dropped = repair(target, found, (value) => timeOf(graph.instructions[graph.maker[value]]), simulate)
    const { peak, time } = simulate(dropped)
    points.push({ dropped, bytes: peak, extraTime: time / never.time - 1 })
    if (peak > target) break
  }
  return points.filter(
    (point) => !points.some((other) => other.bytes < point.bytes && other.extraTime <= point.extraTime),
  )
}

interface Outcome {
  readonly time: number
  readonly peak: number
  /** the bytes above a target, summed over the turns */
  excess(target: number): number
}

type Simulate = (dropped: ReadonlySet<number>) => Outcome

function reach(
  target: number,
  from: ReadonlySet<number>,
  candidates: readonly number[],
  scores: Map<number, number>,
  simulate: Simulate,
): Set<number> {
  const dropped = new Set(from)
  let now = simulate(dropped)
  let stale = true
  while (now.peak > target) {
    const waiting = candidates.filter((value) => !dropped.has(value)).sort((a, b) => scoreOf(b) - scoreOf(a))
    let best: { value: number; outcome: Outcome; score: number } | null = null
    for (const value of waiting) {
      // scores only fall as values are dropped, nearly always: the rest need not be looked at
      if (best && scoreOf(value) <= best.score) break
      const outcome = simulate(new Set([...dropped, value]))
      const score = (now.excess(target) - outcome.excess(target)) / Math.max(outcome.time - now.time, Number.MIN_VALUE)
      scores.set(value, score)
      if (score > 0 && (!best || score > best.score)) best = { value, outcome, score }
    }
    if (!best && !stale) break
    if (!best) {
      // what was worth nothing may be worth something now
      for (const value of candidates) scores.set(value, Infinity)
      stale = false
      continue
    }
    stale = true
    dropped.add(best.value)
    now = best.outcome
  }
  return dropped

  function scoreOf(value: number): number {
    return scores.get(value) ?? 0
  }
}

/** Keep again what the target allows, the dearest first. */
function repair(
  target: number,
  found: ReadonlySet<number>,
  timeToMake: (value: number) => number,
  simulate: Simulate,
): ReadonlySet<number> {
  let dropped: ReadonlySet<number> = found
  let now = simulate(dropped)
  const limit = Math.max(target, now.peak)
  const without = (value: number): { rest: Set<number>; outcome: Outcome } => {
    const rest = new Set(dropped)
    rest.delete(value)
    return { rest, outcome: simulate(rest) }
  }
  const dearest = [...dropped].sort((a, b) => timeToMake(b) - timeToMake(a))
  for (const value of dearest) {
    const { rest, outcome } = without(value)
    if (outcome.peak > limit || outcome.time >= now.time) continue
    dropped = rest
    now = outcome
  }
  return dropped
}

function simulator(graph: Graph, costOf: (bytes: number) => number): Simulate {
  const times = Float64Array.from(graph.instructions, timeOf)
  const bytes = Float64Array.from(graph.values, (value) => costOf(value.bytes))
  const most = MOST_TIMES * graph.instructions.length
  return (dropped) => {
    const { turns, copyOf } = graph.schedule(dropped)
    if (turns.length > most) return { time: Infinity, peak: Infinity, excess: () => Infinity }
    const count = graph.values.length + copyOf.length
    const births = new Int32Array(count).fill(-1)
    const deaths = new Int32Array(count)
    let time = 0
    for (let i = 0; i < turns.length; i++) {
      const { instruction, operands } = turns[i]
      time += times[instruction]
      for (let j = 0; j < operands.length; j++) {
        const value = operands[j]
        if (value < 0) continue
        if (births[value] < 0) births[value] = i
        deaths[value] = i
      }
    }
    const changes = new Float64Array(turns.length + 1)
    for (let value = 0; value < count; value++) {
      if (births[value] < 0) continue
      const original = value < graph.values.length ? value : copyOf[value - graph.values.length]
      changes[births[value]] += bytes[original]
      const lasts = value === original && graph.values[value].references > 0
      changes[lasts ? turns.length : deaths[value] + 1] -= bytes[original]
    }
    const held = new Float64Array(turns.length)
    let alive = 0
    let peak = 0
    for (let i = 0; i < turns.length; i++) {
      alive += changes[i]
      held[i] = alive
      if (alive > peak) peak = alive
    }
    return {
      time,
      peak,
      excess: (target) => held.reduce((sum, each) => (each > target ? sum + each - target : sum), 0),
    }
  }
}
