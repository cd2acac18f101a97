/** `sluice plan`, and `sluice verify` of what it writes. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { Device } from '../src/device/device.js'
import type { Part } from '../src/stream/plan.js'
import { eventsOf, named, number, scratch, sluice } from './command-line.js'

const { folder } = scratch('cli')

test('the plan of a large batch takes less than a second, and hardly any memory', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const measure = (): number => {
    collect()
    const { arrayBuffers, heapUsed } = process.memoryUsage()
    return arrayBuffers + heapUsed
  }
  const command = 'plan --model convnet --data digits --batch 65536 --memory 3GiB --json'
  await sluice(command)
  let recordings = 0
  const { through } = Device.prototype
  Device.prototype.through = function counted(sink, fn) {
    recordings++
    return through.call(this, sink, fn) as ReturnType<typeof fn>
  }
  try {
    const before = measure()
    const started = performance.now()
    const { code } = await sluice(command)
    const ms = performance.now() - started
    const grown = measure() - before
    assert.is(code, EXIT.done)
    assert.ok(ms < 1000, `${ms} ms`)
    assert.ok(grown < 2 ** 20, `${grown} bytes`)
    assert.ok(recordings > 0 && recordings < 50, `${recordings} recordings`)
  } finally {
    Device.prototype.through = through
  }
  const refused = await sluice('plan --model convnet --batch 65536 --memory 300KiB --micro-batch 32')
  assert.is(refused.code, EXIT.doesNotFit)
  assert.match(refused.err, /a micro-batch of 32 samples needs a budget of .* bytes/)
})

test('the plan of any mini-batch up to 2^32 samples is found at once; a larger one is refused', async () => {
  for (const batch of [4_000_000_000, 2 ** 32]) {
    const started = process.cpuUsage()
    const [plan] = await eventsOf(`plan --model lenet --batch ${batch} --memory 3GiB`)
    const { user, system } = process.cpuUsage(started)
    const parts = plan.parts as Part[]
    assert.is(
      parts.reduce((sum, { size, count }) => sum + size * count, 0),
      batch,
    )
    assert.ok(parts.length <= 2)
    assert.ok((user + system) / 1e6 < 2, `${(user + system) / 1e6} s for three plans`)
  }
  const text = await sluice('plan --model mlp --batch 4294967296')
  assert.match(text.out, /micro-batch 1,584: 2,711,470 accumulation steps, 2,710,286 x 1,584 \+ 1,184 x 1,583\n/)
  const beyond = await sluice('plan --batch 1000000000000')
  assert.is(beyond.code, EXIT.usage)
  assert.match(beyond.err, "--batch '1000000000000' is not a whole number, from 1 to 4294967296")
})

test('plan --largest: the plan with that value follows; the next value exits 3, for each model and device', async () => {
  const flags: Record<string, (value: number) => string> = {
    batch: (value) => `--batch ${value} --micro-batch ${value}`,
    width: (value) => `--width ${value}`,
  }
  for (const [knob, at] of Object.entries(flags)) {
    for (const job of ['--memory 1MiB', '--model mlp --memory 384KiB', '--model convnet --device gpu']) {
      const [largest, planned, ...more] = await eventsOf(`plan ${job} --largest ${knob}`)
      assert.equal([largest.event, largest.knob, planned.event, more], ['largest', knob, 'plan', []])
      const value = number(largest, 'value')
      const [same] = await eventsOf(`plan ${job} ${at(value)}`)
      assert.equal(planned, same)
      const { value: next, message } = JSON.parse(JSON.stringify(largest.next))
      assert.is(next, value + 1)
      const { code, err } = await sluice(`plan ${job} ${at(next)}`)
      assert.is(code, EXIT.doesNotFit, err)
      const { out } = await sluice(`plan ${job} --largest ${knob}`)
      assert.ok(out.startsWith(`The largest ${knob} `), out)
      assert.ok(out.includes(` is ${value.toLocaleString('en')}.\nWith `) && out.includes(message), out)
    }
  }
  const { code, err } = await sluice('plan --memory 16KiB --largest width')
  assert.is(code, EXIT.doesNotFit, err)
})

test('plan --largest image: images of that side, as many at a time as were asked for', async () => {
  const sides = await Promise.all(
    ['fit', '8', '64'].map(async (size) => {
      const job = `plan --model convnet --memory 4MiB --micro-batch ${size} --largest image`
      const [{ value }, { microBatch, plannedPeakBytes }] = await eventsOf(job)
      assert.ok(Number(microBatch) >= (size === 'fit' ? 1 : Number(size)) && Number(plannedPeakBytes) <= 2 ** 22)
      assert.match((await sluice(job)).out, ` is ${value} x ${value}.\n`)
      return Number(value)
    }),
  )
  assert.ok(sides[0] > sides[1] && sides[1] > sides[2] && sides[2] > 8, `${sides}`)
})

test('plan shows what making values again would give, unless it is switched off', async () => {
  const job = 'plan --batch 64 --memory 768KiB'
  const [{ frontier, microBatch }] = await eventsOf(job)
  const points: { extraTime: number; peakBytes: number; microBatch: number }[] = JSON.parse(JSON.stringify(frontier))
  assert.is(points[0].microBatch, microBatch)
  assert.ok(points.length > 1)
  const { out } = await sluice(job)
  const [, ...rows] = out.split('making values again:')[1].trimEnd().split('\n')
  const numbers = rows.map((row) => row.trim().split(/ {2,}/))
  assert.equal(
    numbers.map(([time, , size]) => [time, size]),
    points.map((point) => [`${(100 * point.extraTime).toFixed(1)} %`, `${point.microBatch}`]),
  )
  const never = await sluice(`${job} --recompute never`)
  assert.not.match(never.out, 'making values again')
  assert.is((await eventsOf(`${job} --recompute never`))[0].frontier, undefined)
  assert.not.match((await sluice('plan --model mlp')).out, 'making values again')
})

test('plan --out writes the plan; verify accepts it, and refuses other files, with exit codes', async () => {
  const file = join(folder, 'plan.json')
  const [planned] = named(await eventsOf(`plan --model convnet --memory 1MiB --out ${file}`), 'plan')
  const written = JSON.parse(readFileSync(file, 'utf8'))
  assert.equal([written.format, written.version, written.peakBytes], ['sluice plan', 1, planned.plannedPeakBytes])
  assert.ok(Array.isArray(planned.modulesAtPeak))
  assert.equal(await eventsOf(`verify ${file}`), [{ event: 'verified', file }])
  assert.equal(await sluice(`verify ${file}`), { code: EXIT.done, out: `${file}: the plan is valid\n`, err: '' })
  written.peakBytes--
  writeFileSync(file, JSON.stringify(written))
  const wrong = await sluice(`verify ${file}`)
  assert.is(wrong.code, EXIT.failed)
  assert.match(wrong.err, /^sluice: peakBytes is not \d+, the highest of its passes\n$/)
  writeFileSync(file, '{')
  assert.match((await sluice(`verify ${file}`)).err, `sluice: ${file}: `)
  assert.is((await sluice(`verify ${join(folder, 'none')}`)).code, EXIT.failed)
  assert.is((await sluice('verify')).code, EXIT.usage)
  assert.is((await sluice('verify a b')).code, EXIT.usage)
  assert.is((await sluice(`plan --out ${join(folder, 'none', 'x')}`)).code, EXIT.failed)
  assert.match((await sluice('train --out x')).err, 'train has no option --out')
})

test('--memory-svg draws a step; a file that cannot be written exits 1', async () => {
  const file = join(folder, 'step.svg')
  await eventsOf(`plan --model convnet --memory 1MiB --memory-svg ${file}`)
  const svg = readFileSync(file, 'utf8')
  for (const words of [
    'convnet, adam: a step of 1,024 samples',
    'budget 1 MiB',
    'forward of ',
    'backward',
    'most held: ',
  ]) {
    assert.match(svg, words)
  }
  const split = join(folder, 'split.svg')
  const [{ parts }] = await eventsOf(`plan --model convnet --batch 101 --memory 1MiB --memory-svg ${split}`)
  const drawn = readFileSync(split, 'utf8')
  const labels = [...drawn.matchAll(/<text x="([\d.]+)" y="376"[^>]*>([^<]+)/g)].sort(
    ([, a], [, b]) => Number(a) - Number(b),
  )
  assert.equal(
    labels.map(([, , words]) => words),
    (parts as Part[]).flatMap(({ size }) => [`forward of ${size}`, 'backward']),
  )
  // the first section begins at the left edge, where no line is drawn
  assert.is([...drawn.matchAll(/<path class="section"/g)].length, labels.length - 1)
  const refused = await sluice(`plan --model mlp --memory-svg ${join(folder, 'none', 'x.svg')}`)
  assert.is(refused.code, EXIT.failed)
  assert.match(refused.err, /^sluice: --memory-svg: ENOENT/)
})

/** The number of parameters of the published networks; for U-Net it is the sum over its layers. */
const PLANS: Readonly<Record<string, number>> = {
  '--model resnet18 --image 224': 11_689_512,
  '--model resnet34 --image 224': 21_797_672,
  '--model resnet50 --image 224': 25_557_032,
  '--model resnet101 --image 224': 44_549_160,
  '--model vgg16 --image 224': 138_357_544,
  '--model vgg16 --batch-norm deferred --image 224': 138_365_992,
  '--model mobilenet --image 224': 3_504_872,
  '--model unet --image 64': 31_037_633,
  '--model gpt --context 1024': 124_439_808,
}

