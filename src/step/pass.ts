/**
 * When and where each value of a recording lives: from its first use to its last, at a place that is found before
 * anything runs. So the peak, and the bytes held at every moment, are known exactly.
 */

import type { Device } from '../device/device.js'
import type { Planned } from '../device/instruction.js'
import type { BytesByCategory, Category } from '../memory/allocator.js'
import { checkArgument, FUNCTION } from '../memory/arguments.js'
import { type Life, mostAlive } from '../memory/arrange.js'
import type { TimelinePoint } from '../memory/timeline.js'
import { DEVICE } from '../tensor/kinds.js'
import { Graph, type Schedule, type Turn } from './again.js'
import { type Recording, rehearse } from './record.js'

/** The life of a value. */
export interface ValueLife extends Life {
  /** its number in the recording */
  readonly value: number
  readonly category: Category
  /** the op of the instruction for which it is born, and the module of that op: see Instruction */
  readonly op: string
  readonly module: string
}

/** The schedule of a recording, with the lives and places of its values. */
export interface Pass extends Schedule {
  readonly instructions: readonly Planned[]
  /** the values that each instruction touches, in the order reads, writes, workspaces; -1 for standing memory */
  readonly operands: readonly (readonly number[])[]
  readonly lives: readonly ValueLife[]
  /** the address of each life, or null on a device whose blocks have no addresses to choose from */
  readonly addresses: readonly number[] | null
  /** for each turn, the numbers of the lives that begin with it, and of those that end with it */
  readonly births: readonly (readonly number[])[]
  readonly deaths: readonly (readonly number[])[]
  /** values that have no life here, because they have their places in the store */
  readonly stored: readonly number[]
  /** where the store begins; null: there is none on the device */
  readonly storeAddress: number | null
  /** Note [Peak] in memory/allocator.ts */
  readonly peakBytes: number
  readonly peakHeldBytes: number
  /** the op at the peak of held bytes, and the bytes held there */
  readonly peakOp: string
  readonly heldAtPeak: BytesByCategory
  /** the bytes of each module's values there, the largest first; standing tensors are not counted */
  readonly modulesAtPeak: readonly ModuleBytes[]
}

/** The bytes of the values of a module: see Instruction. */
export interface ModuleBytes {
  readonly module: string
  readonly bytes: number
}

/** The first and the last turn that touches each value. */
function touchesOf(turns: readonly Turn[], count: number) {
  const births = new Int32Array(count).fill(-1)
  const deaths = new Int32Array(count)
  turns.forEach(({ operands }, i) => {
    for (const value of operands) {
      if (value < 0) continue
      if (births[value] < 0) births[value] = i
      deaths[value] = i
    }
  })
  return { births, deaths }
}

/** The schedule in which a value that takes the place of another goes by the other's number: Note [One place for two]. */
function sharing(graph: Graph, { turns, copyOf }: Schedule, settled: ReadonlySet<number>): Schedule {
  const count = graph.values.length + copyOf.length
  const { births, deaths } = touchesOf(turns, count)
  const shared = Array.from({ length: count }, (_, value) => value)
  turns.forEach(({ instruction, operands, transfer }, i) => {
    if (transfer) return
    const value = graph.predecessor(instruction, operands, 0, i, births, deaths, settled)
    if (value >= 0) shared[operands[graph.instructions[instruction].reads.length]] = shared[value]
  })
  const renamed = turns.map((turn) => {
    if (turn.operands.every((value) => value < 0 || shared[value] === value)) return turn
    return { ...turn, operands: turn.operands.map((value) => shared[value] ?? value) }
  })
  return { turns: renamed, copyOf }
}

/** The life of every value, from the first turn that touches it to the last. A result that is still held lives on. */
function livesOf(
  { values, instructions }: Graph,
  { turns, copyOf }: Schedule,
  costOf: (bytes: number) => number,
  settled: ReadonlySet<number>,
) {
  const count = values.length + copyOf.length
  const { births, deaths } = touchesOf(turns, count)
  const lives: ValueLife[] = []
  for (let value = 0; value < count; value++) {
    const birth = births[value]
    if (birth < 0 || settled.has(value)) continue
    const { bytes, category, references } = values[copyOf[value - values.length] ?? value]
    const death = references > 0 && value < values.length ? Infinity : deaths[value]
    const { op, module } = instructions[turns[birth].instruction]
    lives.push({ value, bytes: costOf(bytes), birth, death, category, op, module })
  }
  return lives
}

const NOTHING: ReadonlySet<number> = new Set()

/** The instructions of a recording as plans keep them, without the functions that perform them. */
export const graphOf = ({ aliases }: Device, recording: Recording): Graph =>
  new Graph(
    recording.instructions.map(({ perform, ...rest }) => rest),
    recording.values,
    recording,
    aliases,
  )

/**
 * Find places for the values of a recording, beside the blocks that the device holds now. Allocates nothing.
 * @param dropped     the values that are made again for the backward: see again.ts; default none
 * @param storeBytes  the bytes of a store that is held meanwhile
 */
