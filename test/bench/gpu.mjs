/**
 * Sluice's gpu device beside TensorFlow.js on WebGL, in one page of Chromium, in alternating pairs.
 *
 *   npm ci --prefix test/browser && npm ci --prefix test/bench && npm run --prefix test/bench gpu -- [OPTIONS] [WORKLOAD...]
 *
 *   --pairs 31   turns that each has
 *   --json       one JSON line for each workload instead of a table
 *
 * Without a GPU Chromium draws by SwiftShader, on the CPU. Exit code 1 where the two do not compute the same.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { inPage, serving } from '../browser/page.mjs'
import { spread } from './contest.mjs'
import { printPairs } from './table.mjs'
import { LOSS_TOLERANCE } from './workloads.mjs'

const WORKLOADS = ['matmul256', 'matmul512', 'chain', 'mlp_sgd', 'cnn_sgd']
/** Of a value that both computed, by other orders of its sums. */
const PROBE_TOLERANCE = 1e-4

const TFJS = 'node_modules/@tensorflow/tfjs/dist/tf.min.js'
const LONGEST_CONTEST_MS = 600_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: 'string', default: '31' }, json: { type: 'boolean', default: false } },
})
const hasTfjs = existsSync(fileURLToPath(new URL(TFJS, import.meta.url)))
let wrong = false

/** Both in a page of its own, for one workload. */
const compare = (address, workload) =>
  inPage(address, async (page, version) => {
    page.setDefaultTimeout(LONGEST_CONTEST_MS)
    page.on('pageerror', (error) => console.error(String(error)))
    if (hasTfjs) await page.addScriptTag({ url: `/test/bench/${TFJS}` })
    const result = await page.evaluate(
      ([name, pairs]) => import('/test/bench/gpu-page.mjs').then(({ contest }) => contest(name, pairs)),
      [workload, Number(values.pairs)],
    )
    return { workload, browser: version, ...result, absent: hasTfjs ? result.absent : 'not installed' }
  })

function disagreement({ sluice, tfjs }) {
  const pairs = [
    ...sluice.losses.map((loss, i) => [loss, tfjs.losses[i], LOSS_TOLERANCE]),
    ...(sluice.probe === undefined ? [] : [[sluice.probe, tfjs.probe, PROBE_TOLERANCE]]),
  ]
  return pairs.find(([own, other, tolerance]) => !(Math.abs(own - other) <= tolerance))
}

function summary({ workload, browser, renderer, repeats, absent, sluice, tfjs }) {
  const own = { workload, browser, renderer, repeats, sluiceMs: spread(sluice.turns) }
  if (absent) return { ...own, absent }
  const ratios = sluice.turns.map((ms, i) => ms / tfjs.turns[i])
  return { ...own, tfjs: tfjs.version, tfjsMs: spread(tfjs.turns), ratio: spread(ratios), pairs: ratios.length }
}

const lines = []
await serving(async (address) => {
  for (const workload of positionals.length > 0 ? positionals : WORKLOADS) {
    const result = await compare(address, workload)
    const differs = result.absent ? undefined : disagreement(result)
    if (differs) {
      wrong = true
      console.error(`wrong: ${workload}: Sluice has ${differs[0]}, tfjs ${differs[1]}`)
    }
    lines.push(summary(result))
    if (values.json) console.log(JSON.stringify(lines.at(-1)))
  }
})
if (!values.json) printPairs(lines)
process.exit(wrong ? 1 : 0)
