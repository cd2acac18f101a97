/** Loaded first into every process that a test starts. The mutants that the process meets count for that test. */
import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const { SLUICE_MUTANTS, SLUICE_MUTANTS_TEST } = process.env

if (isMainThread && SLUICE_MUTANTS_TEST) {
  globalThis.__stryker__ = { currentTestId: SLUICE_MUTANTS_TEST }
  process.on('exit', () => {
    const { report } = JSON.parse(SLUICE_MUTANTS)
    writeFileSync(`${report}.${process.pid}`, JSON.stringify({ coverage: globalThis.__stryker__.mutantCoverage }))
  })
}
