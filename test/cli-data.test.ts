/** `--data`: each form trains, plans, and reports the scores of its task; errors name what is wrong. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { eventsIn, scratch, sluice } from './command-line.js'

const { at } = scratch('sluice-cli-data-')

/** An npy file of bytes or floats. */
function npy(descr: '|u1' | '<f4' | '<i4', shape: readonly number[], values: readonly number[]): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117)
  const data =
    descr === '|u1' ? Uint8Array.from(values) : descr === '<f4' ? Float32Array.from(values) : Int32Array.from(values)
  const magic = Buffer.from(`\u0093NUMPY\u0001\u0000${String.fromCharCode(118, 0)}${header}\n`, 'latin1')
  return Buffer.concat([magic, new Uint8Array(data.buffer)])
}

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** A zip archive whose entries are stored. */
function zip(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const [records, directory]: Buffer[][] = [[], []]
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    let crc = 0xffffffff
    for (const byte of content) crc = CRCS[(crc ^ byte) & 0xff] ^ (crc >>> 8)
    const record = Buffer.alloc(30)
    record.writeUInt32LE(0x04034b50)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50)
    for (const [header, at] of [
      [record, 14],
      [entry, 16],
    ] as const) {
      header.writeUInt32LE((crc ^ 0xffffffff) >>> 0, at)
      header.writeUInt32LE(content.length, at + 4)
      header.writeUInt32LE(content.length, at + 8)
      header.writeUInt16LE(name.length, at + 12)
    }
    entry.writeUInt32LE(offset, 42)
    records.push(record, Buffer.from(name), Buffer.from(content))
    directory.push(entry, Buffer.from(name))
    offset += record.length + name.length + content.length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(Object.keys(files).length, 8)
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(listed.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...records, listed, end])
}

async function colours(): Promise<string> {
  for (const [name, [r, g, b]] of Object.entries({ red: [220, 30, 30], green: [30, 220, 30], blue: [30, 30, 220] })) {
    mkdirSync(at(`colours/${name}`), { recursive: true })
    for (let i = 0; i < 12; i++) {
      const image = sharp({ create: { width: 10 + i, height: 14, channels: 3, background: { r: r - i, g, b } } })
      await image.jpeg().toFile(at(`colours/${name}/${i}.jpg`))
    }
  }
  return at('colours')
}

/** Trains, and gives the last event. Each peak was as planned. */
async function done(args: string): Promise<Record<string, unknown>> {
  const { code, out, err } = await sluice(`train --json --memory 16MiB ${args}`)
  assert.is(code, EXIT.done, err)
  const last = eventsIn(out).at(-1)
  assert.is(last?.event, 'done')
  assert.equal([last?.stepsAsPlanned, last?.evaluationsAsPlanned], [last?.steps, last?.evaluations])
  return last ?? {}
}

test('folders of images by class', async () => {
  const { scores } = await done(`--data images:${await colours()} --image 8 --model mlp --batch 16 --epochs 8`)
  assert.equal(scores, { accuracy: 1 })
  const { out } = await sluice(`plan --data images:${at('colours')} --image 16 --batch 64`)
  assert.match(out, /images\/train/)
})

test('arrays of an npz file', async () => {
  const x = Array.from({ length: 60 * 16 }, (_, i) => (Math.floor(i / 16) % 2 === 0 ? 10 : 200))
  const y = Array.from({ length: 60 }, (_, i) => i % 2)
  const files = { 'x.npy': npy('|u1', [60, 4, 4], x), 'y.npy': npy('<i4', [60], y) }
  writeFileSync(at('pairs.npz'), zip(files))
  const { scores } = await done(`--data npz:${at('pairs.npz')} --model mlp --batch 16 --epochs 8`)
  assert.equal(scores, { accuracy: 1 })
})

