/** Budgets that are a share of what the container or the machine offers, in code and on the command line. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { ArgumentError, openDevice, openVirtualDevice } from '../src/index.js'
import { CHILD_ENV } from './child-env.js'
import { eventsIn, eventsOf, MAIN, sluice } from './command-line.js'
import { errorOf } from './error-of.js'

const PAGE = 65536
const pagesOf = (bytes: number): number => Math.floor(bytes / PAGE) * PAGE

/** Runs `fn` where Node says that the container has this limit. */
async function limitedTo<T>(bytes: number | undefined, fn: () => Promise<T>): Promise<T> {
  const { constrainedMemory } = process
  process.constrainedMemory = () => bytes as number
  try {
    return await fn()
  } finally {
    process.constrainedMemory = constrainedMemory
  }
}

test('a share is of the limit of the container, in whole pages, for real and virtual devices', async () => {
  await limitedTo(100_000_000, async () => {
    for (const [share, bytes] of [
      ['60%', 60_000_000],
      ['0.5 %', 500_000],
      [' 100% ', 100_000_000],
    ] as const) {
      const device = await openDevice('cpu', { memory: share })
      assert.is(device.memory.budgetBytes, pagesOf(bytes))
      await device.close()
      assert.is(openVirtualDevice('reference', { memory: share }).memory.budgetBytes, pagesOf(bytes))
    }
  })
})

test('without a limit it is of the machine; more than a device can have is cut to 4 GiB', async () => {
  // what Node says of a process without a limit
  for (const none of [undefined, 0, 2 ** 64, 2 ** 63 - 4096]) {
    await limitedTo(none, async () => {
      const { budgetBytes } = openVirtualDevice('cpu', { memory: '1%' }).memory
      assert.is(budgetBytes, Math.min(2 ** 32, pagesOf(totalmem() / 100)))
      const [offer] = (await eventsOf('devices')).slice(-1)
      assert.equal(offer, { event: 'memory', bytes: totalmem(), by: 'machine' })
    })
  }
  const { getBuiltinModule } = process
  const os = { ...getBuiltinModule('node:os'), totalmem: () => 2 ** 40 }
  process.getBuiltinModule = ((name: string) => (name === 'node:os' ? os : getBuiltinModule(name))) as never
  try {
    await limitedTo(0, async () => {
      assert.is(openVirtualDevice('cpu', { memory: '60%' }).memory.budgetBytes, 2 ** 32)
    })
  } finally {
    process.getBuiltinModule = getBuiltinModule
  }
})

test('what is no share, a share of a gpu, and a platform that does not say are refused by name', async () => {
  const cases: [string, RegExp][] = [
    ['0%', /'0%' is not a share of memory: use more than 0 % and at most 100 %/],
    ['101%', /'101%' is not a share of memory/],
    ['-5%', /'-5%' is not a byte size/],
    ['%', /'%' is not a byte size/],
    ['60%%', /'60%%' is not a byte size/],
  ]
  for (const [memory, message] of cases) {
    const error = await errorOf(openDevice('cpu', { memory }))
    assert.instance(error, ArgumentError)
    assert.match(String(error), message)
  }
  assert.match(String(await errorOf(openDevice('gpu', { memory: '60%' }))), 'a gpu does not say how much memory it has')
  const { getBuiltinModule } = process
  process.getBuiltinModule = undefined as never
  try {
    await limitedTo(0, async () => {
      const error = await errorOf(openDevice('cpu', { memory: '60%' }))
      assert.match(String(error), "'60%' of what? This platform does not say how much memory it offers: give bytes")
    })
  } finally {
    process.getBuiltinModule = getBuiltinModule
  }
})

test('--memory 60% plans and trains under the share, says so, and keeps it in a file as a share', async () => {
  await limitedTo(2 ** 20, async () => {
    const budget = pagesOf(0.6 * 2 ** 20)
    const [plan] = await eventsOf('plan --model mlp --batch 512 --memory 60%')
    assert.is(plan.budgetBytes, budget)
    assert.equal(plan.notes, ['--memory is 576 KiB, 60% of the 1 MiB that this container offers'])
    const trained = await eventsOf('train --model mlp --batch 512 --epochs 1 --memory 60%')
    assert.equal([trained[0].budgetBytes, trained[0].parts], [budget, plan.parts])
    assert.match((await sluice('plan --model mlp --batch 512 --memory 60%')).out, 'note: --memory is 576 KiB, 60% of')
  })
  for (const [flags, message] of [
    ['--memory 200%', /--memory: '200%' is not a share of memory/],
    ['--memory 60% --device gpu', /--memory: '60%': a gpu does not say how much memory it has/],
  ] as const) {
    const { code, err } = await sluice(`plan ${flags}`)
    assert.is(code, EXIT.usage)
    assert.match(err, message)
  }
})

/** Set the limit of a control group, of version 1 or 2. @returns false if it is a folder without a limit on memory */
function limit(group: string, bytes: number): boolean {
  const files = ['memory.limit_in_bytes', 'memory.max'].map((name) => `${group}/${name}`)
  for (const file of files.filter(existsSync)) writeFileSync(file, String(bytes))
  return files.some(existsSync)
}

/** A new control group with a limit on memory; null where none can be made. */
function limitedGroup(bytes: number): string | null {
  for (const root of ['/sys/fs/cgroup/memory', '/sys/fs/cgroup']) {
    const group = `${root}/sluice-${process.pid}`
    try {
      mkdirSync(group)
      if (limit(group, bytes)) return group
      rmdirSync(group)
    } catch {
      // not allowed
    }
  }
  return null
}

const LIMIT = 400 * 2 ** 20
const group = limitedGroup(LIMIT)
const inGroup = group === null ? test.skip : test
if (group === null) console.log('skipped: no control group with a limit can be made here')

inGroup(
  'in a control group of 400 MiB, 60% is 240 MiB; what the summary says of the process is enough for a group',
  () => {
    const train = (memory: string) => {
      const args = ['-c', `echo $$ > ${group}/cgroup.procs && exec "$0" "$@"`, process.execPath, MAIN]
      const flags = `train --model mlp --batch 512 --epochs 2 --memory ${memory} --json`.split(' ')
      const { status, stdout, stderr } = spawnSync('sh', [...args, ...flags], { env: CHILD_ENV, encoding: 'utf8' })
      assert.is(status, EXIT.done, stderr)
      return eventsIn(stdout)
    }
    try {
      const all = train('60%')
      assert.is(all[0].budgetBytes, 0.6 * LIMIT)
      assert.equal(all[0].notes, ['--memory is 240 MiB, 60% of the 400 MiB that this container offers'])
      const { peakBytes } = JSON.parse(JSON.stringify(all.at(-1)?.process))
      assert.ok(peakBytes < LIMIT, `${peakBytes}`)
      limit(`${group}`, peakBytes)
      train('240MiB')
    } finally {
      rmdirSync(`${group}`)
    }
  },
)

test.run()