test('networks are planned without data; they have as many parameters as the published networks', async () => {
  for (const [flags, parameters] of Object.entries(PLANS)) {
    const { code, out, err } = await sluice(`plan ${flags} --batch 2 --memory 8GiB --recompute never`)
    assert.is(code, EXIT.done, err)
    const [, count] = /^\w+ \(([\d,]+) parameters/.exec(out) ?? []
    assert.is(Number(count.replaceAll(',', '')), parameters, flags)
  }
})

test('a plan of sequences takes their length and vocabulary, and the longest context is found', async () => {
  const flags = '--model gpt --layers 2 --width 32 --heads 4 --vocabulary 50 --batch 4'
  const short = await eventsOf(`plan ${flags} --context 16 --memory 16MiB`)
  const long = await eventsOf(`plan ${flags} --context 32 --memory 16MiB`)
  const peak = (events: typeof short): number => Number(named(events, 'plan')[0].plannedPeakBytes)
  assert.ok(peak(short) < peak(long))
  const found = await eventsOf(`plan ${flags} --memory 2MiB --largest context`)
  const [{ value }] = named(found, 'largest')
  assert.ok(Number(value) > 32)
  assert.is((await sluice(`plan ${flags} --context ${Number(value)} --memory 2MiB`)).code, EXIT.done)
  assert.is((await sluice(`plan ${flags} --context ${Number(value) + 1} --memory 2MiB`)).code, EXIT.doesNotFit)
})

test.run()
