#!/usr/bin/env node
/** The command `sluice`: main.ts, compiled. In a clone it builds first, so that it never runs old code. */
import { execSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const isClone = existsSync(`${root}tsconfig.json`)
try {
  if (isClone) execSync('npm run --silent build', { cwd: root, stdio: 'ignore' })
} catch {
  console.error('sluice: this clone does not build; `npm ci && npm run build` says why')
  process.exit(1)
}
await import('../../dist/src/cli/main.js')