export function plan(device: Device, graph: Graph, dropped?: ReadonlySet<number>, storeBytes = 0): Pass {
  // masks take the same time whether they are made late or not
  const choices = dropped ? [dropped] : graph.late.size > 0 ? [NOTHING, graph.late] : [NOTHING]
  return choices
    .map((values) => new Draft(device, graph, graph.schedule(values)))
    .reduce((a, b) => (b.most.bytes < a.most.bytes ? b : a))
    .pass(storeBytes)
}

/** `make`, called when its result is first asked for. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** For each turn, the numbers of the lives that begin with it, and of those that end with it. */
function endsOf(lives: readonly ValueLife[], turns: number): Pick<Pass, 'births' | 'deaths'> {
  const births: number[][] = Array.from({ length: turns }, () => [])
  const deaths: number[][] = Array.from({ length: turns }, () => [])
  lives.forEach(({ birth, death }, i) => {
    births[birth].push(i)
    if (death < Infinity) deaths[death].push(i)
  })
  return { births, deaths }
}

/** A schedule with the lives of its values, before they have places. */
export class Draft {
  readonly most: { readonly bytes: number; readonly at: number }
  readonly #schedule: Schedule
  readonly #lives: readonly ValueLife[]

  /** @param stored  values that have their places in the store */
  constructor(
    readonly device: Device,
    readonly graph: Graph,
    schedule: Schedule,
    readonly stored: readonly number[] = [],
  ) {
    const { allocator } = device
    const settled = new Set(stored)
    this.#schedule = sharing(graph, schedule, settled)
    this.#lives = livesOf(graph, this.#schedule, (bytes) => allocator.costOf(bytes), settled)
    this.most = mostAlive(this.#lives)
  }

  /**
   * The places are found when they are asked for, beside the blocks that the device holds then. A search for places takes
   * most of the time of a plan, and most drafts are only compared by the bytes that live at once.
   * @param storeBytes  the bytes of a store that is held meanwhile
   */
  pass(storeBytes = 0): Pass {
    const { most, stored } = this
    const { instructions, operands } = this.graph
    const { allocator } = this.device
    const schedule = this.#schedule
    const lives = this.#lives
    const arranged = once(() => allocator.arrange(lives, storeBytes))
    const ends = once(() => endsOf(lives, schedule.turns.length))
    const { held, heldBytes, unusableBytes } = allocator.stats()
    // a plan is for any budget, so it leaves out the part of this budget that no block can use
    const heldAtPeak = { ...held, runtime: held.runtime - unusableBytes, store: held.store + storeBytes }
    const byModule = new Map<string, number>()
    for (const { birth, death, category, bytes, module } of lives) {
      if (birth > most.at || most.at > death) continue
      heldAtPeak[category] += bytes
      byModule.set(module, (byModule.get(module) ?? 0) + bytes)
    }
    return {
      ...schedule,
      instructions,
      operands,
      lives,
      stored,
      get storeAddress() {
        return storeBytes > 0 ? (arranged().besideAddress ?? null) : null
      },
      get addresses() {
        return arranged().addresses
      },
      get births() {
        return ends().births
      },
      get deaths() {
        return ends().deaths
      },
      get peakBytes() {
        return arranged().peakBytes
      },
      peakHeldBytes: heldBytes - unusableBytes + storeBytes + most.bytes,
      peakOp: most.bytes > 0 ? instructions[schedule.turns[most.at].instruction].op : 'standing tensors',
      heldAtPeak,
      modulesAtPeak: Array.from(byModule, ([module, bytes]) => ({ module, bytes })).sort((a, b) => b.bytes - a.bytes),
    }
  }
}

/**
 * Plan the memory of `fn`, as if it were run as one step in a scope or by a streamer. Runs no kernel.
 * @throws RehearsalError  fn returned a Promise, or read a value
 */
export function planOf(device: Device, fn: () => unknown): Pass {
  checkArgument('planOf', 'device', device, DEVICE)
  checkArgument('planOf', 'fn', fn, FUNCTION)
  return plan(device, graphOf(device, rehearse(device, fn)))
}

/** For each turn, the earlier turn that it repeats, or null. */
export function repeatsOf(turns: readonly Turn[]): (number | null)[] {
  const first = new Map<number, number>()
  return turns.map(({ instruction, transfer }, i) => {
    if (transfer) return null
    const earlier = first.get(instruction)
    if (earlier === undefined) first.set(instruction, i)
    return earlier ?? null
  })
}

/** The bytes held by category after every birth and death, beside `standing`. */
export function timelineOf(pass: Pass, standing: BytesByCategory): TimelinePoint[] {
  const { instructions, turns, lives, births, deaths } = pass
  const again = repeatsOf(turns)
  const held = { ...standing }
  const points: TimelinePoint[] = []
  turns.forEach(({ instruction }, i) => {
    const change = (sign: 1 | -1) => (life: number) => {
      const { category, bytes } = lives[life]
      held[category] += sign * bytes
      const made = sign > 0 && again[i] !== null && category !== 'workspace'
      points.push({ op: instructions[instruction].op, held: { ...held }, ...(made ? { againBytes: bytes } : {}) })
    }
    births[i].forEach(change(1))
    deaths[i].forEach(change(-1))
  })
  return points
}
