/** The output of a training for a person: a line that is redrawn on a terminal, lines in a file, and the summary. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT, type Io } from '../src/cli/io.js'
import { parseJob } from '../src/cli/job.js'
import { plain } from '../src/cli/paint.js'
import { Progress } from '../src/cli/progress.js'
import { run } from '../src/cli/run.js'
import { showDone, Tally } from '../src/cli/summary.js'
import { crossEntropy, models, openVirtualDevice, optim, Streamer } from '../src/index.js'

const STEP = {
  epoch: 0,
  step: 1,
  samples: 10,
  parts: [{ size: 10, count: 1 }],
  loss: 1.5,
  gradNorm: 1,
  noise: null,
  noiseScale: null,
  weight: 10,
  ms: 5,
  peakBytes: 1000,
  plannedPeakBytes: 1000,
}

const EPOCH = {
  epoch: 1,
  trainLoss: 1,
  testLoss: 2,
  testAccuracy: 0.9777,
  scores: { accuracy: 0.9777 },
  noiseScale: null,
  imagesPerSecond: 1234.5,
}

/** An output that keeps the written text, and the last line as a terminal shows it. */
function screen(io: Partial<Io>) {
  const shown = { all: '', line: '' }
  const write = (text: string): void => {
    shown.all += text
    // '\r\u001b[K' erases the line; further text is appended
    shown.line = (shown.line + text).split('\r\u001b[K').at(-1) ?? ''
    io.out?.(text)
  }
  const signal = new AbortController().signal
  return {
    shown,
    io: {
      isTTY: true,
      columns: 120,
      paint: plain,
      paintErr: plain,
      interruptible: (fn) => fn(signal),
      ...io,
      out: write,
      err: write,
    } satisfies Io,
  }
}

/** Runs `fn` with a clock that only `wait` moves. */
function withClock(fn: (wait: (ms: number) => void) => void): void {
  const { now } = performance
  let ms = 1000
  performance.now = () => ms
  try {
    fn((more) => {
      ms += more
    })
  } finally {
    performance.now = now
  }
}

test('on a terminal one line shows the progress of a training, and disappears at its end', () => {
  const { io, shown } = screen({})
  const progress = new Progress(io, { epochs: 2, steps: 4, samples: 20, budgetBytes: 2048 })
  const peak = 'peak 1000 B of 2 KiB'
  // two epochs of two mini-batches of 10 samples; a quarter of the bar is 6 of 24
  const story: [() => void, string][] = [
    [() => progress.microBatch(5), '[###.....................]  epoch 1/2  step 0/4'],
    [() => progress.step(STEP), `[######..................]  epoch 1/2  step 1/4  2,000 images/s  loss 1.500  ${peak}`],
    [
      () => progress.microBatch(10),
      `[############............]  epoch 1/2  step 1/4  2,000 images/s  loss 1.500  ${peak}`,
    ],
    [
      () => progress.step({ ...STEP, ms: 15, loss: 1.25, peakBytes: 900 }),
      `[############............]  epoch 1/2  step 2/4  1,000 images/s  loss 1.250  ${peak}`,
    ],
    // the evaluation of the first epoch
    [
      () => progress.microBatch(9),
      `[############............]  epoch 1/2  step 2/4  1,000 images/s  loss 1.250  ${peak}`,
    ],
    [
      () => {
        progress.epoch(EPOCH)
        progress.microBatch(5)
      },
      `[###############.........]  epoch 2/2  step 2/4  1,000 images/s  loss 1.250  accuracy 97.8 %  ${peak}`,
    ],
    [
      () => progress.step({ ...STEP, ms: 10, loss: 0.125, peakBytes: 1536 }),
      '[##################......]  epoch 2/2  step 3/4  1,000 images/s  loss 0.1250  accuracy 97.8 %  peak 1.5 KiB of 2 KiB',
    ],
    [
      () => progress.step({ ...STEP, ms: 10, loss: 0.0625 }),
      '[########################]  epoch 2/2  step 4/4  1,000 images/s  loss 0.06250  accuracy 97.8 %  peak 1.5 KiB of 2 KiB',
    ],
    [() => progress.end(), ''],
  ]
  withClock((wait) => {
    for (const [happens, line] of story) {
      happens()
      assert.is(shown.line, line)
      wait(100)
    }
  })
  assert.not.match(shown.all, '\n')
})

