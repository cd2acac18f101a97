/**
 * Runs the examples of the README and of docs/: every ```ts or ```js block whose first line is
 * `// example: name` is written to dist/examples, where `sluice` means this package, compiled under
 * the strict settings of this repository, and run. Builds first. Fails if an example does not compile, throws, or
 * hangs. With --gpu, which needs WebGL2 for Node, only the examples `// example on a gpu: name` are run:
 *
 *   node test/examples.mjs [name...]
 *   npm ci --prefix test/gpu && xvfb-run -a node test/examples.mjs --gpu [name...]
 */
import { execSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SCRATCH = join(ROOT, 'dist', 'examples')
const LONGEST_RUN_MS = 300_000
const EXAMPLE = /^```(ts|js)\n(\/\/ example( on a gpu)?: ([\w-]+)\n[\s\S]*?)^```$/gm

execSync('npm run --silent build', { cwd: ROOT, stdio: 'inherit' })

const [onGpu, names] = process.argv[2] === '--gpu' ? [true, process.argv.slice(3)] : [false, process.argv.slice(2)]
const FLAGS = onGpu ? ['--import', new URL('gpu/gl.mjs', import.meta.url).href] : []

const pages = [...readdirSync(ROOT), ...readdirSync(join(ROOT, 'docs')).map((file) => `docs/${file}`)]
const examples = pages
  .filter((page) => page.endsWith('.md'))
  .flatMap((page) => [...readFileSync(join(ROOT, page), 'utf8').matchAll(EXAMPLE)].map((block) => ({ page, block })))
  .map(({ page, block: [, language, code, gpu, name] }) => ({ page, language, code, gpu: gpu !== undefined, name }))
  .filter(({ gpu, name }) => gpu === onGpu && (names.length === 0 || names.includes(name)))

const twice = examples.find(({ name }, i) => examples.findIndex((other) => other.name === name) !== i)
if (twice) throw new Error(`${twice.page}: there are two examples named '${twice.name}'`)

rmSync(SCRATCH, { recursive: true, force: true })
mkdirSync(SCRATCH, { recursive: true })
for (const { name, language, code } of examples) writeFileSync(join(SCRATCH, `${name}.${language}`), code)

// Examples may leave a variable unused: they show what a call returns.
const compilerOptions = { rootDir: '.', outDir: '.', declaration: false, incremental: false, noUnusedLocals: false }
const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'], exclude: [] }
writeFileSync(join(SCRATCH, 'tsconfig.json'), JSON.stringify(config))

const node = (...args) => spawnSync(process.execPath, args, { cwd: SCRATCH, encoding: 'utf8', timeout: LONGEST_RUN_MS })
const typed = examples.some(({ language }) => language === 'ts')
const compiled = typed ? node(join(ROOT, 'node_modules/typescript/bin/tsc'), '--pretty', 'false').stdout : ''
const compiles = (name) => !`\n${compiled}`.includes(`\n${name}.ts(`)

let failed = 0
for (const { page, name } of examples) {
  const started = performance.now()
  const run = compiles(name) ? node(...FLAGS, `${name}.js`) : { status: 1, stdout: '', stderr: compiled }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${run.status === 0 ? 'ok  ' : 'FAIL'} ${page}: ${name} (${seconds} s)`)
  if (run.status === 0) continue
  failed++
  console.log([run.stdout, run.stderr, run.error?.message ?? ''].join('\n'))
}
console.log(`examples: ${examples.length - failed} ran, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
