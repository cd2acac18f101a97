/**
 * No old code runs: what a build deletes first, and how the command line behaves in a clone and in a package. Each test
 * has a folder with only the files that it needs.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CHILD_ENV } from './child-env.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Runs a script of this repository in a folder that has `files`: `left` are the paths that exist afterwards, `texts` their
 * contents.
 */
function runIn(script: string, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-build-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    cpSync(join(ROOT, script), join(folder, script))
    const options = { cwd: folder, env: CHILD_ENV, encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], options)
    const left = Object.keys(files).filter((path) => existsSync(join(folder, path)))
    const texts = Object.fromEntries(left.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
    return { status, stdout, stderr, left, texts }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const NAMES = '{"fileNames":["lib.d.ts","../kernels/a.ts","../node_modules/x/src/b.ts"]}'

test('before tsc: outputs without a source are deleted; where an output is missing, the record of the last run is deleted too', () => {
  const kept = {
    'kernels/a.ts': '',
    'dist/kernels/a.js': '',
    'dist/kernels/a.d.ts': '',
    'dist/tsconfig.tsbuildinfo': NAMES,
  }
  assert.equal(runIn('kernels/stale.mjs', kept).left, Object.keys(kept))
  const gone = { 'dist/kernels/room/b.js': '', 'dist/kernels/room/b.d.ts': '' }
  assert.equal(runIn('kernels/stale.mjs', { ...kept, ...gone }).left, Object.keys(kept))
  const { 'dist/kernels/a.js': _, ...missing } = kept
  assert.not(runIn('kernels/stale.mjs', missing).left.includes('dist/tsconfig.tsbuildinfo'))
  assert.is(runIn('kernels/stale.mjs', { 'kernels/a.ts': '' }).status, 0)
})

test('the text of a program is kept once, however often the script runs, and a package has no second copy', () => {
  const path = 'dist/kernels/gpu/a.js'
  const program = 'export function twice(x) {\n    return x + x;\n}\n'
  const machinery = 'export function all(xs) {\n    return xs.map((x) => twice(x));\n}\n'
  const mapped = '//# sourceMappingURL=a.js.map'
  const once = runIn('kernels/keep.mjs', { [path]: program + machinery + mapped }).texts
  assert.match(once[path], 'twice.toString = () => "function twice(x) {\\nreturn x + x;\\n}";')
  assert.not.match(once[path], 'all.toString')
  assert.equal(runIn('kernels/keep.mjs', once).texts, once)
  // ship.mjs removes the line that names the map
  const shipped = { [path]: once[path].replace(/^\/\/# sourceMappingURL=.*\n?/gm, '') }
  assert.is(runIn('kernels/keep.mjs', shipped).texts[path].split('twice.toString').length, 2)
})

test('sluice: a clone is built first, and one line tells if the build fails; a package just runs', () => {
  const program = { 'dist/src/cli/main.js': "console.log('ran')" }
  const clone = (build: string) => ({
    ...program,
    'kernels/stale.mjs': "console.log('noise')",
    'tsconfig.json': '{}',
    'package.json': JSON.stringify({ scripts: { build } }),
  })
  const runs = (files: Record<string, string>) => runIn('src/cli/sluice.mjs', { 'src/cli/sluice.mjs': '', ...files })
  for (const files of [program, clone('node kernels/stale.mjs')]) {
    const { status, stdout, stderr } = runs(files)
    assert.equal({ status, stdout, stderr }, { status: 0, stdout: 'ran\n', stderr: '' })
  }
  const { status, stdout, stderr } = runs(clone('node missing.mjs'))
  assert.equal([status, stdout], [1, ''])
  assert.match(stderr, /^sluice: this clone does not build; .*\n$/)
})

test.run()
