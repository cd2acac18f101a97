/**
 * Checks a plan file, using only what the file says. Its format: docs/step-as-data.md. This code shares nothing with the
 * code that makes plans and finds places, so a fault there cannot hide itself. The file may come from anywhere.
 */
import { SluiceError } from '../memory/errors.js'

/** A file is not a plan, or a statement in it is false. The message names the place in the file. */
export class InvalidPlanError extends SluiceError {}

/** The unit of budgets and of blocks if blocks have addresses, and the unit of blocks if they have none. */
const [PAGE_BYTES, ALIGNMENT_BYTES, TEXEL_BYTES] = [65536, 64, 16]

type Fields = Readonly<Record<string, unknown>>
type Memory = ReturnType<typeof memoryOf>
type Block = Readonly<{ at: string; address: number; bytes: number; category: string }>

/**
 * Checks that blocks that live at the same turn overlap neither each other nor standing memory, that every block lives
 * from the first turn that touches it to the last, and that the peaks are the stated ones, within the budget.
 * @param plan  the result of `plan.toJSON()`, or the parsed file of `sluice plan --out`
 * @throws InvalidPlanError  names the place that is wrong
 */
export function verifyPlan(plan: unknown): void {
  const file = fields('the plan', plan)
  const { mode, budgetBytes } = file
  expect(file.format === 'sluice plan' && file.version === 1, 'the plan', "does not have the format 'sluice plan' 1")
  expect(/^(train|evaluate|predict|gradient|sum)$/.test(text('mode', mode)), 'mode', 'is unknown')
  const addressed = checked<boolean>(typeof file.addressed === 'boolean', 'addressed', file.addressed, 'true or false')
  const budget = budgetBytes === null ? Infinity : whole('budgetBytes', budgetBytes)
  const limit = addressed ? Math.floor(budget / PAGE_BYTES) * PAGE_BYTES : budget
  const standing = fields('standing', file.standing)
  const memory = memoryOf(standing, addressed)
  const passes = list('passes', file.passes).map((pass, i) => fields(`passes[${i}]`, pass))
  const [learns, answers] = [/^(train|sum)$/, /^(evaluate|predict)$/].map((modes) => modes.test(String(mode)))
  const ends = learns ? `${file.noise === true ? ',noise' : ''},norm,commit` : ''
  const parts = mode === 'sum' ? '' : '(,micro-batch)+(,joint)?'
  const names = passes.map(({ name }) => text('passes', name)).join()
  expect(new RegExp(`^reset${parts}${ends}$`).test(names), 'passes', 'are not those of a step')
  const store = file.store === null ? { onDevice: false } : fields('store', file.store)
  const withStore = store.onDevice ? memoryOf(standing, addressed, store) : memory
  let [samples, highest] = [0, 0]
  for (const [i, pass] of passes.entries()) {
    const at = `passes[${i}]`
    const [count, size, level] = ['count', 'samples', 'level'].map((name) => whole(`${at}.${name}`, pass[name]))
    const runs = pass.name === 'micro-batch' ? count > 0 && size > 0 : count === 1 && size + level === 0
    const follows = level === 0 || passes[i - 1].level === level - 1
    expect(runs && follows, at, `cannot run ${count} times on ${size} samples as level ${level}`)
    const peak = peakOf(at, pass, size > 0 || pass.name === 'joint' ? withStore : memory, answers)
    expect(peak === pass.peakBytes, `${at}.peakBytes`, `is not ${peak}, the peak of its blocks`)
    expect(peak <= limit, at, `peaks at ${peak} bytes, but blocks can have only ${limit} of the budget`)
    if (level === 0) samples += count * size
    highest = Math.max(highest, peak)
  }
  expect(parts === '' || samples === file.batch, 'batch', `is not ${samples}, the samples of its micro-batches`)
  expect(highest === file.peakBytes, 'peakBytes', `is not ${highest}, the highest of its passes`)
}

function memoryOf(file: Fields, addressed: boolean, store?: Fields) {
  const entries = Object.entries({ ...fields('standing.bytes', file.bytes), ...(store && { store: store.bytes }) })
  const bytes = new Map(entries.map(([name, count]) => [name, whole(`standing.bytes.${name}`, count)]))
  const standing = new Set<Block>()
  const blocks = [...list('standing.blocks', file.blocks), ...(store ? [{ ...store, category: 'store' }] : [])]
  for (const [i, each] of blocks.entries()) {
    take(standing, blockOf(`standing.blocks[${i}]`, each, addressed, bytes), addressed)
  }
  for (const [name, count] of bytes) {
    const sum = [...standing].reduce((total, block) => total + (block.category === name ? block.bytes : 0), 0)
    expect(name === 'runtime' || count === sum, `standing.bytes.${name}`, `is not ${sum}, the sum of its blocks`)
  }
  return { addressed, standing, bytes }
}

