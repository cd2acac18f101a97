/** `sluice weights` and `sluice predict`: what a file holds, and what its weights say of images. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import {
  data,
  load,
  models,
  nn,
  openDevice,
  parseSafetensors,
  save,
  softmax,
  tensor,
  toSafetensors,
} from '../src/index.js'
import { type Event, eventsOf, scratch, sluice } from './command-line.js'
import { writeIdx } from './idx-files.js'

const HERE = fileURLToPath(new URL('../../test/weights/', import.meta.url))
const { at } = scratch('predict')

test('weights lists every tensor that PyTorch wrote, and tells a terminal nothing else', async () => {
  const file = `${HERE}gpt.safetensors`
  const { tensors } = parseSafetensors(toSafetensors(await load(file)))
  const listed = await eventsOf(['weights', file])
  const done = listed.pop()
  assert.equal(
    listed.map(({ name, shape, dtype, elements, bytes }) => [name, shape, dtype, elements, bytes]).sort(),
    Object.entries(tensors)
      .map(([name, { shape, dtype, data }]) => [name, shape, dtype, data.length, data.byteLength])
      .sort(),
  )
  const bytes = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0)
  assert.equal(
    [done?.event, done?.tensors, done?.bytes, done?.metadata],
    ['done', listed.length, bytes, { format: 'pt' }],
  )
  const { out } = await sluice(['weights', file])
  const rows = out.trimEnd().split('\n')
  assert.is(rows.length, listed.length + 3)
  assert.match(rows[1], /^transformer\.wte\.weight +\[24, 16\] +F32 +1,536$/)
  assert.match(rows[rows.length - 1], /^29 tensors, 7,\d+ elements, \d+,\d+ bytes; texts: format$/)
  writeFileSync(at('escape'), toSafetensors({ '\u001b[2J\u202ex': { shape: [1], data: [1] } }, { '\u0007': 'bell' }))
  const escaped = await sluice(['weights', at('escape')])
  assert.match(escaped.out, '\\u{1b}[2J\\u{202e}x')
  assert.match(escaped.out, 'texts: format, \\u{7}\n')
  assert.equal((await eventsOf(['weights', `${HERE}types.safetensors`])).length, 15)
  for (const [args, code, message] of [
    [['weights'], EXIT.usage, /weights takes one safetensors file/],
    [['weights', file, file], EXIT.usage, /weights takes one safetensors file/],
    [['weights', at('none')], EXIT.failed, /none cannot be read \(ENOENT/],
    [['weights', fileURLToPath(import.meta.url)], EXIT.failed, /cli-predict\.test\.js: byte 0: the header has/],
  ] as const) {
    const outcome = await sluice(args)
    assert.is(outcome.code, code)
    assert.match(outcome.err, message)
    assert.is(outcome.out, '')
  }
})

test('a training of another width: its file says so to predict and to --resume', async () => {
  const file = at('narrow')
  const flags = '--model mlp --width 20 --batch 512 --memory 512KiB'
  const trained = await eventsOf([...`train ${flags} --epochs 1 --checkpoint`.split(' '), file])
  const predicted = await eventsOf(['predict', '--weights', file])
  assert.is(predicted.at(-1)?.accuracy, trained.at(-1)?.testAccuracy)
  const { code, err } = await sluice(['train', '--resume', file, '--epochs', '2'])
  assert.is(code, EXIT.done, err)
  const refused = await sluice(['train', '--resume', file, '--width', '21'])
  assert.is(refused.code, EXIT.usage)
  assert.match(refused.err, /is a training with --width 20/)
})

test('predict gives the accuracy that train measured, and the classes and probabilities of the library', async () => {
  const file = at('trained')
  const trained = await eventsOf([
    ...'train --model mlp --batch 256 --epochs 4 --memory 512KiB --seed 3 --checkpoint'.split(' '),
    file,
  ])
  const predicted = await eventsOf(['predict', '--weights', file])
  const done = predicted.pop()
  assert.equal([done?.event, done?.samples], ['done', 359])
  assert.is(done?.accuracy, trained[trained.length - 1].testAccuracy)
  // by hand, with the library
  const { test: images } = data.split(data.digits(), { testFraction: 0.2, seed: 3 })
  const device = await openDevice('reference', { memory: '8MiB' })
  const model = models.mlp(device)
  model.loadStateDict(await load(file), { strict: false })
  const { inputs, targets } = images.gather(Array.from({ length: 359 }, (_, i) => i))
  const x = tensor(
    device,
    Float64Array.from(inputs.data, (value) => value / 16),
    inputs.shape,
  )
  const shares = await softmax(model.forward(x)).data()
  predicted.forEach(({ event, sample, class: found, probability, label }, i) => {
    const own = shares.slice(10 * i, 10 * i + 10)
    assert.equal([event, sample, label], ['prediction', i, targets.data[i]])
    assert.is(found, own.indexOf(Math.max(...own)))
    // float32 logits of size 10 against float64 ones
    assert.ok(Math.abs(Number(probability) - Math.max(...own)) < 1e-5)
  })
  const { out } = await sluice(['predict', '--weights', file, '--micro-batch', '7'])
  const rows = out.split('\n').filter((row) => /^ +\d+ +\d +\d+\.\d %/.test(row))
  assert.is(rows.length, 359)
  const wrong = predicted.filter(({ class: found, label }) => found !== label)
  assert.is(rows.filter((row) => row.includes('labelled')).length, wrong.length)
  assert.match(out, `digits/test: 359 images, by mlp\n`)
  assert.match(out, `: ${359 - wrong.length} of 359.\n`)
})

test('predict takes the images of an IDX folder or an npy file, and weights that are no training', async () => {
  const random = nn.generator(1)
  const pixels = Array.from({ length: 12 * 36 }, () => Math.floor(256 * random()))
  const images = at('idx')
  mkdirSync(images)
  for (const part of ['train', 't10k']) {
    writeIdx(images, `${part}-images-idx3-ubyte`, [12, 6, 6], (i) => pixels[i])
    writeIdx(images, `${part}-labels-idx1-ubyte`, [12], (i) => i % 4)
  }
  const device = await openDevice('cpu', { memory: '1MiB' })
  const file = at('plain')
  await save(await models.convnet(device, { inputShape: [1, 6, 6], classes: 4, seed: 5 }).stateDict(), file)
  const flags = ['--weights', file, '--model', 'convnet']
  const ofFolder = await eventsOf(['predict', ...flags, '--data', `idx:${images}`])
  assert.is(ofFolder.length, 13)
  assert.equal(ofFolder[3].label, 3)
  const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (12, 6, 6), }"
  writeFileSync(
    at('images.npy'),
    Uint8Array.of(0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0, ...Buffer.from(header), ...pixels),
  )
  const npy = ['--data', `npy:${at('images.npy')}`]
  const ofFile = await eventsOf(['predict', ...flags, ...npy, '--classes', '4'])
  const shown = (events: readonly Event[]) =>
    events.slice(0, 12).map(({ class: found, probability }) => [found, probability])
  assert.equal(shown(ofFile), shown(ofFolder))
  assert.equal([ofFile[0].label, ofFile[12].accuracy], [undefined, undefined])
  const { out } = await sluice(['predict', ...flags, ...npy, '--classes', '4'])
  assert.not.match(out, 'Accuracy')
  writeFileSync(at('row.npy'), Buffer.from(readOf('(432,)'), 'latin1'))
  const cases: [string[], number, RegExp][] = [
    [['predict'], EXIT.usage, /predict needs weights: give --weights FILE/],
    [['predict', ...flags, '--data', 'mnist'], EXIT.usage, /--data 'mnist'/],
    [
      ['predict', ...flags, '--micro-batch', 'fast'],
      EXIT.usage,
      /--micro-batch fast measures by training: say fit or a number/,
    ],
    [['predict', ...flags, ...npy, '--classes', '0'], EXIT.usage, /--classes '0' is not a whole number/],
    [['predict', ...flags, ...npy], EXIT.failed, /plain: loadStateDict: 7\.weight is \[4, 32\], not \[10, 32\]/],
    [
      ['predict', ...flags, '--data', `npy:${at('row.npy')}`],
      EXIT.failed,
      /row\.npy: its shape is \[432\]; images are/,
    ],
    [['predict', ...flags, '--data', `npy:${file}`], EXIT.failed, /plain: npy: not an npy file/],
    [['predict', '--weights', at('none')], EXIT.failed, /none cannot be read/],
    [
      ['predict', ...flags, ...npy, '--classes', '4', '--memory', '64KiB'],
      EXIT.doesNotFit,
      /The smallest budget that works is/,
    ],
  ]
  for (const [args, code, message] of cases) {
    const outcome = await sluice(args)
    assert.is(outcome.code, code, outcome.err)
    assert.match(outcome.err, message)
  }
})

/** The text of an npy file of 432 bytes of this shape. */
function readOf(shape: string): string {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}, }`
  return `\u0093NUMPY\u0001\u0000${String.fromCharCode(header.length, 0)}${header}${'\u0000'.repeat(432)}`
}

test.run()
