/**
 * Compares Sluice's gpu device with other libraries on WebGL and WebGPU. Sluice and a peer share a page of Chromium and
 * take turns.
 *
 *   npm ci --prefix test/browser && npm ci --prefix test/bench && npm run --prefix test/bench gpu -- [OPTIONS] [WORKLOAD...]
 *
 *   --peers a,b    tfjs-webgl, tfjs-webgpu, jax-webgl, jax-webgpu
 *   --pairs 31     turns of each of the two
 *   --seconds 120  the time after which a slow contest ends
 *   --json         one JSON line for each contest instead of a table
 *
 * Chromium draws with SwiftShader, on the CPU. The exit code is 1 if a result of a peer differs.
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { inPage, serving } from '../browser/page.mjs'
import { spread } from './contest.mjs'
import { printPairs } from './table.mjs'
import { LOSS_TOLERANCE } from './workloads.mjs'

const WORKLOADS = ['matmul256', 'matmul512', 'chain', 'mlp_sgd', 'cnn_sgd']
const PEERS = {
  'tfjs-webgl': '@tensorflow/tfjs',
  'tfjs-webgpu': '@tensorflow/tfjs-backend-webgpu',
  'jax-webgl': '@jax-js/jax',
  'jax-webgpu': '@jax-js/jax',
}
/** Headless Chromium offers WebGPU only with these flags; SwiftShader draws it, as it does WebGL. */
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
/** The largest difference of a value that both computed: they add its terms in different orders. */
const PROBE_TOLERANCE = 1e-4
/** The time beyond its seconds that a contest has for warming up and ending; a peer that takes longer hangs. */
const LONGEST_REST_MS = 300_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string', default: Object.keys(PEERS).join() },
    pairs: { type: 'string', default: '31' },
    seconds: { type: 'string', default: '120' },
    json: { type: 'boolean', default: false },
  },
})
const limits = { pairs: Number(values.pairs), seconds: Number(values.seconds) }
const peers = values.peers.split(',')
const unknown = peers.find((peer) => !PEERS[peer])
if (unknown !== undefined) throw new RangeError(`no peer ${unknown}: --peers ${Object.keys(PEERS)}`)

/** @returns the version of an installed package, or undefined */
function versionOf(name) {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}

/** Sluice and a peer in a page of their own, for one workload. */
const play = (address, workload, peer) =>
  inPage(
    address,
    async (page, browser) => {
      page.on('pageerror', (error) => console.error(String(error)))
      const limitMs = limits.seconds * 1000 + LONGEST_REST_MS
      let timer = null
      const hanging = new Promise((resolve) => {
        timer = setTimeout(resolve, limitMs, { absent: `no end after ${limitMs / 1000} s` })
      })
      const contest = page.evaluate(
        (words) => import('/test/bench/gpu-page.mjs').then(({ contest }) => contest(...words)),
        [workload, peer, limits],
      )
      const result = await Promise.race([contest, hanging]).finally(() => clearTimeout(timer))
      return { browser, ...result }
    },
    peer.endsWith('webgpu') ? WEBGPU : [],
  )

/** The first pair of values that differ, with their tolerance; or undefined. */
function difference({ own, other }) {
  const pairs = [
    ...own.losses.map((loss, i) => [loss, other.losses[i], LOSS_TOLERANCE]),
    ...(own.probe === undefined ? [] : [[own.probe, other.probe, PROBE_TOLERANCE]]),
  ]
  return pairs.find(([mine, theirs, tolerance]) => !(Math.abs(mine - theirs) <= tolerance))
}

function summary({ browser, renderer, absent, own, other }) {
  if (absent) return { browser, renderer, absent }
  const ratios = own.turns.map((ms, i) => ms / other.turns[i])
  const times = { sluiceMs: spread(own.turns), peerMs: spread(other.turns), ratio: spread(ratios) }
  return { browser, renderer, ...times, pairs: ratios.length }
}

async function compare(address, workload, peer) {
  const version = versionOf(PEERS[peer])
  const who = { workload, peer, version }
  if (!version) return { ...who, absent: 'not installed' }
  const result = await play(address, workload, peer)
  const differs = result.absent ? undefined : difference(result)
  const wrong = differs && `Sluice has ${differs[0]}, ${peer} ${differs[1]}`
  if (wrong) console.error(`wrong: ${workload}: ${wrong}`)
  return { ...who, wrong, ...summary(result) }
}

const lines = []
await serving(async (address) => {
  for (const workload of positionals.length > 0 ? positionals : WORKLOADS)
    for (const peer of peers) {
      lines.push(await compare(address, workload, peer))
      if (values.json) console.log(JSON.stringify(lines.at(-1)))
    }
})
if (!values.json) printPairs(lines)
process.exit(lines.some(({ wrong }) => wrong) ? 1 : 0)