test('a terminal is redrawn ten times a second at most', () => {
  const draws: number[] = []
  withClock((wait) => {
    let ms = 0
    const { io } = screen({ out: () => draws.push(ms) })
    const progress = new Progress(io, { epochs: 1, steps: 1, samples: 10, budgetBytes: 2048 })
    for (const pause of [0, 1, 98, 1, 50, 49, 1]) {
      wait(pause)
      ms += pause
      progress.microBatch(1)
    }
  })
  assert.equal(draws, [0, 100, 200])
})

test('the line never reaches the last column: first the bar is shortened, then the words', () => {
  const words = 'epoch 1/2  step 0/4'
  const bar = (length: number): string => `[${'#'.repeat(length / 2)}${'.'.repeat(length / 2)}]  `
  for (const [columns, line] of [
    [200, bar(24) + words],
    [48, bar(24) + words],
    [46, bar(22) + words],
    [32, bar(8) + words],
    [31, words],
    [20, words],
    [19, words.slice(0, 18)],
    [1, ''],
    [0, ''],
  ] as const) {
    const { io, shown } = screen({ columns })
    new Progress(io, { epochs: 2, steps: 4, samples: 20, budgetBytes: 2048 }).microBatch(20)
    assert.is(shown.line, line, `${columns} columns`)
  }
})

