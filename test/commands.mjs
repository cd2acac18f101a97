/**
 * Runs the commands of docs/benchmarks.md, docs/gemm.md and docs/gpu.md: the lines of code blocks without a language.
 * Long commands run in a short form, with fewer turns, fewer peers and one epoch. Commands that install packages are
 * left out. Install first:
 *
 *   npm ci --prefix test/bench && npm ci --prefix test/browser && npm ci --prefix test/gpu    # and python3-torch, xvfb
 *   node test/commands.mjs [PART OF A COMMAND...]
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGES = ['docs/benchmarks.md', 'docs/gemm.md', 'docs/gpu.md']
const LONGEST_RUN_MS = 3_600_000
/** A peer that is absent for such a reason is missing on this machine, which is a failure. */
const MISSING = /absent.*(install|cannot find|ENOENT)/i
/** Commands that install, and tests, which .ci/run runs. */
const LEFT_OUT = /^(apt-get|npm install|npm run test:)/
/** The peers of commands that name none, without those whose step can take half a minute on a busy machine. */
const FAST_PEERS = { bench: ' --peers pytorch,jax-js,tfjs-wasm,convnetjs', gpu: ' --peers tfjs-webgl,jax-webgpu' }

function short(command) {
  const words = command.replace('/path/to/node24', process.execPath)
  if (words.includes('main.js train')) return `${words} --epochs 1`
  const [, script] = /--prefix test\/bench (bench|gpu)\b/.exec(words) ?? []
  if (!script) return words
  const all = !words.includes(' -- ')
  const fast = all && script === 'bench' ? ' --peers pytorch --threads 1' : FAST_PEERS[script]
  const peers = words.includes('--peers') ? '' : fast
  const written = script === 'bench' ? ` --write ${ROOT}dist/bench.json` : ''
  return `${words}${all ? ' --' : ''}${peers} --pairs 3 --seconds 1${written}`
}

const commands = PAGES.flatMap((page) =>
  [...readFileSync(ROOT + page, 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, language, block]) =>
    (language === '' ? block : '')
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => line.replace(/ +# .*/, '').replaceAll(/npm ci( --prefix \S+)?( && )?/g, ''))
      .filter((command) => command !== '' && !LEFT_OUT.test(command))
      .map((command) => ({ page, command: short(command) })),
  ),
)
const chosen = commands.filter(({ command }) => process.argv.slice(2).every((part) => command.includes(part)))

let failed = 0
for (const { page, command } of chosen) {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(command, {
    cwd: ROOT,
    shell: true,
    encoding: 'utf8',
    timeout: LONGEST_RUN_MS,
  })
  const absent = stdout.split('\n').filter((line) => MISSING.test(line))
  const works = status === 0 && absent.length === 0
  console.log(`${works ? 'ok  ' : 'FAIL'} ${page}: ${command} (${((performance.now() - started) / 1000).toFixed(0)} s)`)
  if (works) continue
  failed++
  console.log([...absent, ...(status === 0 ? [] : [stdout, stderr])].join('\n'))
}
console.log(`commands: ${chosen.length - failed} ran, ${failed} failed`)
process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0
