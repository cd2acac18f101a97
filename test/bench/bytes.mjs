/**
 * The bytes that one more sample takes in a training step with Adam: Sluice's plans beside PyTorch's eager mode.
 *
 *   npm run --prefix test/bench bytes -- [OPTIONS] [NET...]
 *
 *   --settings A,B    the columns of Sluice: never, cheap, 0.15; default all
 *   --json            one JSON line for each net instead of a table
 *   --train           instead: train one mini-batch of two samples on the cpu device and print its loss
 *
 * A figure is the slope between the peaks of two sizes of micro-batch, so the tensors that stay between steps cancel.
 * Sluice's peaks are planned on a virtual cpu device. PyTorch's are read from nets/pytorch.json, which nets/pytorch.py
 * writes.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { DoesNotFitError, openDevice, openVirtualDevice } from '../../dist/src/index.js'
import { NETS, streamerOf } from './nets/index.mjs'

/** The setting `recompute` of each column of Sluice. The budget of a column is the smallest that its setting allows. */
const SETTINGS = { never: 'never', cheap: 'cheap', 0.15: 0.15 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    settings: { type: 'string', default: Object.keys(SETTINGS).join() },
    json: { type: 'boolean', default: false },
    train: { type: 'boolean', default: false },
  },
})
const nets = positionals.length > 0 ? positionals : Object.keys(NETS)
const settings = values.settings.split(',')
for (const [kind, names, known] of [
  ['net', nets, NETS],
  ['setting', settings, SETTINGS],
]) {
  const unknown = names.find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) continue
  console.error(`there is no ${kind} ${unknown}: ${Object.keys(known).join(', ')}`)
  process.exit(2)
}

/** A mini-batch in one micro-batch. */
function planOf(streamer, { inputShape, targetShape }, size, options = {}) {
  return streamer.plan({ batch: size, microBatch: size, inputShape, targetShape, ...options })
}

/**
 * The fewest bytes with which a micro-batch runs: the plan names them if the budget holds only the tensors that stay
 * between steps.
 */
function leastPeak(net, size, recompute) {
  const { heldBytes, plannedPeakBytes } = planOf(streamerOf(net, openVirtualDevice('cpu'), 'never'), net, size)
  if (recompute === 'never') return plannedPeakBytes
  const memory = Object.values(heldBytes).reduce((sum, bytes) => sum + bytes) + 2 ** 16
  try {
    return planOf(streamerOf(net, openVirtualDevice('cpu', { memory }), recompute), net, size).plannedPeakBytes
  } catch (error) {
    if (error instanceof DoesNotFitError) return error.neededBytes
    throw error
  }
}

/** The slope between two peaks. */
function bytesPerSample([few, many], peakBytes) {
  return (peakBytes(many) - peakBytes(few)) / (many - few)
}

/** Samples of zeros and ones: every net takes them as inputs and as targets. */
function bits(samples, sampleShape) {
  const shape = [samples, ...sampleShape]
  const length = shape.reduce((size, dim) => size * dim)
  return { shape, data: Float32Array.from({ length }, (_, i) => (i % 7) % 2) }
}

/** One step of two samples, on a device that is just large enough. */
async function train(net) {
  const { neededBudgetBytes } = planOf(streamerOf(net, openVirtualDevice('cpu')), net, 2)
  const device = await openDevice('cpu', { memory: neededBudgetBytes })
  const { loss, peakBytes } = await streamerOf(net, device).step({
    inputs: bits(2, net.inputShape),
    targets: bits(2, net.targetShape),
  })
  return { loss, peakBytes }
}

function compare(name, pytorch) {
  const net = NETS[name]
  const sizes = Object.keys(pytorch).map(Number)
  const sluice = settings.map((setting) => bytesPerSample(sizes, (size) => leastPeak(net, size, SETTINGS[setting])))
  return { net: name, sizes, pytorch: bytesPerSample(sizes, (size) => pytorch[size]), settings, sluice }
}

const grouped = (count) => Math.round(count).toLocaleString('en-US')
const row = (cells) => console.log(`| ${cells.join(' | ')} |`)

function printTable(lines) {
  const titles = ['net', 'micro-batches', 'PyTorch', ...settings.flatMap((setting) => [`Sluice, ${setting}`, 'ratio'])]
  row(titles)
  row(titles.map(() => '---'))
  for (const { net, sizes, pytorch, sluice } of lines) {
    const figures = sluice.flatMap((bytes) => [grouped(bytes), (bytes / pytorch).toFixed(2)])
    row([net, sizes.join(', '), grouped(pytorch), ...figures])
  }
}

if (values.train) {
  for (const name of nets) console.log(JSON.stringify({ net: name, ...(await train(NETS[name])) }))
} else {
  const pytorch = JSON.parse(readFileSync(new URL('nets/pytorch.json', import.meta.url), 'utf8'))
  const lines = nets.map((name) => compare(name, pytorch.peakBytes[name]))
  if (values.json) for (const line of lines) console.log(JSON.stringify(line))
  else printTable(lines)
}
