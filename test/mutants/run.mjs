/**
 * npm run mutants -- [FOLDER or FILE...] [--tests NAME,NAME...] [--jobs N] [--every N] [--seconds N] [--again] [--dry]
 *
 * Puts faults into the sources of the folders, one at a time, and checks whether a test fails, by Stryker with runner.mjs.
 *   --tests    only these test files, as in `--tests memory,pool`; default: those that import something from a folder
 *   --jobs     the number of faults, or of test files before them, that run at once; default 1
 *   --every    tries only each N-th fault, in the order of the sources: a sample. The others count as errors in the table
 *   --seconds  the tests of a fault may take N seconds. The slowest of those that reach it are left out, so a fault that
 *              only they would notice counts as a survivor; default: all run
 *   --again    tries known mutants again. Otherwise the results in .mutants/known.json are kept for mutants with the same
 *              code and the same names of tests
 *   --dry      runs the tests without a mutant, to check that they pass and how long they take
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const FOLDERS = ['src/memory', 'src/autograd', 'src/optim', 'src/step', 'src/stream', 'src/cli']

/** Tests that read the text of the sources, which Stryker rewrites. */
const READS_SOURCES = ['layers']

process.chdir(fileURLToPath(new URL('../../', import.meta.url)))
const NEEDED = {
  'kernels/simd/machine/compiled.ts': 'npm run build',
  'test/mutants/node_modules': 'npm ci --prefix test/mutants',
}
for (const [path, command] of Object.entries(NEEDED)) {
  if (existsSync(path)) continue
  console.error(`First: ${command}`)
  process.exit(2)
}
const { Stryker } = await import('@stryker-mutator/core')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tests: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    every: { type: 'string', default: '1' },
    seconds: { type: 'string', default: 'Infinity' },
    again: { type: 'boolean' },
    dry: { type: 'boolean' },
  },
})

const KNOWN = '.mutants/known.json'
const places = (positionals.length > 0 ? positionals : FOLDERS).map((place) => place.replace(/\/+$/, ''))
const tests = values.tests?.split(',') ?? [...new Set(places.flatMap(testsOf))]
console.log(`${places.join(', ')} with ${tests.join(', ')}`)
process.env.SLUICE_MUTANTS_EVERY = values.every
process.env.SLUICE_MUTANTS_SECONDS = values.seconds
process.env.SLUICE_MUTANTS_JOBS = values.jobs
await new Stryker(settings(places, tests)).runMutationTest()
if (existsSync(KNOWN)) forgetUntried()

/** A fault outside the sample is not known. */
function forgetUntried() {
  const known = JSON.parse(readFileSync(KNOWN, 'utf8'))
  for (const file of Object.values(known.files)) {
    file.mutants = file.mutants.filter(({ status }) => status !== 'RuntimeError')
  }
  writeFileSync(KNOWN, JSON.stringify(known))
}

/**
 * The tests of a place, found by the folder name that follows `src/`. Imports of the errors in src/memory do not count,
 * because every test has them.
 */
function testsOf(place) {
  const [, folder] = place.split('/')
  const imports = new RegExp(`from '\\.\\./src/${folder}/(?!errors\\.js)`)
  const names = readdirSync('test').flatMap((file) => file.match(/^(.+)\.test\.ts$/)?.[1] ?? [])
  return names.filter((name) => !READS_SOURCES.includes(name) && imports.test(readFileSync(fileOf(name), 'utf8')))
}

function fileOf(test) {
  return `test/${test}.test.ts`
}

function settings(places, tests) {
  const report = `.mutants/${places.join('+').replaceAll('/', '-')}`
  return {
    mutate: places.map((place) => (/\.ts\b/.test(place) ? place : `${place}/**/*.ts`)),
    testFiles: tests.map(fileOf),
    testRunner: 'uvu',
    plugins: ['./test/mutants/runner.mjs', './test/mutants/wording.mjs'],
    ignorers: ['wording'],
    coverageAnalysis: 'perTest',
    buildCommand: 'node test/mutants/sandbox.mjs',
    ignorePatterns: ['dist', 'docs', 'test/bench', 'test/browser', '.ci', '.mutants'],
    tempDirName: '.mutants/sandboxes',
    // node_modules are found above the sandbox
    symlinkNodeModules: false,
    // Stryker's handling of types needs an older TypeScript; sandbox.mjs does not need it
    disableTypeChecks: false,
    tsconfigFile: 'none',
    incremental: true,
    incrementalFile: KNOWN,
    force: values.again,
    dryRunOnly: values.dry,
    allowConsoleColors: false,
    reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
    clearTextReporter: { logTests: false, allowColor: false },
    htmlReporter: { fileName: `${report}.html` },
    jsonReporter: { fileName: `${report}.json` },
    concurrency: Number(values.jobs),
    // whole folders fail below this share of killed mutants, in per cent
    thresholds: { high: 100, low: 90, break: places.every((place) => FOLDERS.includes(place)) ? 90 : null },
    dryRunTimeoutMinutes: 30,
    // the runner has its own time limits for each test file; this limit is for a runner that does not answer
    timeoutMS: 600000,
    timeoutFactor: 10,
  }
}
