/** The verifier: it accepts every plan that the library makes, and refuses every one that was tampered with. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../src/device/device.js'
import { type DeviceKind, openVirtualDevice } from '../src/device/open.js'
import { mlp, transformer } from '../src/models/index.js'
import type { Module } from '../src/nn/index.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import type { Loss } from '../src/ops/loss.js'
import { adam } from '../src/optim/index.js'
import type { Mode } from '../src/stream/kind.js'
import type { Recompute } from '../src/stream/options.js'
import type { PlanFile, PlannedBlock, PlannedPass } from '../src/stream/plan-format.js'
import { Streamer } from '../src/stream/streamer.js'
import { InvalidPlanError, verifyPlan } from '../src/verify/verify.js'
import { fc } from './property.js'
import { RandomNet, steps } from './random-nets.js'
import { SMALL_MODELS } from './small-models.js'

const KINDS: readonly DeviceKind[] = ['cpu', 'reference', 'gpu']
const SETTINGS: readonly Recompute[] = ['never', 'cheap', 'needed', 0.15, 1]
const MODES: readonly Mode[] = ['train', 'evaluate', 'predict']

type Editable<T> = { -readonly [Name in keyof T]: T[Name] extends object ? Editable<T[Name]> : T[Name] }
type File = Editable<PlanFile>
type Pass = Editable<PlannedPass>
type Block = Editable<PlannedBlock>

interface Case {
  kind: DeviceKind
  net(device: Device): Module
  batch: number
  recompute: Recompute
  mode?: Mode
  /** from the smallest budget, 0, to one that holds the whole mini-batch, 1 */
  share: number
  targetShape?: readonly number[]
  loss?: Loss
}

/** The plan as another program reads it. */
function fileOf({ kind, net, batch, recompute, mode, share, targetShape, loss = crossEntropy }: Case): File {
  const planOn = (memory?: number) => {
    const model = net(openVirtualDevice(kind, memory === undefined ? {} : { memory }))
    const streamer = new Streamer({ model, loss, optimizer: adam(model), recompute })
    return streamer.plan({ batch, mode, targetShape })
  }
  const { minimumBudgetBytes, wholeBatchBytes } = planOn()
  const budget = Math.ceil(minimumBudgetBytes + share * (wholeBatchBytes - minimumBudgetBytes))
  return JSON.parse(JSON.stringify(planOn(budget)))
}

test('the verifier imports only errors, and is short', () => {
  const source = readFileSync(fileURLToPath(new URL('../../src/verify/verify.ts', import.meta.url)), 'utf8')
  assert.equal(source.match(/\bfrom '.*'/g), ["from '../memory/errors.js'"])
  assert.ok(source.trimEnd().split('\n').length < 150)
})

for (const kind of KINDS) {
  test(`${kind}: plans of the models are valid`, () => {
    // the deepest models take minutes, and so would every setting in every mode: they take turns
    const models = SMALL_MODELS.filter(({ name }) => !/resnet101|amoebanet/.test(name))
    for (const [i, { name, make, loss, targetShape }] of models.entries()) {
      const net = (device: Device) => make(device, 1)
      const of = { kind, net, batch: 20, loss, targetShape }
      verifyPlan(fileOf({ ...of, recompute: SETTINGS[i % SETTINGS.length], share: 0.1 }))
      const file = fileOf({ ...of, recompute: 'cheap', mode: MODES[i % MODES.length], share: 0.5 })
      verifyPlan(file)
      assert.is(file.addressed, kind !== 'gpu', name)
    }
    const options = { vocabulary: 11, context: 6, width: 8, heads: 2, layers: 2, seed: 1 }
    const net = (device: Device) => transformer(device, options)
    for (const recompute of SETTINGS) {
      verifyPlan(fileOf({ kind, net, batch: 12, recompute, share: 0.2, targetShape: [6] }))
    }
  })

  test(`${kind}: plans of random networks are valid`, () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(...SETTINGS),
        fc.constantFrom(...MODES),
        fc.integer({ min: 0, max: 4 }),
        (drawn, batch, recompute, mode, quarters) => {
          const net = (device: Device) => new RandomNet(device, drawn)
          verifyPlan(fileOf({ kind, net, batch, recompute, mode, share: quarters / 4 }))
        },
      ),
      { seed: 14, numRuns: 40 },
    )
  })
}

// Plans that were tampered with

/** Changes one thing so that the plan is wrong. @returns false if it found nothing to change */
type Mutation = (file: File, pick: (below: number) => number) => boolean

const passOf = (file: File, pick: (below: number) => number): Pass => file.passes[pick(file.passes.length)]
const endOf = ({ death }: Block, { turns }: Pass): number => death ?? turns.length
const address = (block: { address: number | null }): number => block.address ?? 0

