/**
 * 11. The same budget: the largest batch of Sluice and of PyTorch's eager mode, net by net.
 *
 *   node docs/experiments/same-budget.mjs [--quick]
 *
 * The networks are those of test/bench/nets, the same in both, with Adam. PyTorch's bytes are those that its CPU allocator gives
 * out, without the workspace within a convolution, as recorded there in pytorch.json: this program needs no Python. Its largest
 * batch is where a line through the two recorded sizes meets the budget; beside that stand weights, gradients and two moments.
 * Sluice's are plans, in one piece: with nothing made again, and with 15 % more time as predicted. Streamed, any batch fits.
 */
import { readFileSync } from 'node:fs'
import { openVirtualDevice } from 'sluice'
import { NETS, streamerOf } from '../../test/bench/nets/index.mjs'
import { begin, grouped } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'

const { nets, finish } = begin(import.meta.url, {
  claims: [
    "In one piece, with nothing made again, Sluice's largest batch is at least 0.95 of PyTorch's for every net.",
    'With at most 15 % more time, as predicted, it is at least 1.5 times as large for every net.',
    'Streamed, a batch of a million samples is planned under the same budget.',
  ],
  full: { nets: ['resnet18', 'resnet50', 'unet', 'amoebanet', 'mobilenet', 'gpt', 'vgg16', 'lstm', 'lenet', 'vae'] },
  quick: { nets: ['resnet18', 'lenet'] },
})

const recorded = JSON.parse(readFileSync(new URL('../../test/bench/nets/pytorch.json', import.meta.url), 'utf8'))

/** What stands between steps in PyTorch, and the bytes of a step of n samples: constant + slope n. */
function pytorch(name) {
  const model = NETS[name].make(openVirtualDevice('cpu'))
  const standing = 4 * model.parameters().reduce((sum, { size }) => sum + 4 * size, 0)
  const [[few, fewBytes], [many, manyBytes]] = Object.entries(recorded.peakBytes[name]).map(([size, bytes]) => [
    Number(size),
    bytes,
  ])
  const slope = (manyBytes - fewBytes) / (many - few)
  return { standing, slope, constant: fewBytes - slope * few, many }
}

function planOf(name, memory, recompute, options) {
  const { inputShape, targetShape } = NETS[name]
  return streamerOf(NETS[name], openVirtualDevice('cpu', { memory }), recompute).plan({
    inputShape,
    targetShape,
    ...options,
  })
}

const rows = nets.map((name) => {
  const { standing, slope, constant, many } = pytorch(name)
  // what PyTorch needs for four times the larger recorded size, in pages of 64 KiB
  const memory = 2 ** 16 * Math.ceil((standing + constant + 4 * many * slope) / 2 ** 16)
  const theirs = Math.floor((memory - standing - constant) / slope)
  const largest = (recompute) => planOf(name, memory, recompute, { batch: 1 }).largest('batch').value
  const { microBatch } = planOf(name, memory, 'cheap', { batch: 1_000_000 })
  return { name, memory, theirs, never: largest('never'), more: largest(0.15), microBatch }
})

finish({
  seeds: 'nothing is drawn',
  holds: [
    rows.every(({ never, theirs }) => never >= 0.95 * theirs),
    rows.every(({ more, theirs }) => more >= 1.5 * theirs),
    rows.every(({ microBatch }) => microBatch >= 1),
  ],
  tables: [
    {
      columns: [
        'net',
        'budget, bytes',
        `PyTorch ${recorded.version}`,
        'Sluice',
        'ratio',
        'Sluice, 15 % more time',
        'ratio',
        'a million samples go in micro-batches of',
      ],
      rows: rows.map(({ name, memory, theirs, never, more, microBatch }) => [
        name,
        grouped(memory),
        grouped(theirs),
        grouped(never),
        (never / theirs).toFixed(2),
        grouped(more),
        (more / theirs).toFixed(2),
        grouped(microBatch),
      ]),
    },
  ],
  picture: draw({
    title: "The largest batch in one piece under the same budget: PyTorch's eager mode = 1",
    kind: 'bars',
    x: { label: 'net', names: rows.map(({ name }) => name) },
    y: { label: 'times as large', show: (value) => String(Number(value.toFixed(1))) },
    series: [
      { name: 'nothing made again', values: rows.map(({ never, theirs }) => never / theirs) },
      { name: '15 % more time', values: rows.map(({ more, theirs }) => more / theirs) },
    ],
  }),
})
