/**
 * npm run mutants -- [FOLDER or FILE...] [--tests NAME,NAME...] [--jobs N] [--again] [--dry]
 *
 * Puts faults into the sources of each folder, one at a time, and checks whether a test fails, by Stryker with runner.mjs.
 *   --tests  only these test files, as in `--tests memory,pool`; default: those that import something from the folder
 *   --jobs   the number of faults that run at once; default 1
 *   --again  tries known mutants again. Otherwise the results in .mutants/known.json are kept for mutants with the same
 *            code and the same names of tests
 *   --dry    runs the tests without a mutant, to check that they pass and how long they take
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const FOLDERS = ['src/memory', 'src/autograd', 'src/optim', 'src/stream', 'src/cli']

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
    again: { type: 'boolean' },
    dry: { type: 'boolean' },
  },
})

for (const place of positionals.length > 0 ? positionals : FOLDERS) {
  const folder = place.replace(/\/+$/, '')
  const tests = values.tests?.split(',') ?? testsOf(folder)
  console.log(`${folder} with ${tests.join(', ')}`)
  await new Stryker(settings(folder, tests)).runMutationTest()
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

function settings(place, tests) {
  const report = `.mutants/${place.replaceAll('/', '-')}`
  return {
    mutate: [/\.ts\b/.test(place) ? place : `${place}/**/*.ts`],
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
    incrementalFile: '.mutants/known.json',
    force: values.again,
    dryRunOnly: values.dry,
    allowConsoleColors: false,
    reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
    clearTextReporter: { logTests: false, allowColor: false },
    htmlReporter: { fileName: `${report}.html` },
    jsonReporter: { fileName: `${report}.json` },
    concurrency: Number(values.jobs),
    // a whole folder fails below this share of killed mutants, in per cent
    thresholds: { high: 100, low: 90, break: FOLDERS.includes(place) ? 90 : null },
    dryRunTimeoutMinutes: 30,
    // the runner has its own time limits for each test file; this limit is for a runner that does not answer
    timeoutMS: 600000,
    timeoutFactor: 10,
  }
}