/** Two blocks of a pass that live at the same turn. */
function together(pass: Pass, pick: (below: number) => number): [Block, Block] | null {
  const { blocks } = pass
  if (blocks.length < 2) return null
  const first = blocks[pick(blocks.length)]
  const others = blocks.filter(
    (other) => other !== first && other.birth <= endOf(first, pass) && first.birth <= endOf(other, pass),
  )
  return others.length > 0 ? [first, others[pick(others.length)]] : null
}

/** Applies `change` to a block. */
const toBlock =
  (change: (block: Block, pass: Pass, file: File, pick: (below: number) => number) => boolean): Mutation =>
  (file, pick) => {
    const pass = passOf(file, pick)
    return pass.blocks.length > 0 && change(pass.blocks[pick(pass.blocks.length)], pass, file, pick)
  }

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a block moves onto another': (file, pick) => {
    const pair = file.addressed && together(passOf(file, pick), pick)
    if (pair) pair[0].address = pair[1].address
    return Boolean(pair)
  },
  'a block grows into the next': (file, pick) => {
    const pair = file.addressed && together(passOf(file, pick), pick)
    if (!pair) return false
    const [low, high] = pair.sort((a, b) => address(a) - address(b))
    low.bytes = address(high) - address(low) + 64
    return true
  },
  'a block moves onto standing memory': toBlock((block, _, { addressed, standing }, pick) => {
    if (addressed) block.address = standing.blocks[pick(standing.blocks.length)].address
    return addressed
  }),
  'standing memory moves onto other standing memory': ({ addressed, standing: { blocks } }, pick) => {
    const [one, other] = [pick(blocks.length), pick(blocks.length)]
    blocks[one].address = blocks[other].address
    return addressed && one !== other
  },
  'a block moves beyond the peak': toBlock((block, pass, { addressed }) => {
    block.address = Math.ceil(pass.peakBytes / 64) * 64
    return addressed
  }),
  'a block is not aligned': toBlock((block, _, { addressed }, pick) => {
    block.address = address(block) + 1 + pick(63)
    return addressed
  }),
  'an address is given, although the device has none': toBlock((block, _, { addressed }) => {
    block.address = 64
    return !addressed
  }),
  'an address is missing': toBlock((block, _, { addressed }) => {
    block.address = null
    return addressed
  }),
  'the size of a block is not aligned': toBlock((block, _, __, pick) => {
    block.bytes -= 1 + pick(15)
    return true
  }),
  'a life is longer': toBlock((block, { turns }) => {
    if (block.death === null || block.death === turns.length - 1) return false
    block.death++
    return true
  }),
  'a life ends early': toBlock((block) => block.death !== null && block.death-- >= 0),
  'a life begins early': toBlock((block) => block.birth-- > -1),
  'a life begins late': toBlock((block) => block.birth++ >= 0),
  'a life never ends': toBlock((block, _, { mode }) => {
    block.death = null
    return mode === 'train'
  }),
  'a block is gone': (file, pick) => {
    const { blocks } = passOf(file, pick)
    return blocks.splice(pick(Math.max(1, blocks.length)), 1).length > 0
  },
  'a block is there twice': (file, pick) => {
    const { blocks } = passOf(file, pick)
    if (blocks.length > 0) blocks.push(blocks[pick(blocks.length)])
    return blocks.length > 0
  },
  'two blocks change places in the list': (file, pick) => {
    const { blocks } = passOf(file, pick)
    if (blocks.length < 2) return false
    const one = pick(blocks.length - 1)
    const [a, b] = [blocks[one], blocks[one + 1]]
    blocks.splice(one, 2, b, a)
    return a.birth !== b.birth || a.death !== b.death
  },
  'a turn is gone': (file, pick) => {
    const { turns } = passOf(file, pick)
    const gone = turns.splice(pick(turns.length), 1)
    return gone.some(({ operands }) => operands.some((operand) => operand !== null))
  },
  'a turn touches a block that does not live': (file, pick) => {
    const pass = passOf(file, pick)
    const at = pick(pass.turns.length)
    const dead = [...pass.blocks.keys()].filter((i) => pass.blocks[i].birth > at || endOf(pass.blocks[i], pass) < at)
    if (dead.length === 0) return false
    pass.turns[at].operands.push(dead[pick(dead.length)])
    return true
  },
  'a turn touches a block that does not exist': (file, pick) => {
    const { turns, blocks } = passOf(file, pick)
    turns[pick(turns.length)].operands.push(blocks.length)
    return true
  },
  'a turn repeats a later one': (file, pick) => {
    const { turns } = passOf(file, pick)
    const at = pick(turns.length)
    turns[at].again = at + pick(turns.length - at)
    return true
  },
  'a turn repeats one of another kind': (file, pick) => {
    const { turns } = passOf(file, pick)
    const at = pick(turns.length)
    const others = [...turns.keys()].filter((i) => i < at && turns[i].kernel !== turns[at].kernel)
    if (others.length > 0) turns[at].again = others[pick(others.length)]
    return others.length > 0
  },
  'a block is of another module': toBlock((block) => {
    block.module += 'x'
    return true
  }),
  'a block is of no category': toBlock((block) => {
    Object.assign(block, { category: 'constructor' })
    return true
  }),
  'the peak of a pass is lower': (file, pick) => {
    passOf(file, pick).peakBytes -= 64
    return true
  },
  'the peak of a pass is higher': (file, pick) => {
    passOf(file, pick).peakBytes += 64
    return true
  },
  'the peak of the step is lower': (file) => file.peakBytes-- > 0,
  'the peak of the step is higher': (file) => file.peakBytes++ >= 0,
  'the budget is below the peak': (file) => {
    file.budgetBytes = file.peakBytes - 1
    return true
  },
  'standing memory is missing': ({ standing: { blocks } }, pick) => blocks.splice(pick(blocks.length), 1).length > 0,
  'standing bytes are not those of the blocks': ({ standing: { bytes } }) => bytes.parameter++ > 0,
  'a pass is gone': ({ passes }, pick) => {
    const at = pick(passes.length)
    return passes.splice(at, 1).length > 0
  },
  'a pass is in another place': ({ passes }, pick) => {
    const [pass] = passes.splice(pick(passes.length), 1)
    if (pass.name === 'reset') passes.push(pass)
    else passes.unshift(pass)
    return true
  },
  'a pass runs once more': (file, pick) => passOf(file, pick).count++ > 0,
  'a micro-batch is larger': (file, pick) => passOf(file, pick).samples++ >= 0,
  'the mini-batch is larger': (file) => file.batch++ > 0,
  'the mode is another': (file) => {
    const before = file.mode
    file.mode = 'train'
    return before !== 'train'
  },
  'the version is another': (file) => {
    Object.assign(file, { version: 2 })
    return true
  },
}