test('tables: classes, and numbers', async () => {
  const rows = Array.from(
    { length: 80 },
    (_, i) => `${i % 7},${(i * 13) % 11},${i % 7 > 3 ? 'high' : 'low'},${0.5 * (i % 7)}`,
  )
  writeFileSync(at('table.csv'), `a,b,kind,half\n${rows.join('\n')}\n`)
  const classes = await done(`--data csv:${at('table.csv')} --target kind --model mlp --batch 32 --epochs 20`)
  assert.equal(classes.scores, { accuracy: 1 })
  const values = await done(`--data csv:${at('table.csv')} --target half --model mlp --batch 32 --epochs 60`)
  assert.ok((values.scores as { rmse: number }).rmse < 0.2, JSON.stringify(values.scores))
  const { out } = await sluice(
    `train --data csv:${at('table.csv')} --target half --model mlp --batch 32 --epochs 2 --memory 1MiB`,
  )
  assert.match(out, /Test root mean square error \d/)
})

test('drawn shapes are called synthetic, and need no file', async () => {
  const { out } = await sluice('plan --data shapes --image 16 --model convnet')
  assert.match(out, /synthetic shapes/)
  const { scores } = await done('--data shapes --image 12 --model mlp --batch 400 --epochs 6')
  assert.ok((scores as { accuracy: number }).accuracy > 0.3)
})

test('images with masks, and text', async () => {
  const masks = await done('--data shape-masks --image 16 --model unet --width 8 --levels 2 --batch 200 --epochs 8')
  const { iou, dice, accuracy } = masks.scores as Record<string, number>
  assert.ok(iou > 0.1 && dice > iou && accuracy > 0.85, JSON.stringify(masks.scores))
  writeFileSync(at('rhyme.txt'), 'hickory dickory dock, the mouse ran up the clock. '.repeat(40))
  for (const model of ['gpt --heads 2 --layers 1', 'lstm']) {
    const { scores } = await done(
      `--data text:${at('rhyme.txt')} --context 24 --model ${model} --width 16 --batch 16 --epochs 8`,
    )
    const { perplexity } = scores as { perplexity: number }
    assert.ok(perplexity > 1 && perplexity < 14, `${model}: ${perplexity}`)
  }
})

test('a checkpoint keeps the flags of the data, so resume and predict need none', async () => {
  const file = at('shapes.safetensors')
  const common = '--data shapes --image 12 --model mlp --batch 400'
  await done(`${common} --epochs 1 --checkpoint ${file}`)
  const resumed = await sluice(`train --resume ${file} --epochs 2 --json --memory 16MiB`)
  assert.is(resumed.code, EXIT.done, resumed.err)
  const { code, out } = await sluice(`predict --weights ${file} --json`)
  assert.is(code, EXIT.done)
  assert.is(eventsIn(out).at(-1)?.samples, 400)
})

test('flags and models that do not fit the data are refused', async () => {
  const text = join(at('text.txt'))
  writeFileSync(text, 'to be or not to be. '.repeat(20))
  for (const [args, message] of [
    ['--data csv:/tmp/x.csv', /--data csv: needs the column .*--target COLUMN/],
    ['--data digits --image 8', /--image is for --data shapes, shape-masks, images, masks/],
    ['--data shapes --target kind', /--target is for --data csv/],
    ['--data digits --context 8', /--context is for --data text/],
    ['--data images: --image 8', /--data 'images:' is not one of digits/],
    [
      `--data text:${text} --context 8`,
      /--model lenet learns from images with classes, and --data has text: say --model gpt, lstm/,
    ],
    ['--data shape-masks', /and --data has images with masks: say --model unet/],
  ] as const) {
    const { code, err } = await sluice(`train ${args}`)
    assert.is(code, EXIT.usage, err)
    assert.match(err, message)
  }
  const { code, err } = await sluice('train --data images:/nowhere')
  assert.is.not(code, EXIT.done)
  assert.match(err, /\/nowhere: cannot be read as a folder/)
})

test.run()
