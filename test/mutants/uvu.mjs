/**
 * Replaces uvu in the sandbox, for tests written with `test(name, fn)`, `test.before(fn)`, `test.after(fn)`
 * and `test.run()`.
 * Unlike uvu it runs the tests that SLUICE_MUTANTS names, in that order, ends the process at the first failure,
 * tells the switch of the mutants which test is running, and writes a report when the process ends.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** names: null for all; report: the file to write; hitLimit: how often a mutant may be met */
const { names, report, hitLimit } = JSON.parse(process.env.SLUICE_MUTANTS)

globalThis.__stryker__ ??= {}
if (hitLimit) Object.assign(globalThis.__stryker__, { hitCount: 0, hitLimit })

// The first counterexample shows the fault; to shrink it would take most of the time.
const source = readFileSync(process.argv[1], 'utf8')
if (source.includes("/property.js'") && !source.includes('.counterexample')) {
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true })
}

const tests = new Map()
const before = []
const after = []
const finished = []
let running = null
let started = 0
let timer

/** A number tells tests of the same name apart. */
export function test(name, run) {
  let unique = name
  for (let i = 2; tests.has(unique); i++) unique = `${name} (${i})`
  tests.set(unique, run)
}
test.before = (run) => before.push(run)
test.after = (run) => after.push(run)
test.skip = () => {}
// as in uvu, a module can go on after its `test.run()`
test.run = () => {
  clearTimeout(timer)
  timer = setTimeout(runAll)
}

async function runAll() {
  for (const run of before) await run()
  for (const name of names ?? tests.keys()) await runOne(name)
  for (const run of after) await run()
  enter(null)
}

async function runOne(name) {
  enter(name)
  const began = performance.now()
  const state = { __test__: name, __suite__: '' }
  let error = null
  try {
    await tests.get(name)(state)
  } catch (thrown) {
    error = String(thrown)
  }
  finished.push({ name, ms: performance.now() - began, error })
  if (error !== null) process.exit(1)
}

/** A child process learns from its environment which test it belongs to. */
function enter(name) {
  started++
  running = name
  globalThis.__stryker__.currentTestId = name ?? undefined
  if (name === null) delete process.env.SLUICE_MUTANTS_TEST
  else process.env.SLUICE_MUTANTS_TEST = name
}

process.on('exit', (code) => {
  const done = started > 0 && running === null
  if (code === 0 && !done) process.exitCode = 1
  writeFileSync(report, JSON.stringify({ finished, running, coverage: globalThis.__stryker__.mutantCoverage }))
})
