/** A plan as numbers to draw: what is held at every turn of a step, by kind of memory and by layer, and where it lies. */
import { type AnyModule, CATEGORIES, type Category, nn, type Plan, type PlanFile } from 'sluice'

export type Stage = 'reset' | 'upload' | 'forward' | 'backward' | 'update'

/** A pass of the step, drawn once however often it runs. */
export interface Segment {
  readonly name: PlanFile['passes'][number]['name']
  readonly label: string
  /** its first turn, and the turn after its last */
  readonly start: number
  readonly end: number
  readonly count: number
  readonly samples: number
  readonly level: number
}

export interface Place {
  /** first and last turn */
  readonly from: number
  readonly to: number
  readonly address: number
  readonly bytes: number
  readonly category: Category
  readonly layer: number
  readonly op: string
}

export interface Layer {
  readonly path: string
  readonly kind: string
}

/** The numbers of a plan, and its pictures. Made in a worker; plain data. */
export interface Picture {
  readonly plan: Pick<
    Plan,
    | ('batch' | 'microBatch' | 'parts' | 'budgetBytes' | 'plannedPeakBytes' | 'wholeBatchBytes' | 'minimumBudgetBytes')
    | ('peakOp' | 'heldAtPeak' | 'extraTime' | 'passes' | 'storeBytes' | 'bytesPerSample' | 'notes')
  > & { readonly text: string }
  readonly segments: readonly Segment[]
  readonly ops: readonly string[]
  readonly stages: readonly Stage[]
  /** for each turn, whether it makes a value again */
  readonly again: readonly boolean[]
  /** for each turn, the number of its layer; -1: none */
  readonly layerAt: readonly number[]
  /** what each category holds at each turn; those that hold nothing are left out */
  readonly held: readonly { readonly category: Category; readonly bytes: Float64Array }[]
  readonly totals: Float64Array
  /** what the values of each layer hold at each turn, beside what stays; the last is of no layer */
  readonly byLayer: readonly Float64Array[]
  readonly layers: readonly Layer[]
  /** null on a device whose blocks have no addresses */
  readonly places: readonly Place[] | null
  readonly peakTurn: number
}

/** So many layers can be told apart in a picture; deeper models are drawn by groups. */
const MOST_LAYERS = 14

/** The name of the class of a module. */
function kindOf(module: AnyModule): string {
  const named = Object.entries(nn).find(([, made]) => made === module.constructor)
  return named ? named[0] : module.constructor.name
}

/** The modules that run, in groups by the beginnings of their paths if there are many. */
function groupsOf(model: AnyModule, paths: readonly string[]): { layers: Layer[]; numberOf: (path: string) => number } {
  const modules = new Map([...model.namedModules()])
  const distinct = [...new Set(paths.filter((path) => path !== ''))]
  const deepest = Math.max(1, ...distinct.map((path) => path.split('.').length))
  let depth = deepest
  const cut = (path: string): string => path.split('.').slice(0, depth).join('.')
  while (depth > 1 && new Set(distinct.map(cut)).size > MOST_LAYERS) depth--
  const heads = [...new Set(distinct.map(cut))]
  const size = Math.max(1, Math.ceil(heads.length / MOST_LAYERS))
  const layers = Array.from({ length: Math.ceil(heads.length / size) }, (_, i): Layer => {
    const part = heads.slice(i * size, (i + 1) * size)
    const last = part[part.length - 1]
    if (part.length > 1) return { path: `${part[0]} to ${last}`, kind: `${part.length} layers` }
    const module = modules.get(last)
    return { path: last, kind: module ? kindOf(module) : '' }
  })
  const numbers = new Map(heads.map((head, i) => [head, Math.floor(i / size)]))
  return { layers, numberOf: (path) => (path === '' ? -1 : (numbers.get(cut(path)) ?? -1)) }
}

const LABELS: Readonly<Record<Segment['name'], string>> = {
  reset: 'reset',
  'micro-batch': '',
  joint: 'joint loss',
  noise: 'noise',
  norm: 'norm',
  commit: 'commit',
}

function labelOf({ name, count, samples, level }: PlanFile['passes'][number], passes: number): string {
  if (name !== 'micro-batch') return LABELS[name]
  const which = `${count.toLocaleString('en')} × ${samples.toLocaleString('en')}`
  return passes > 1 ? `pass ${level + 1}: ${which}` : which
}

