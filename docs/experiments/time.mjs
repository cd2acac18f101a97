/**
 * 7. The time of a mini-batch against its micro-batch, Sluice beside PyTorch on the same nets.
 *
 *   node docs/experiments/time.mjs [--quick]
 *
 * The nets are those of test/bench/nets, with Adam, on one thread each; test/bench/micro-batches.mjs runs both in turns. Where
 * python3-torch is missing, and in the quick form, its columns say so.
 */
import { besidePyTorch } from '../../test/bench/micro-batches.mjs'
import { begin, percent } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'

const { jobs, rounds, limit, pytorch, finish } = begin(import.meta.url, {
  claims: ({ limit }) => [
    `In micro-batches of a quarter, a mini-batch takes at most ${percent(limit, 0)} more processor time than in one piece.`,
  ],
  full: {
    jobs: [
      { net: 'lenet', samples: 256, sizes: [256, 64, 16, 4, 1] },
      { net: 'vae', samples: 256, sizes: [256, 64, 16, 4, 1] },
      { net: 'resnet18', samples: 8, sizes: [8, 2, 1] },
    ],
    rounds: 5,
    limit: 0.25,
    pytorch: true,
  },
  quick: { jobs: [{ net: 'lenet', samples: 64, sizes: [64, 16] }], rounds: 5, limit: 2, pytorch: false },
})

const { version, rows } = await besidePyTorch(jobs, { rounds, pytorch })
const wholeOf = ({ net }) => rows.find((row) => row.net === net)
const ratio = (row, what) => row[what] / wholeOf(row)[what]
const quarters = rows.filter(({ samples, size }) => size === samples / 4)
const told = (value) => (Number.isFinite(value) ? value.toFixed(2) : 'absent')

finish({
  seeds: 'weights as each library draws them',
  holds: [quarters.every((row) => ratio(row, 'sluiceMs') <= 1 + limit)],
  tables: [
    {
      columns: [
        'net',
        'mini-batch',
        'micro-batch',
        'Sluice, in one piece = 1',
        `PyTorch ${version ?? ''}, in one piece = 1`,
        "PyTorch's time, Sluice's = 1",
      ],
      rows: rows.map((row) => [
        row.net,
        row.samples,
        row.size,
        told(ratio(row, 'sluiceMs')),
        told(ratio(row, 'pytorchMs')),
        told(row.pytorchMs / row.sluiceMs),
      ]),
    },
  ],
  notes: ['Processor time, the shortest of some turns in which both libraries alternate.'],
  picture: draw({
    title: 'The time of a mini-batch, in one piece = 1',
    x: { label: 'micro-batches of a mini-batch', log: true },
    y: { label: 'processor time', log: true, show: (value) => String(Number(value.toFixed(1))) },
    series: jobs.flatMap(({ net }) =>
      ['sluiceMs', ...(version === null ? [] : ['pytorchMs'])].map((what) => ({
        name: `${net}, ${what === 'sluiceMs' ? 'Sluice' : 'PyTorch'}`,
        points: rows.filter((row) => row.net === net).map((row) => [row.samples / row.size, ratio(row, what)]),
      })),
    ),
  }),
})