function blockOf(at: string, value: unknown, addressed: boolean, categories: ReadonlyMap<string, number>): Block {
  const block = fields(at, value)
  const unit = addressed ? ALIGNMENT_BYTES : TEXEL_BYTES
  const [bytes, category] = [whole(`${at}.bytes`, block.bytes), text(`${at}.category`, block.category)]
  const address = addressed ? whole(`${at}.address`, block.address) : 0
  expect(addressed || block.address === null, `${at}.address`, 'is given, though blocks have no addresses')
  expect(categories.has(category), `${at}.category`, 'is not among standing.bytes')
  expect(bytes > 0 && bytes % unit === 0 && address % unit === 0, at, `is not in whole units of ${unit} bytes`)
  return { at, address, bytes, category }
}

/** The peak that follows from the lives and places of a pass. @param mayStay  may a block outlive the pass? */
function peakOf(at: string, pass: Fields, { addressed, standing, bytes }: Memory, mayStay: boolean): number {
  const turns = list(`${at}.turns`, pass.turns).map((turn, t) => fields(`${at}.turns[${t}]`, turn))
  const listed = list(`${at}.blocks`, pass.blocks)
  const touched = turns.map((_, t) => touchedBy(`${at}.turns[${t}]`, turns, t, listed.length))
  const uses: number[][] = listed.map(() => [])
  for (const [t, numbers] of touched.entries()) for (const number of numbers) uses[number].push(t)
  const blocks = listed.map((each, i) => {
    const block = blockOf(`${at}.blocks[${i}]`, each, addressed, bytes)
    const { birth, death, op, module } = fields(block.at, each)
    const [first, last] = [whole(`${block.at}.birth`, birth), death === null && mayStay ? uses[i].at(-1) : death]
    expect(first === uses[i][0] && last === uses[i].at(-1), block.at, 'does not live from its first turn to its last')
    expect(op === turns[first].op && module === turns[first].module, block.at, 'does not name the op of its birth')
    return { ...block, birth, death }
  })
  const alive = new Set<Block>(standing)
  let live = [...bytes.values()].reduce((sum, count) => sum + count, 0)
  let peak = addressed ? [...standing].reduce((end, block) => Math.max(end, block.address + block.bytes), 0) : live
  for (const [t, numbers] of touched.entries()) {
    const here = Array.from(numbers, (number) => blocks[number])
    for (const block of here.filter(({ birth }) => birth === t)) {
      take(alive, block, addressed)
      live += block.bytes
      peak = Math.max(peak, addressed ? block.address + block.bytes : live)
    }
    for (const block of here.filter(({ death }) => death === t)) if (alive.delete(block)) live -= block.bytes
  }
  return peak
}

function touchedBy(at: string, turns: readonly Fields[], t: number, blocks: number): Set<number> {
  const { again, operands } = turns[t]
  const kindOf = (turn: Fields) => ['op', 'kernel', 'module'].map((name) => text(`${at}.${name}`, turn[name])).join()
  const first = again === null ? t : whole(`${at}.again`, again)
  const repeats = first <= t && kindOf(turns[first]) === kindOf(turns[t])
  expect(again === null || (first < t && repeats), `${at}.again`, 'is not an earlier turn of its kind')
  const numbers = list(at, operands).flatMap((block) => (block === null ? [] : whole(`${at}.operands`, block)))
  const absent = numbers.find((number) => number >= blocks)
  expect(absent === undefined, `${at}.operands`, `has ${absent}, but there are only ${blocks} blocks`)
  return new Set(numbers)
}

/** Add a block to the live ones. @throws InvalidPlanError  it overlaps one of them */
function take(alive: Set<Block>, block: Block, addressed: boolean): void {
  for (const { at, address, bytes } of addressed ? alive : []) {
    if (address + bytes <= block.address || block.address + block.bytes <= address) continue
    expect(false, block.at, `overlaps ${at}, which lives at the same time`)
  }
  alive.add(block)
}

function expect(holds: boolean, at: string, fault: string): void {
  if (!holds) throw new InvalidPlanError(`${at} ${fault}`)
}

function checked<T>(holds: boolean, at: string, value: unknown, what: string): T {
  expect(holds, at, `is not ${what}`)
  return value as T
}

const list = (at: string, value: unknown): unknown[] => checked(Array.isArray(value), at, value, 'a list')
const text = (at: string, value: unknown): string => checked(typeof value === 'string', at, value, 'a text')
const whole = (at: string, value: unknown): number =>
  checked(Number.isSafeInteger(value) && Number(value) >= 0, at, value, 'a whole number, 0 or more')
const fields = (at: string, value: unknown): Fields =>
  checked(typeof value === 'object' && value !== null && !Array.isArray(value), at, value, 'an object')