function stageOf(pass: string, op: string, kernel: string): Stage {
  if (pass === 'reset') return 'reset'
  if (pass === 'norm' || pass === 'noise' || pass === 'commit') return 'update'
  if (kernel === 'upload') return 'upload'
  return op.endsWith(' gradient') || op === 'backward' ? 'backward' : 'forward'
}

/** Sums up what is held from births and deaths. */
class Held {
  readonly #changes: Float64Array
  constructor(readonly turns: number) {
    this.#changes = new Float64Array(turns + 1)
  }
  add(from: number, to: number, bytes: number): void {
    this.#changes[from] += bytes
    this.#changes[Math.min(to + 1, this.turns)] -= bytes
  }
  sums(): Float64Array {
    let sum = 0
    return this.#changes.subarray(0, this.turns).map((change) => {
      sum += change
      return sum
    })
  }
}

export function pictureOf(plan: Plan, model: AnyModule): Picture {
  const file = plan.toJSON()
  const turns = file.passes.reduce((sum, pass) => sum + pass.turns.length, 0)
  const modules = file.passes.flatMap((pass) => [...pass.turns, ...pass.blocks].map(({ module }) => module))
  const { layers, numberOf } = groupsOf(model, modules)
  const byCategory = new Map(CATEGORIES.map((category) => [category, new Held(turns)]))
  const byLayer = Array.from({ length: layers.length + 1 }, () => new Held(turns))
  const segments: Segment[] = []
  const places: Place[] = []
  const ops: string[] = []
  const stages: Stage[] = []
  const again: boolean[] = []
  const layerAt: number[] = []
  const hold = (category: Category, from: number, to: number, bytes: number) =>
    byCategory.get(category)?.add(from, to, bytes)
  for (const category of CATEGORIES) hold(category, 0, turns, file.standing.bytes[category])
  for (const { address, bytes, category } of file.standing.blocks) {
    if (address !== null) places.push({ from: 0, to: turns - 1, address, bytes, category, layer: -1, op: 'stays' })
  }
  for (const pass of file.passes) {
    const start = ops.length
    for (const { op, kernel, module, again: repeats } of pass.turns) {
      ops.push(op)
      stages.push(stageOf(pass.name, op, kernel))
      again.push(repeats !== null)
      layerAt.push(numberOf(module))
    }
    const end = ops.length
    const { name, count, samples, level } = pass
    segments.push({ name, label: labelOf(pass, plan.passes), start, end, count, samples, level })
    for (const { birth, death, bytes, category, address, module, op } of pass.blocks) {
      const from = start + birth
      const to = death === null ? end - 1 : start + death
      const layer = numberOf(module)
      hold(category, from, to, bytes)
      byLayer[layer < 0 ? layers.length : layer].add(from, to, bytes)
      if (address !== null) places.push({ from, to, address, bytes, category, layer, op })
    }
    if (name === 'micro-batch' && file.store?.onDevice) {
      const { address, bytes } = file.store
      hold('store', start, end - 1, bytes)
      if (address !== null)
        places.push({ from: start, to: end - 1, address, bytes, category: 'store', layer: -1, op: 'store' })
    }
  }
  const held = [...byCategory]
    .map(([category, sums]) => ({ category, bytes: sums.sums() }))
    .filter(({ bytes }) => bytes.some((count) => count > 0))
  const totals = new Float64Array(turns)
  for (const { bytes } of held) for (let i = 0; i < turns; i++) totals[i] += bytes[i]
  const { batch, microBatch, parts, budgetBytes, plannedPeakBytes, wholeBatchBytes, minimumBudgetBytes } = plan
  const { peakOp, heldAtPeak, extraTime, passes, storeBytes, bytesPerSample, notes } = plan
  return {
    plan: {
      ...{ batch, microBatch, parts, budgetBytes, plannedPeakBytes, wholeBatchBytes, minimumBudgetBytes, peakOp },
      ...{ heldAtPeak, extraTime, passes, storeBytes, bytesPerSample, notes, text: String(plan) },
    },
    ...{ segments, ops, stages, again, layerAt, held, totals, layers },
    byLayer: byLayer.map((each) => each.sums()),
    places: file.addressed ? places : null,
    peakTurn: totals.reduce((best, total, i) => (total > totals[best] ? i : best), 0),
  }
}
