/**
 * When each value of a recording lives, and where: from its first use to its last, at a place that is found before
 * anything runs. What follows from it is exact: the peak of the bytes, and what is held at every moment.
 */
import type { Device } from '../device/device.js'
import type { Planned } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import type { BytesByCategory, Category } from '../memory/allocator.js'
import { type Life, mostAlive } from '../memory/arrange.js'
import type { TimelinePoint } from '../memory/timeline.js'
import { Graph, type Schedule, type Turn } from './again.js'
import { type Recording, rehearse } from './record.js'

/** The life of a value. */
export interface ValueLife extends Life {
  /** its number in the recording */
  readonly value: number
  readonly category: Category
  /** the op that it is born in, and the module of that: see Instruction */
  readonly op: string
  readonly module: string
}

/** What a recording does, with the lives and places of its values. */
export interface Pass extends Schedule {
  readonly instructions: readonly Planned[]
  /** the values that each instruction touches, in the order reads, writes, workspaces; -1 for what stands */
  readonly operands: readonly (readonly number[])[]
  readonly lives: readonly ValueLife[]
  /** the address of each life, or null where blocks have no places to choose among */
  readonly addresses: readonly number[] | null
  /** for each turn, the numbers of the lives that begin with it, and of those that end */
  readonly births: readonly (readonly number[])[]
  readonly deaths: readonly (readonly number[])[]
  /** Note [Peak] in memory/allocator.ts */
  readonly peakBytes: number
  readonly peakHeldBytes: number
  /** the op at the peak of the bytes that are held, and what is held there */
  readonly peakOp: string
  readonly heldAtPeak: BytesByCategory
  /** what each module's values take there, the largest first; standing tensors are not among them */
  readonly modulesAtPeak: readonly ModuleBytes[]
}

/** The bytes of the values of a module: see Instruction. */
export interface ModuleBytes {
  readonly module: string
  readonly bytes: number
}

/** Every value from the first turn that touches it to the last; a result that is held stays. */
function livesOf({ values, instructions }: Graph, { turns, copyOf }: Schedule, costOf: (bytes: number) => number) {
  const count = values.length + copyOf.length
  const births = new Int32Array(count).fill(-1)
  const deaths = new Int32Array(count)
  turns.forEach(({ operands }, i) => {
    for (const value of operands) {
      if (value < 0) continue
      if (births[value] < 0) births[value] = i
      deaths[value] = i
    }
  })
  const lives: ValueLife[] = []
  for (let value = 0; value < count; value++) {
    const birth = births[value]
    if (birth < 0) continue
    const { bytes, category, references } = values[copyOf[value - values.length] ?? value]
    const death = references > 0 && value < values.length ? Infinity : deaths[value]
    const { op, module } = instructions[turns[birth].instruction]
    lives.push({ value, bytes: costOf(bytes), birth, death, category, op, module })
  }
  return lives
}

const NOTHING: ReadonlySet<number> = new Set()

/**
 * Find places for the values of a recording, beside what the device holds now. Takes nothing.
 * @param dropped  the values that are made again for the backward: see again.ts
 */
export function plan({ allocator }: Device, recording: Recording, dropped = NOTHING): Pass {
  const instructions = recording.instructions.map(({ perform, ...rest }) => rest)
  const graph = new Graph(instructions, recording.values, recording)
  const schedule = graph.schedule(dropped)
  const lives = livesOf(graph, schedule, (bytes) => allocator.costOf(bytes))
  const { addresses, peakBytes } = allocator.arrange(lives)
  const births: number[][] = schedule.turns.map(() => [])
  const deaths: number[][] = schedule.turns.map(() => [])
  lives.forEach(({ birth, death }, i) => {
    births[birth].push(i)
    if (death < Infinity) deaths[death].push(i)
  })
  const { held, heldBytes, unusableBytes } = allocator.stats()
  const most = mostAlive(lives)
  // a plan is for any budget: what this one has and no block can use is not a part of it
  const heldAtPeak = { ...held, runtime: held.runtime - unusableBytes }
  const byModule = new Map<string, number>()
  for (const { birth, death, category, bytes, module } of lives) {
    if (birth > most.at || most.at > death) continue
    heldAtPeak[category] += bytes
    byModule.set(module, (byModule.get(module) ?? 0) + bytes)
  }
  return {
    ...schedule,
    instructions,
    operands: graph.operands,
    lives,
    addresses,
    births,
    deaths,
    peakBytes,
    peakHeldBytes: heldBytes - unusableBytes + most.bytes,
    peakOp: most.bytes > 0 ? instructions[schedule.turns[most.at].instruction].op : 'standing tensors',
    heldAtPeak,
    modulesAtPeak: Array.from(byModule, ([module, bytes]) => ({ module, bytes })).sort((a, b) => b.bytes - a.bytes),
  }
}

/**
 * What memory `fn` would take if it were run as one step, in a scope or by a streamer. Runs no kernel.
 * @throws RehearsalError  fn returned a Promise, or read a value
 */
export const planOf = (device: Device, fn: () => unknown): Pass => plan(device, rehearse(device, fn))

/** For each turn the earlier one that it does again, or null. */
export function repeatsOf(turns: readonly Turn[]): (number | null)[] {
  const first = new Map<number, number>()
  return turns.map(({ instruction }, i) => {
    const earlier = first.get(instruction)
    if (earlier === undefined) first.set(instruction, i)
    return earlier ?? null
  })
}

/** What is held by category after every birth and death, beside `standing`. */
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

/**
 * Does a recording do what was planned, on values of the same sizes? Only numbers and host data may differ.
 * @returns null, or what it does and what was planned, in words
 */
export function differenceOf(pass: Pass, made: Recording): { made: string; planned: string } | null {
  const { instructions, operands, lives } = pass
  const count = Math.max(instructions.length, made.instructions.length)
  for (let i = 0; i < count; i++) {
    const [a, b] = [instructions[i], made.instructions[i]]
    if (!a || !b || !alike(a, operands[i], b, made)) return { made: described(b), planned: described(a) }
  }
  const { values } = made
  const changed = lives.find(
    ({ value, death }) => value < values.length && values[value].references > 0 !== (death === Infinity),
  )
  if (!changed) return null
  const words = [`a result of '${changed.op}' that lasts`, `one of '${changed.op}' that ends with the step`]
  const [planned, other] = changed.death === Infinity ? words : words.reverse()
  return { made: other, planned }
}

/** @param numbers  the operands of `a` */
function alike(a: Planned, numbers: readonly number[], b: Planned, made: Recording): boolean {
  if (a.op !== b.op || a.name !== b.name) return false
  let at = 0
  const same = (planned: readonly Storage[], now: readonly Storage[]): boolean => {
    if (planned.length !== now.length) return false
    for (let i = 0; i < now.length; i++) {
      const { list, index, bytes } = now[i]
      if (numbers[at++] !== (list === made ? index : -1) || planned[i].bytes !== bytes) return false
    }
    return true
  }
  return same(a.reads, b.reads) && same(a.writes, b.writes) && same(a.workspaces, b.workspaces)
}

function described(instruction: Planned | undefined): string {
  if (!instruction) return 'nothing more'
  const { op, reads, writes } = instruction
  return `'${op}' on operands of ${[...reads, ...writes].map(({ size }) => size).join(', ')} elements`
}
