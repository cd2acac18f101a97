/**
 * A Stryker test runner for uvu. Each test file runs in a process of its own, so a mutant is active from the first line
 * of every module: no mutant is "static", and none leaves anything behind.
 *   dryRun     runs every file once, and records how long each test takes and which mutants it meets. The mutants that a
 *              module meets while it loads count for every test of the file.
 *   mutantRun  runs the tests that meet the mutant, file by file, up to the first failure. It leaves out the slowest of them
 *              if all would take longer than SLUICE_MUTANTS_SECONDS, and the mutants that are not in the sample of
 *              SLUICE_MUTANTS_EVERY.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import { DryRunStatus, MutantRunStatus, TestStatus } from '@stryker-mutator/api/test-runner'

const FOLDER = 'dist/test'
/** The file with the results of the dry run, written by one runner and read by the others. */
const LEARNED = 'mutants.json'
const CHILD = new URL('child.mjs', import.meta.url).href

/**
 * The time limit of a process is this many times its time in the dry run, plus the time that a busy machine needs to
 * start it.
 */
const PATIENCE = 4
const START_MS = 8000

/** The time limit for the tests of a mutant; with EVERY above 1, only each EVERY-th mutant is tried. */
const LIMIT_MS = 1000 * Number(process.env.SLUICE_MUTANTS_SECONDS ?? Infinity)
const EVERY = Number(process.env.SLUICE_MUTANTS_EVERY ?? 1)
const JOBS = Number(process.env.SLUICE_MUTANTS_JOBS ?? 1)

/** What the report says of a mutant outside the sample. */
const NOT_TRIED = 'not in the sample'

const idOf = (file, name) => `${basename(file, '.test.js')}: ${name}`

class UvuRunner {
  #reports = mkdtempSync(join(tmpdir(), 'sluice-mutants-'))
  /** tests: by id, { file, name, ms }; loadMs: by file, the time until its first test begins */
  #learned = null
  /** by source and test file: the number of the source's mutants that the test file has killed */
  #kills = new Map()

  capabilities() {
    return { reloadEnvironment: true }
  }

