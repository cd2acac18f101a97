/** The choices for a step in one pass: which values are dropped after the forward and made again for the backward. */
import type { Device } from '../device/device.js'
import type { Graph } from './again.js'
import type { Choices, Outcome } from './choices.js'
import { timeOf } from './cost.js'
import { bestChoices, type Point, type Progress } from './greedy.js'

/**
 * To make one value again, others may have to be made first, and so on. A choice that multiplies the number of
 * instructions by this is given up.
 */
const MOST_TIMES = 4

const GIVEN_UP: Outcome = { time: Infinity, peak: Infinity, excess: Infinity }

/**
 * The best choices for a recording, the fastest first: see bestChoices.
 * @param mostTime  the largest `extraTime` that is wanted
 * @param progress  the progress of an earlier search of the same recording
 */
export const frontier = ({ allocator }: Device, graph: Graph, mostTime: number, progress?: Progress): Point[] =>
  bestChoices(new OnePass(graph, (bytes) => allocator.costOf(bytes)), mostTime, progress)

/** The live bytes at each turn of a choice. */
interface Profile {
  turns: number
  live: Float64Array
  /** for each value, the first turn of the backward that touches it, or where it is dropped, its copy; or -1 */
  readonly firstUses: Int32Array
  /** and the last turn; or -1 */
  readonly lastUses: Int32Array
}

class OnePass implements Choices {
  readonly count: number
  readonly candidates: readonly number[]
  /** masks: Note [Late] */
  readonly free: ReadonlySet<number>
  readonly canBeNone = false
  readonly mostTogether = Infinity
  readonly lesser: ReadonlyMap<number, number> = new Map()
  readonly #graph: Graph
  readonly #times: Float64Array
  readonly #bytes: Float64Array
  /** the first and the last turn of the forward that touches each value, and its time */
  readonly #births: Int32Array
  readonly #deaths: Int32Array
  readonly #forwardTime: number
  /** the time of each value's instruction, and of those that it needs because no gradient reads what they write */
  readonly #chainTimes: Float64Array
  /** how many these are */
  readonly #chainTurns: Int32Array
  /** the turns of the forward whose output may take the place of an input */
  readonly #overwriting: readonly number[]
  /** of the choice that was taken last, and of the one that was simulated last */
  #taken: Profile
  #tried: Profile
  /** the live bytes of the choice that was taken, with those foreseen */
  #foreseen = new Float64Array(0)
  /** of a choice that is simulated: the first and the last turn that touches each value and copy */
  #born = new Int32Array(0)
  #died = new Int32Array(0)

