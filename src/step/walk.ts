/**
 * The order in which a recording is run if some values are dropped: Note [By demand] in again.ts.
 *
 * A search for values to drop makes many thousands of walks, so their turns are numbers in flat arrays, which are used again.
 */

/** The facts of a recording that a walk needs: see Graph in again.ts. */
export interface Recorded {
  readonly values: { readonly length: number }
  readonly operands: readonly (readonly number[])[]
  readonly inputs: Int32Array
  readonly backward: number
  readonly maker: Int32Array
  readonly named: Uint8Array
  readonly late: ReadonlySet<number>
}

/** Room for `length` numbers, with those that are there. */
function grown(numbers: Int32Array, length: number): Int32Array {
  if (length <= numbers.length) return numbers
  const more = new Int32Array(2 * length)
  more.set(numbers)
  return more
}

export class Walk {
  /** how many turns the last walk had, and how many copies */
  turns = 0
  copies = 0
  /** the instruction of each turn */
  instructions: Int32Array = new Int32Array(0)
  /** the values that turn t touches: from ends[t] up to ends[t + 1]; -1 for standing memory */
  operands: Int32Array = new Int32Array(0)
  ends: Int32Array = new Int32Array(1)
  /** for each copy, the value that it is a copy of; copies are numbered after the recorded values, as they come */
  copyOf: Int32Array = new Int32Array(0)
  readonly #graph: Recorded
  /** what each instruction touches, likewise */
  readonly #touched: Int32Array
  readonly #starts: Int32Array
  readonly #late: Uint8Array
  /** for each value, its copy while one is alive; else -1 */
  readonly #copyNow: Int32Array
  /** copies that no gradient reads: they are freed as soon as the value that needed them is made */
  readonly #passing: number[] = []
  #dropped: Uint8Array = new Uint8Array(0)

  constructor(graph: Recorded) {
    const { operands, values, late } = graph
    this.#graph = graph
    this.#starts = new Int32Array(operands.length + 1)
    operands.forEach((touched, i) => {
      this.#starts[i + 1] = this.#starts[i] + touched.length
    })
    this.#touched = new Int32Array(this.#starts[operands.length])
    operands.forEach((touched, i) => this.#touched.set(touched, this.#starts[i]))
    this.#late = new Uint8Array(values.length)
    for (const value of late) this.#late[value] = 1
    this.#copyNow = new Int32Array(values.length)
  }

  /**
   * @param dropped    1 for each value that is dropped
   * @param from       the first instruction to run, at most the first of the backward
   * @param mostTurns  give up when there are more
   * @returns whether it came to its end
   */
  run(dropped: Uint8Array, from: number, mostTurns = Infinity): boolean {
    const { backward, inputs, operands } = this.#graph
    const [touched, starts, copyNow, passing] = [this.#touched, this.#starts, this.#copyNow, this.#passing]
    this.turns = 0
    this.copies = 0
    this.#dropped = dropped
    copyNow.fill(-1)
    for (let i = from; i < operands.length; i++) {
      const start = starts[i]
      const outputs = start + inputs[i]
      if (i < backward) {
        const isLate = outputs < starts[i + 1] && dropped[touched[outputs]] === 1 && this.#late[touched[outputs]] === 1
        if (!isLate) this.#visit(i, outputs, false)
        continue
      }
      let hasCopies = false
      for (let j = start; j < outputs; j++) {
        const value = touched[j]
        if (value < 0 || dropped[value] === 0) continue
        if (this.#isGone(value)) this.#make(value)
        hasCopies = true
      }
      this.#visit(i, outputs, hasCopies)
      if (this.turns > mostTurns) return false
      while (passing.length > 0) copyNow[passing.pop() as number] = -1
    }
    return true
  }

  #isGone(value: number): boolean {
    const { maker, named } = this.#graph
    return this.#copyNow[value] < 0 && maker[value] >= 0 && (this.#dropped[value] === 1 || named[value] === 0)
  }

  #make(value: number): void {
    const { maker, inputs, values } = this.#graph
    const [touched, copyNow] = [this.#touched, this.#copyNow]
    const instruction = maker[value]
    const outputs = this.#starts[instruction] + inputs[instruction]
    for (let j = this.#starts[instruction]; j < outputs; j++) {
      if (touched[j] >= 0 && this.#isGone(touched[j])) this.#make(touched[j])
    }
    this.#visit(instruction, outputs, true)
    // what it writes and works in gets a copy
    const first = outputs - this.#starts[instruction]
    const count = this.#starts[instruction + 1] - outputs
    this.copyOf = grown(this.copyOf, this.copies + count)
    for (let j = 0; j < count; j++) {
      const each = touched[outputs + j]
      const copy = values.length + this.copies
      this.copyOf[this.copies++] = each
      this.operands[this.ends[this.turns - 1] + first + j] = copy
      // no workspace has a maker
      if (!this.#isGone(each)) continue
      copyNow[each] = copy
      if (this.#dropped[each] === 0) this.#passing.push(each)
    }
  }

  /** @param outputs  where they begin in what the instruction touches */
  #visit(instruction: number, outputs: number, hasCopies: boolean): void {
    const touched = this.#touched
    const turn = this.turns++
    const end = this.#starts[instruction + 1]
    let at = this.ends[turn]
    this.instructions = grown(this.instructions, turn + 1)
    this.ends = grown(this.ends, turn + 2)
    this.operands = grown(this.operands, at + end - this.#starts[instruction])
    for (let j = this.#starts[instruction]; j < end; j++) {
      const value = touched[j]
      const copy = hasCopies && j < outputs && value >= 0 ? this.#copyNow[value] : -1
      this.operands[at++] = copy >= 0 ? copy : value
    }
    this.instructions[turn] = instruction
    this.ends[turn + 1] = at
  }
}