test('a file gets about twelve lines: the first epoch, the last, and evenly spaced ones between them', () => {
  for (const [epochs, told] of [
    [1, [1]],
    [12, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    [13, [1, 2, 4, 6, 8, 10, 12, 13]],
    [60, [1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60]],
  ] as const) {
    const { io, shown } = screen({ isTTY: false })
    const progress = new Progress(io, { epochs, steps: epochs, samples: 10, budgetBytes: 2048 })
    for (let epoch = 1; epoch <= epochs; epoch++) {
      progress.microBatch(5)
      progress.step(STEP)
      progress.epoch({ ...EPOCH, epoch })
    }
    progress.end()
    const rest = 'loss 1.000   test loss 2.000   accuracy 97.8 %   1,235 images/s   peak 1000 B of 2 KiB\n'
    const width = String(epochs).length
    assert.is(shown.all, told.map((epoch) => `epoch ${String(epoch).padStart(width)}/${epochs}   ${rest}`).join(''))
  }
})

test('sluice train on a terminal: the line appears with the first micro-batch, and is erased at the end', async () => {
  const lines: string[] = []
  const controller = new AbortController()
  const { io, shown } = screen({
    out: () => lines.push(shown.line),
    interruptible: (fn) => fn(controller.signal),
  })
  const job = 'train --model mlp --batch 512 --memory 512KiB --epochs'
  assert.is(await run(`${job} 1`.split(' '), io), EXIT.done)
  const drawn = lines.filter((line) => line.includes('epoch '))
  assert.match(drawn[0], /^\[#+\.+\] {2}epoch 1\/1 {2}step 0\/3$/)
  assert.match(shown.line, /^\nTest accuracy /)

  io.out('\n')
  const { out } = io
  io.out = (text) => {
    out(text)
    if (/step [1-9]/.test(text)) controller.abort()
  }
  assert.is(await run(`${job} 5000`.split(' '), io), EXIT.interrupted)
  assert.match(shown.line, /^Interrupted after [\d,]+ of 15,000 steps/)
})

/** What the process held in this summary. */
const HELD = {
  ...{ peakBytes: 100 * 2 ** 20, webAssemblyReservedBytes: 2 ** 20, webAssemblyTouchedBytes: 2 ** 19 },
  ...{ javaScriptHeapBytes: 2 ** 25, hostDataBytes: 2 ** 23, otherBytes: 59.5 * 2 ** 20 },
}

/** The summary of a training of three steps and one evaluation, some of which did not peak as planned. */
function summary(
  memory: string,
  wholeBatchBytes: number,
  peaks = { step: 1000, evaluation: 1000 },
  held = HELD,
): string {
  const job = parseJob('train', ['--memory', memory, '--batch', '64'])
  const model = models.mlp(openVirtualDevice('cpu'), { inputShape: [1, 8, 8], classes: 10 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model) })
  const plan = streamer.plan({ batch: 64, microBatch: 10 })
  const tally = new Tally()
  for (const peakBytes of [1000, peaks.step, 1000]) tally.step({ ...STEP, peakBytes })
  const evaluation = { loss: 2, metrics: {}, accuracy: 0.5, samples: 9, plannedPeakBytes: 1000, ms: 1 }
  tally.evaluation({ ...evaluation, peakBytes: peaks.evaluation }, { accuracy: 0.5 })
  const { io, shown } = screen({ isTTY: false })
  showDone(io, job, tally, {
    plan,
    needs: { minimumBudgetBytes: 4096, wholeBatchBytes, parameterCount: 1 },
    held,
    wallMs: 1500,
  })
  return shown.all
}

test('the summary: the bytes of the whole mini-batch, next to the budget', () => {
  const head = '\nTest accuracy 50.0 %.\nThe whole mini-batch of 64 needs '
  for (const [wholeBatchBytes, need] of [
    [10240, '10 KiB, 2.5 times the budget; it went through in 7 micro-batches.\n'],
    [4096, '4 KiB, within the budget.\n'],
    [2048, '2 KiB, within the budget.\n'],
    [Infinity, 'tensors larger than the device has; it went through in 7 micro-batches.\n'],
  ] as const) {
    assert.ok(summary('4KiB', wholeBatchBytes).startsWith(head + need), summary('4KiB', wholeBatchBytes))
  }
  assert.match(
    summary('4KiB', 1),
    '\nHighest peak 1000 B (1,000 bytes), 24.4 % of the budget of 4 KiB.\nThe whole process',
  )
})

test('the summary: the parts of what the process held; on a gpu the peak is not one of them', () => {
  const [most, rest] = ['The whole process held at most 100 MiB: ', 'JavaScript heap 32 MiB, data on the host 8 MiB, ']
  assert.match(summary('4KiB', 1), `\n${most}this peak 512 KiB, ${rest}Node, threads and code 59.5 MiB.\n1.5 s.\n`)
  const onGpu = { ...HELD, webAssemblyReservedBytes: 0, webAssemblyTouchedBytes: 0, otherBytes: 60 * 2 ** 20 }
  assert.match(summary('4KiB', 1, undefined, onGpu), `\n${most}${rest}Node, threads, driver and code 60 MiB.\n1.5 s.\n`)
})

test('the summary tells if a peak was not the planned one', () => {
  for (const [peaks, words] of [
    [{ step: 1000, evaluation: 1000 }, 'equalled the plan to the byte in all 3 steps and 1 evaluations'],
    [{ step: 1001, evaluation: 1000 }, 'equalled the plan in only 2 of 3 steps and 1 of 1 evaluations'],
    [{ step: 1000, evaluation: 999 }, 'equalled the plan in only 3 of 3 steps and 0 of 1 evaluations'],
    [{ step: 999, evaluation: 1001 }, 'equalled the plan in only 2 of 3 steps and 0 of 1 evaluations'],
  ] as const) {
    assert.match(summary('4KiB', 1, peaks), `\nThe measured peak ${words}.\n`)
  }
})

test.run()