  async dryRun({ timeout, testFiles }) {
    const perTest = {}
    const learned = { tests: {}, loadMs: {} }
    const files = testFiles.map((path) => basename(path).replace(/ts$/, 'js'))
    const results = await sideBySide(files, async (file) => {
      const began = performance.now()
      const env = { NODE_OPTIONS: `--import ${CHILD}` }
      const result = await this.#run(file, { names: null }, env, timeout)
      return { file, ...result, ms: performance.now() - began }
    })
    for (const { file, code, finished, coverages, output, ms: wholeMs } of results) {
      if (code !== 0) return { status: DryRunStatus.Error, errorMessage: `${file} fails without a mutant\n${output}` }
      for (const { name, ms } of finished) learned.tests[idOf(file, name)] = { file, name, ms }
      const tests = finished.map(({ name }) => idOf(file, name))
      learned.loadMs[file] = wholeMs - finished.reduce((sum, { ms }) => sum + ms, 0)
      for (const coverage of coverages) {
        for (const id of tests) count(perTest, id, coverage.static)
        for (const [name, hits] of Object.entries(coverage.perTest)) count(perTest, idOf(file, name), hits)
      }
    }
    writeFileSync(LEARNED, JSON.stringify(learned))
    const tests = Object.entries(learned.tests).map(([id, { file, ms }]) => ({
      id,
      name: id,
      status: TestStatus.Success,
      timeSpentMs: ms,
      fileName: resolve('test', file.replace(/js$/, 'ts')),
    }))
    return { status: DryRunStatus.Complete, tests, mutantCoverage: { static: {}, perTest } }
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, sandboxFileName }) {
    if (activeMutant.id % EVERY !== 0) return { status: MutantRunStatus.Error, errorMessage: NOT_TRIED }
    const kills = (file) => this.#kills.get(`${sandboxFileName} ${file}`) ?? 0
    const runs = this.#runsOf(testFilter).sort((a, b) => a.ms / (1 + kills(a.file)) - b.ms / (1 + kills(b.file)))
    let nrOfTests = 0
    for (const { file, names, ms } of runs) {
      const env = { __STRYKER_ACTIVE_MUTANT__: activeMutant.id }
      const timeoutMs = PATIENCE * ms + START_MS
      const { code, finished, running, output } = await this.#run(file, { names, hitLimit }, env, timeoutMs)
      if (code === null) return { status: MutantRunStatus.Timeout, reason: idOf(file, running ?? names[0]) }
      nrOfTests += finished.length
      if (code === 0) continue
      this.#kills.set(`${sandboxFileName} ${file}`, kills(file) + 1)
      const failure = finished.find(({ error }) => error !== null)
      const killedBy = [idOf(file, failure?.name ?? running ?? names[0])]
      return { status: MutantRunStatus.Killed, killedBy, failureMessage: failure?.error ?? output, nrOfTests }
    }
    return { status: MutantRunStatus.Survived, nrOfTests }
  }

  dispose() {
    rmSync(this.#reports, { recursive: true, force: true })
  }

  /** Tests by file, the quickest first, as far as the limit allows. */
  #runsOf(ids) {
    this.#learned ??= JSON.parse(readFileSync(LEARNED, 'utf8'))
    const { tests, loadMs } = this.#learned
    const runs = new Map()
    let whole = 0
    for (const { file, name, ms } of ids.map((id) => tests[id]).sort((a, b) => a.ms - b.ms)) {
      whole += ms + (runs.has(file) ? 0 : loadMs[file])
      if (whole > LIMIT_MS && runs.size > 0) break
      const run = runs.get(file) ?? { file, names: [], ms: loadMs[file] }
      runs.set(file, run)
      run.names.push(name)
      run.ms += ms
    }
    return [...runs.values()]
  }

  /** Runs tests of one file; `code` is null if they did not end in time. */
  async #run(file, settings, env, timeoutMs) {
    const folder = mkdtempSync(join(this.#reports, 'run-'))
    const report = join(folder, 'report.json')
    const SLUICE_MUTANTS = JSON.stringify({ ...settings, report })
    // a process group of its own, so that its child processes can be ended with it
    const child = spawn(process.execPath, [join(FOLDER, file)], {
      detached: true,
      env: { ...process.env, NO_COLOR: '1', ...env, SLUICE_MUTANTS },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output = (output + data).slice(-10000)
      })
    }
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // the group has already ended
      }
    }
    process.once('exit', end)
    let late = false
    const timer = setTimeout(() => {
      late = true
      end()
    }, timeoutMs)
    const status = await new Promise((done) => child.on('close', done))
    clearTimeout(timer)
    process.off('exit', end)
    end()
    const told = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
    const { finished = [], running = null, coverage } = told
    const coverages = [coverage, ...coveragesOfChildren(folder)].filter((found) => found !== undefined)
    rmSync(folder, { recursive: true })
    return { code: late ? null : (status ?? 1), finished, running, coverages, output }
  }
}

function coveragesOfChildren(folder) {
  const files = readdirSync(folder).filter((name) => name !== 'report.json')
  return files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).coverage)
}

/** Runs `fn` on all items, JOBS at a time. */
async function sideBySide(items, fn) {
  const results = []
  const left = items.entries()
  const work = async () => {
    for (const [i, item] of left) results[i] = await fn(item)
  }
  await Promise.all(Array.from({ length: JOBS }, work))
  return results
}

function count(perTest, id, hits) {
  perTest[id] ??= {}
  for (const [mutant, times] of Object.entries(hits)) perTest[id][mutant] = (perTest[id][mutant] ?? 0) + times
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'uvu', UvuRunner)]