  constructor(graph: Graph, costOf: (bytes: number) => number) {
    const { instructions, values, operands, backward, droppable, late } = graph
    this.#graph = graph
    this.count = values.length
    this.candidates = droppable
    this.free = late
    this.#times = Float64Array.from(instructions, timeOf)
    this.#bytes = Float64Array.from(values, (value) => costOf(value.bytes))
    this.#births = new Int32Array(values.length).fill(-1)
    this.#deaths = new Int32Array(values.length).fill(-1)
    this.#chainTimes = new Float64Array(values.length)
    this.#chainTurns = new Int32Array(values.length)
    const overwriting: number[] = []
    for (let i = 0; i < backward; i++) {
      if (graph.mayOverwrite(i)) overwriting.push(i)
      let [time, turns] = [this.#times[i], 1]
      operands[i].forEach((value, j) => {
        if (value < 0) return
        if (this.#births[value] < 0) this.#births[value] = i
        this.#deaths[value] = i
        if (j < graph.inputs[i] && graph.named[value] === 0) {
          time += this.#chainTimes[value]
          turns += this.#chainTurns[value]
        }
        if (graph.maker[value] !== i) return
        this.#chainTimes[value] = time
        this.#chainTurns[value] = turns
      })
    }
    this.#overwriting = overwriting
    this.#forwardTime = this.#times.subarray(0, backward).reduce((sum, time) => sum + time, 0)
    const profile = () => ({
      turns: 0,
      live: new Float64Array(0),
      firstUses: new Int32Array(values.length),
      lastUses: new Int32Array(values.length),
    })
    this.#taken = profile()
    this.#tried = profile()
  }

  timeToMake(value: number): number {
    return this.#chainTimes[value]
  }

  simulate(dropped: Uint8Array, target: number): Outcome {
    const graph = this.#graph
    const { values, instructions, backward, late, walk, stays } = graph
    if (!walk.run(dropped, backward, MOST_TIMES * instructions.length - backward)) return GIVEN_UP
    const count = values.length + walk.copies
    const turns = backward + walk.turns
    if (this.#born.length < count) {
      this.#born = new Int32Array(2 * count)
      this.#died = new Int32Array(2 * count)
    }
    const [born, died, tried] = [this.#born, this.#died, this.#tried]
    tried.turns = turns
    if (tried.live.length <= turns) tried.live = new Float64Array(2 * turns)
    const { live, firstUses, lastUses } = tried
    // the forward is the same for every choice, but for masks
    born.set(this.#births)
    died.set(this.#deaths)
    born.fill(-1, values.length, count)
    firstUses.fill(-1)
    lastUses.fill(-1)
    let time = this.#forwardTime
    for (const value of late) {
      if (dropped[value] === 0) continue
      time -= this.#times[graph.maker[value]]
      born[value] = -1
    }
    for (let turn = 0; turn < walk.turns; turn++) {
      time += this.#times[walk.instructions[turn]]
      const end = walk.ends[turn + 1]
      for (let j = walk.ends[turn]; j < end; j++) {
        const value = walk.operands[j]
        if (value < 0) continue
        if (born[value] < 0) born[value] = backward + turn
        died[value] = backward + turn
        const own = value < values.length ? value : walk.copyOf[value - values.length]
        if (own !== value && dropped[own] === 0) continue
        if (firstUses[own] < 0) firstUses[own] = backward + turn
        lastUses[own] = backward + turn
      }
    }
    live.fill(0, 0, turns + 1)
    for (let value = 0; value < count; value++) {
      if (born[value] < 0) continue
      const own = value < values.length
      const bytes = this.#bytes[own ? value : walk.copyOf[value - values.length]]
      live[born[value]] += bytes
      if (!own || stays[value] === 0) live[died[value] + 1] -= bytes
    }
    // a place that two values share counts once
    for (const i of this.#overwriting) this.#countOnce(live, i, graph.operands[i], 0, i)
    for (let turn = 0; turn < walk.turns; turn++) {
      const instruction = walk.instructions[turn]
      if (graph.mayOverwrite(instruction)) {
        this.#countOnce(live, instruction, walk.operands, walk.ends[turn], backward + turn)
      }
    }
    let [alive, peak, excess] = [0, 0, 0]
    for (let i = 0; i < turns; i++) {
      alive += live[i]
      live[i] = alive
      if (alive > peak) peak = alive
      if (alive > target) excess += alive - target
    }
    return { time, peak, excess }
  }

  #countOnce(live: Float64Array, instruction: number, operands: ArrayLike<number>, start: number, turn: number): void {
    const { walk, values } = this.#graph
    const value = this.#graph.predecessor(instruction, operands, start, turn, this.#born, this.#died)
    if (value < 0) return
    const bytes = this.#bytes[value < values.length ? value : walk.copyOf[value - values.length]]
    live[turn] -= bytes
    live[turn + 1] += bytes
  }

  take(): void {
    const taken = this.#taken
    this.#taken = this.#tried
    this.#tried = taken
    this.forget()
  }

  forget(): void {
    const { live, turns } = this.#taken
    if (this.#foreseen.length < turns) this.#foreseen = new Float64Array(live.length)
    for (let turn = 0; turn < turns; turn++) this.#foreseen[turn] = live[turn]
  }

  foresee(value: number): void {
    const end = this.#taken.firstUses[value]
    for (let turn = this.#deaths[value] + 1; turn < end; turn++) this.#foreseen[turn] -= this.#bytes[value]
  }

  bound(value: number, target: number): number {
    return this.free.has(value) ? this.estimate(value, target) : this.#waiting(this.#taken.live, value, target)
  }

  estimate(value: number, target: number): number {
    const live = this.#foreseen
    const { firstUses, lastUses } = this.#taken
    const { maker, inputs, operands, backward } = this.#graph
    const end = firstUses[value]
    const instruction = maker[value]
    // the turns that make it again hold about as much as the one before
    let excess = this.#waiting(live, value, target) - this.#chainTurns[value] * Math.max(0, live[end - 1] - target)
    // what it is made of has to stay until then
    for (let j = 0; j < inputs[instruction] && excess > 0; j++) {
      const input = operands[instruction][j]
      if (input < 0 || lastUses[input] < backward) continue
      const bytes = this.#bytes[input]
      for (let turn = lastUses[input] + 1; turn < end; turn++) {
        const over = live[turn] + bytes - target
        if (over > 0) excess -= over < bytes ? over : bytes
      }
    }
    return excess
  }

  /** The bytes above the target that a value takes while it only waits. */
  #waiting(live: Float64Array, value: number, target: number): number {
    const bytes = this.#bytes[value]
    const end = this.#taken.firstUses[value]
    // what its last reader in the forward writes may take its place
    const last = this.#deaths[value]
    let excess = 0
    for (let turn = this.#graph.mayOverwrite(last) ? last : last + 1; turn < end; turn++) {
      const over = live[turn] - target
      if (over > 0) excess += over < bytes ? over : bytes
    }
    return excess
  }

  mayHelp(value: number, target: number): boolean {
    const { live, firstUses } = this.#taken
    const end = firstUses[value]
    return live[end] > target || live[end - 1] > target || this.estimate(value, target) > 0
  }

  mayKeep(value: number, limit: number): boolean {
    if (this.free.has(value)) return false
    const { live, firstUses } = this.#taken
    const most = limit - this.#bytes[value]
    for (let turn = this.#deaths[value] + 1; turn < firstUses[value]; turn++) if (live[turn] > most) return false
    return true
  }
}
