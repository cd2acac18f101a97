/**
 * Prepares dist/ for tsc, which compiles only what has changed since its last run. Deletes the output of sources that
 * are gone, and makes tsc start from nothing if some of its output is missing.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const DIST = fileURLToPath(new URL('../dist/', import.meta.url))
const LAST_RUN = `${DIST}tsconfig.tsbuildinfo`
const SOURCE = /^\.\.\/((?:src|kernels|test)\/.*(?<!\.d))\.ts$/

for (const folder of ['src', 'kernels', 'test']) {
  if (!existsSync(DIST + folder)) continue
  for (const file of readdirSync(DIST + folder, { recursive: true })) {
    const [, name] = /^(.*)\.js$/.exec(`${folder}/${file}`) ?? []
    if (!name || existsSync(`${DIST}../${name}.ts`)) continue
    for (const suffix of ['js', 'js.map', 'd.ts']) rmSync(`${DIST}${name}.${suffix}`, { force: true })
  }
}

if (existsSync(LAST_RUN)) {
  const compiled = JSON.parse(readFileSync(LAST_RUN, 'utf8')).fileNames.map((path) => SOURCE.exec(path)?.[1])
  if (compiled.some((name) => name && !existsSync(`${DIST}${name}.js`))) rmSync(LAST_RUN)
}
