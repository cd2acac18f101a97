/**
 * Runs the examples of the README and of docs/: every ```ts or ```js block whose first line is
 * `// example: name` is written to dist/examples, where `sluice` means this package, compiled under
 * the strict settings of this repository, and run. Builds first. Fails if an example does not compile, throws, or
 * hangs. With --gpu, which needs WebGL2 for Node, only the examples `// example on a gpu: name` are run:
 *
 *   node test/examples.mjs [name...]
 *   node test/examples.mjs --write [name...]
 *
 * In the chapters of docs/learn every block of code is an example, what stands after `It prints:` is what it prints, and a
 * picture that it writes is the one in docs/learn/images; --write writes both there.
 *
 *   npm ci --prefix test/gpu && xvfb-run -a node test/examples.mjs --gpu [name...]
 */
import { execFile, execSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SCRATCH = join(ROOT, 'dist', 'examples')
const LONGEST_RUN_MS = 300_000
const EXAMPLE =
  /^```(ts|js)\n(\/\/ example( on a gpu)?: ([\w-]+)\n[\s\S]*?)^```$(?:\n\nIt prints:\n\n```\n([\s\S]*?)^```$)?/gm
const CHAPTERS = 'docs/learn/'

execSync('npm run --silent build', { cwd: ROOT, stdio: 'inherit' })

const options = process.argv.slice(2).filter((word) => word.startsWith('--'))
const names = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const onGpu = options.includes('--gpu')
const writes = options.includes('--write')
const FLAGS = onGpu ? ['--import', new URL('gpu/gl.mjs', import.meta.url).href] : []

const folder = (path) => readdirSync(join(ROOT, path)).map((file) => path + file)
const pages = [...folder(''), ...folder('docs/'), ...folder(CHAPTERS)]
const examples = pages
  .filter((page) => page.endsWith('.md'))
  .flatMap((page) => [...readFileSync(join(ROOT, page), 'utf8').matchAll(EXAMPLE)].map((block) => ({ page, block })))
  .map(({ page, block: [, language, code, gpu, name, prints] }) => ({
    page,
    language,
    code,
    gpu: gpu !== undefined,
    name,
    prints,
  }))
  .filter(({ gpu, name }) => gpu === onGpu && (names.length === 0 || names.includes(name)))

const twice = examples.find(({ name }, i) => examples.findIndex((other) => other.name === name) !== i)
if (twice) throw new Error(`${twice.page}: there are two examples named '${twice.name}'`)

for (const page of pages.filter((page) => page.startsWith(CHAPTERS) && page.endsWith('.md'))) {
  const blocks = readFileSync(join(ROOT, page), 'utf8').match(/^```(ts|js)\n.*/gm) ?? []
  const still = blocks.find((block) => !block.includes('// example'))
  if (still) throw new Error(`${page}: a block of code is not an example: ${still}`)
}

rmSync(SCRATCH, { recursive: true, force: true })
mkdirSync(SCRATCH, { recursive: true })
for (const { name, language, code } of examples) writeFileSync(join(SCRATCH, `${name}.${language}`), code)

// Examples may leave a variable unused: they show what a call returns.
const compilerOptions = { rootDir: '.', outDir: '.', declaration: false, incremental: false, noUnusedLocals: false }
const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'], exclude: [] }
writeFileSync(join(SCRATCH, 'tsconfig.json'), JSON.stringify(config))

/** What a process of Node prints, and whether it ended well. */
const node = (...args) =>
  new Promise((resolve) => {
    const run = { cwd: SCRATCH, encoding: 'utf8', timeout: LONGEST_RUN_MS, maxBuffer: 2 ** 26 }
    execFile(process.execPath, args, run, (error, stdout, stderr) => resolve({ error, stdout, stderr }))
  })
const typed = examples.some(({ language }) => language === 'ts')
const compiled = typed ? (await node(join(ROOT, 'node_modules/typescript/bin/tsc'), '--pretty', 'false')).stdout : ''
const compiles = (name) => !`\n${compiled}`.includes(`\n${name}.ts(`)

/** What a chapter says of an example that is not so; '' if all is. */
function untrue({ page, name, prints }, printed) {
  if (!page.startsWith(CHAPTERS)) return ''
  if (prints !== undefined && prints !== printed) {
    if (!writes) return `it prints:\n${printed}`
    const file = join(ROOT, page)
    const text = readFileSync(file, 'utf8')
    const [whole] = [...text.matchAll(EXAMPLE)].find((block) => block[4] === name)
    const block = whole.slice(0, whole.length - 4 - prints.length)
    writeFileSync(
      file,
      text.replace(whole, () => `${block}\n${printed}\`\`\``),
    )
  }
  const drawn = join(SCRATCH, `${name}.svg`)
  if (!existsSync(drawn)) return ''
  const image = join(ROOT, CHAPTERS, 'images', `${name}.svg`)
  if (writes) copyFileSync(drawn, image)
  const same = existsSync(image) && readFileSync(image, 'utf8') === readFileSync(drawn, 'utf8')
  return same ? '' : `${image} is another picture: look at it, and run node test/examples.mjs --write ${name}`
}

let failed = 0
async function runExample(example) {
  const { page, name } = example
  const started = performance.now()
  const compiling = { error: { message: 'it does not compile' }, stdout: '', stderr: compiled }
  const { error, stdout, stderr } = compiles(name) ? await node(...FLAGS, `${name}.js`) : compiling
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const fault = error ? [stdout, stderr, error.message].join('\n') : untrue(example, stdout)
  console.log(`${fault === '' ? 'ok  ' : 'FAIL'} ${page}: ${name} (${seconds} s)`)
  if (fault === '') return
  failed++
  console.log(fault)
}

// as many at a time as there are cores; those on a GPU one by one
const waiting = [...examples]
const runWaiting = async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await runExample(next)
}
await Promise.all(Array.from({ length: onGpu ? 1 : availableParallelism() }, runWaiting))
console.log(`examples: ${examples.length - failed} ran, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
