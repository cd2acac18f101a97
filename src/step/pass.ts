/**
 * When each value of a recording lives, and where: from its first use to its last, at a place that is found before
 * anything runs. What follows from it is exact: the peak of the bytes, and what is held at every moment.
 */
import type { Device } from '../device/device.js'
import type { Instruction } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import type { BytesByCategory, Category } from '../memory/allocator.js'
import { type Life, mostAlive } from '../memory/arrange.js'
import type { TimelinePoint } from '../memory/timeline.js'
import { type Recording, rehearse } from './record.js'

/** The life of a value. */
export interface ValueLife extends Life {
  /** its number in the recording */
  readonly value: number
  readonly category: Category
  /** the op that it is born in */
  readonly op: string
}

/** An instruction as it was planned. */
export type Planned = Omit<Instruction, 'perform'>

/** What a recording does, with the lives and places of its values. */
export interface Pass {
  readonly instructions: readonly Planned[]
  readonly lives: readonly ValueLife[]
  /** the address of each life, or null where blocks have no places to choose among */
  readonly addresses: readonly number[] | null
  /** for each instruction, the numbers of the lives that begin with it, and of those that end */
  readonly births: readonly (readonly number[])[]
  readonly deaths: readonly (readonly number[])[]
  /** Note [Peak] in memory/allocator.ts */
  readonly peakBytes: number
  readonly peakHeldBytes: number
  /** the op at the peak of the bytes that are held, and what is held there */
  readonly peakOp: string
  readonly heldAtPeak: BytesByCategory
}

/** Every value from the first instruction that touches it to the last; a result that is held stays. */
export function livesOf(recording: Recording, costOf: (bytes: number) => number): ValueLife[] {
  const { values, instructions } = recording
  const births = new Int32Array(values.length).fill(-1)
  const deaths = new Int32Array(values.length)
  instructions.forEach(({ reads, writes, workspaces }, i) => {
    const touch = ({ list, index }: Storage): void => {
      if (list !== recording) return
      if (births[index] < 0) births[index] = i
      deaths[index] = i
    }
    reads.forEach(touch)
    writes.forEach(touch)
    workspaces.forEach(touch)
  })
  const lives: ValueLife[] = []
  values.forEach(({ bytes, category, references }, value) => {
    const birth = births[value]
    if (birth < 0) return
    const death = references > 0 ? Infinity : deaths[value]
    lives.push({ value, bytes: costOf(bytes), birth, death, category, op: instructions[birth].op })
  })
  return lives
}

/** Find places for the values of a recording, beside what the device holds now. Takes nothing. */
export function plan({ allocator }: Device, recording: Recording): Pass {
  const lives = livesOf(recording, (bytes) => allocator.costOf(bytes))
  const { addresses, peakBytes } = allocator.arrange(lives)
  const births: number[][] = recording.instructions.map(() => [])
  const deaths: number[][] = recording.instructions.map(() => [])
  lives.forEach(({ birth, death }, i) => {
    births[birth].push(i)
    if (death < Infinity) deaths[death].push(i)
  })
  const { held, heldBytes, unusableBytes } = allocator.stats()
  const most = mostAlive(lives)
  // a plan is for any budget: what this one has and no block can use is not a part of it
  const heldAtPeak = { ...held, runtime: held.runtime - unusableBytes }
  for (const { birth, death, category, bytes } of lives) {
    if (birth <= most.at && most.at <= death) heldAtPeak[category] += bytes
  }
  const peakOp = most.bytes > 0 ? recording.instructions[most.at].op : 'standing tensors'
  const peakHeldBytes = heldBytes - unusableBytes + most.bytes
  const instructions = recording.instructions.map(({ perform, ...rest }) => rest)
  return { instructions, lives, addresses, births, deaths, peakBytes, peakHeldBytes, peakOp, heldAtPeak }
}

/**
 * What memory `fn` would take if it were run as one step, in a scope or by a streamer. Runs no kernel.
 * @throws RehearsalError  fn returned a Promise, or read a value
 */
export const planOf = (device: Device, fn: () => unknown): Pass => plan(device, rehearse(device, fn))

/** What is held by category after every birth and death, beside `standing`. */
export function timelineOf({ instructions, lives, births, deaths }: Pass, standing: BytesByCategory): TimelinePoint[] {
  const held = { ...standing }
  const points: TimelinePoint[] = []
  instructions.forEach(({ op }, i) => {
    const change = (sign: 1 | -1) => (life: number) => {
      const { category, bytes } = lives[life]
      held[category] += sign * bytes
      points.push({ op, held: { ...held } })
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
export function differenceOf({ instructions, lives }: Pass, made: Recording): { made: string; planned: string } | null {
  const count = Math.max(instructions.length, made.instructions.length)
  for (let i = 0; i < count; i++) {
    const [a, b] = [instructions[i], made.instructions[i]]
    if (!a || !b || !alike(a, b)) return { made: described(b), planned: described(a) }
  }
  const changed = lives.find(({ value, death }) => made.values[value].references > 0 !== (death === Infinity))
  if (!changed) return null
  const words = [`a result of '${changed.op}' that lasts`, `one of '${changed.op}' that ends with the step`]
  const [planned, other] = changed.death === Infinity ? words : words.reverse()
  return { made: other, planned }
}

function alike(a: Planned, b: Planned): boolean {
  if (a.op !== b.op || a.name !== b.name) return false
  return same(a.reads, b.reads) && same(a.writes, b.writes) && same(a.workspaces, b.workspaces)
}

function same(a: readonly Storage[], b: readonly Storage[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i].index !== b[i].index || a[i].bytes !== b[i].bytes) return false
  return true
}

function described(instruction: Planned | undefined): string {
  if (!instruction) return 'nothing more'
  const { op, reads, writes } = instruction
  return `'${op}' on operands of ${[...reads, ...writes].map(({ size }) => size).join(', ')} elements`
}