test('200 plans are tampered with, in every way above, and each is refused', () => {
  const met = new Map<string, number>()
  const cases: fc.Arbitrary<Case> = fc
    .record({
      drawn: steps,
      kind: fc.constantFrom(...KINDS),
      batch: fc.integer({ min: 2, max: 12 }),
      recompute: fc.constantFrom(...SETTINGS),
      mode: fc.constantFrom<Mode>('train', 'train', 'evaluate'),
      share: fc.constantFrom(0, 0.3, 1),
    })
    .map(({ drawn, ...rest }) => ({ ...rest, net: (device: Device) => new RandomNet(device, drawn) }))
  let next = 0
  const names = Object.keys(MUTATIONS)
  let refused = 0
  fc.assert(
    fc.property(cases, fc.infiniteStream(fc.nat()), (drawn, numbers) => {
      const file: File = fileOf(drawn)
      verifyPlan(file)
      const pick = (below: number): number => Number(numbers.next().value) % below
      // several kinds of tampering with one plan, each on a separate copy
      for (let tries = 0; tries < 8; tries++) {
        const name = names[next++ % names.length]
        const changed = structuredClone(file)
        if (!MUTATIONS[name](changed, pick)) continue
        const message = assertRefused(changed, name)
        assert.match(message, /\S+ (is|are|has|does|cannot|runs|peaks|overlaps) /)
        met.set(name, (met.get(name) ?? 0) + 1)
        refused++
      }
    }),
    { seed: 15, numRuns: 60, endOnFailure: true },
  )
  assert.ok(refused >= 200, `${refused}`)
  for (const name of names) assert.ok((met.get(name) ?? 0) > 0, `never met: ${name}`)
})

function assertRefused(file: unknown, name: string): string {
  try {
    verifyPlan(file)
  } catch (error) {
    assert.instance(error, InvalidPlanError, `${name}: ${error}`)
    return (error as Error).message
  }
  throw new Error(`accepted: ${name}`)
}

test('for any content of a file, the result is a verdict', () => {
  const net = (device: Device) => mlp(device, { inputShape: [4], classes: 2, seed: 1 })
  const file: File = fileOf({ kind: 'cpu', net, batch: 4, recompute: 'never', share: 0.5 })
  fc.assert(
    fc.property(fc.anything(), (value) => void assertRefused(value, 'anything')),
    { seed: 16 },
  )
  const paths: (string | number)[][] = []
  const walk = (value: unknown, path: (string | number)[]): void => {
    if (path.length > 0) paths.push(path)
    if (typeof value !== 'object' || value === null) return
    for (const [key, each] of Object.entries(value)) walk(each, [...path, key])
  }
  walk(file, [])
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.anything(), (path, value) => {
      const changed = structuredClone(file)
      let at = changed as unknown as Record<string, unknown>
      for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>
      at[path[path.length - 1]] = value
      try {
        verifyPlan(changed)
      } catch (error) {
        assert.instance(error, InvalidPlanError)
      }
    }),
    { seed: 17, numRuns: 2000 },
  )
})

test.run()
