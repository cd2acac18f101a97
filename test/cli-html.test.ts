/** `sluice plan --html`: the page has the numbers of the plan, is well-formed, and asks for nothing. A browser opens it in test/browser/html.mjs. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { formatBytes, groupDigits } from '../src/memory/bytes.js'
import { eventsOf, number, scratch, sluice } from './command-line.js'

const { folder, at } = scratch('html')

const read = (file: string): string => readFileSync(file, 'utf8')

/** Every tag is closed in its order, every & begins a number, and no text holds a bare sign. */
function checkWellFormed(page: string): void {
  assert.ok(page.startsWith('<!DOCTYPE html>\n'))
  const body = page.slice('<!DOCTYPE html>'.length)
  const open: string[] = []
  for (const [, close, name, self] of body.matchAll(
    /<(\/?)([a-z][a-z0-9]*)(?:\s[\w-]+(?::\w+)?="[^"<]*")*\s*(\/?)>/gi,
  )) {
    if (close) assert.is(open.pop(), name)
    else if (!self) open.push(name)
  }
  assert.equal(open, [])
  const texts = body
    .replace(/<style>[^<]*<\/style>/g, '')
    .replace(/<\/?[a-z][a-z0-9]*(\s[\w-]+(?::\w+)?="[^"<]*")*\s*\/?>/gi, '')
    .replace(/&#\d+;/g, '')
  assert.not.match(texts, /[<>&]/)
  assert.not.match(page, /NaN|Infinity|undefined|\[object/)
}

/** The cells of each row of all tables, unescaped. */
function rowsOf(page: string): string[][] {
  const plainOf = (cell: string): string =>
    cell.replace(/<[^>]*>/g, '').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
  return [...page.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => plainOf(cell)),
  )
}

test('the page has the numbers of the plan, for several models, devices and options', async () => {
  const jobs = [
    '--batch 512 --memory 1MiB',
    '--model convnet --batch 64 --memory 768KiB --batch-norm exact',
    '--model mlp --device gpu --batch 100 --memory 2MiB --recompute never',
    '--model convnet --batch 96 --memory 2MiB --micro-batch 20 --batch-norm exact --store 4MiB',
  ]
  for (const [i, job] of jobs.entries()) {
    const file = at(`${i}.html`)
    const [plan] = await eventsOf(`plan ${job} --html ${file}`)
    const page = read(file)
    checkWellFormed(page)
    const rows = rowsOf(page)
    const bytesIn = (label: string): string | undefined => rows.find(([first]) => first === label)?.[2]
    assert.is(bytesIn('planned peak'), groupDigits(number(plan, 'plannedPeakBytes')), job)
    assert.is(bytesIn('budget'), groupDigits(number(plan, 'budgetBytes')))
    for (const [category, bytes] of Object.entries(plan.heldAtPeak as Record<string, number>)) {
      assert.is(bytesIn(category), bytes > 0 ? groupDigits(bytes) : undefined, `${job}: ${category}`)
    }
    const parts = plan.parts as { size: number; count: number }[]
    for (const { size, count } of parts) {
      assert.ok(rows.some(([a, b]) => a === groupDigits(count) && b === groupDigits(size)))
    }
    const modules = plan.modulesAtPeak as { module: string; bytes: number }[]
    for (const { module, bytes } of modules.slice(0, 12)) {
      const row = rows.find(([first]) =>
        first === 'the model itself' ? module === '' : module !== '' && first.startsWith(`${module} (`),
      )
      assert.is(row?.[2], groupDigits(bytes), `${job}: ${module}`)
    }
    const frontier = (plan.frontier ?? []) as { extraTime: number; peakBytes: number; microBatch: number }[]
    for (const { extraTime, peakBytes, microBatch } of frontier.length > 1 ? frontier : []) {
      const row = [
        `${(100 * extraTime).toFixed(1)} %`,
        formatBytes(peakBytes),
        groupDigits(peakBytes),
        groupDigits(microBatch),
      ]
      assert.ok(
        rows.some((other) => JSON.stringify(other) === JSON.stringify(row)),
        `${job}: ${row}`,
      )
    }
    for (const field of ['minimumBudgetBytes', 'wholeBatchBytes']) {
      assert.ok(page.includes(`(${groupDigits(number(plan, field))} bytes)`), `${job}: ${field}`)
    }
    if (number(plan, 'passes') > 1) assert.ok(page.includes(`(${groupDigits(number(plan, 'storeBytes'))} bytes)`))
    for (const note of plan.notes as string[])
      assert.ok(page.includes(`<li>${note.replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</li>`), note)
  }
})

test('the largest mini-batch of the page is that of --largest batch, and the command of the page makes it again', async () => {
  const file = at('largest.html')
  await eventsOf(`plan --model mlp --memory 1MiB --html ${file}`)
  const page = read(file)
  const [{ value }] = await eventsOf('plan --model mlp --memory 1MiB --largest batch')
  assert.ok(
    page.includes(
      `<dt>The largest mini-batch in one piece</dt>\n<dd><strong>${groupDigits(Number(value))}</strong></dd>`,
    ),
  )
  const [, command] = /<pre><code>sluice (.*?)<\/code><\/pre>/.exec(page) ?? []
  assert.is(command, `plan --model mlp --memory 1MiB --html ${file}`)
  assert.is((await sluice(command)).code, EXIT.done)
  const image = /<dt>The largest square images<\/dt>\n<dd><strong>(?:(\d+) x \1|Not searched)/
  assert.match(page, image)
})

test('the command of a page without data says which samples it planned for', async () => {
  for (const flags of [
    '--model mlp --image 12 --memory 4MiB --classes 4',
    '--model gpt --width 16 --layers 1 --heads 2 --context 12 --batch 8 --memory 4MiB --vocabulary 30',
  ]) {
    const file = at('made.html')
    await eventsOf(`plan ${flags} --html ${file}`)
    const [, command] = /<pre><code>sluice (.*?)<\/code><\/pre>/.exec(read(file)) ?? []
    const sorted = (text: string): string[] => text.split(/ (?=--)/).sort()
    assert.equal(sorted(command), sorted(`plan ${flags} --html ${file}`))
  }
})

test('a job that does not fit has a page too, with the budget that is enough; it exits 3 as before', async () => {
  const file = at('refused.html')
  const { code, err } = await sluice(`plan --memory 300KiB --batch 64 --html ${file}`)
  assert.is(code, EXIT.doesNotFit)
  const [, smallest] = /The smallest budget that works is (\d+) bytes/.exec(err) ?? []
  const page = read(file)
  checkWellFormed(page)
  assert.match(page, 'It does not fit.')
  assert.ok(rowsOf(page).some(([first, , bytes]) => first === 'budget' && bytes === groupDigits(Number(smallest))))
})

test('names are escaped, and nothing is loaded from elsewhere', async () => {
  const file = join(folder, `a<b>&'c".html`)
  const { code, err } = await sluice(['plan', '--model', 'mlp', '--html', file])
  assert.is(code, EXIT.done, err)
  const page = read(file)
  checkWellFormed(page)
  assert.match(page, `a&#60;b&#62;&#38;'\\''c&#34;.html'`)
  assert.not.match(page, /<script|<img|@import|url\(|\b(?:src|srcset)=/)
  const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, address]) => address)
  assert.equal(links, ['data:,'])
})

test('if the page cannot be written, the error is one line; train has no page', async () => {
  const none = join(folder, 'none', 'x.html')
  const { code, err } = await sluice(`plan --model mlp --html ${none}`)
  assert.is(code, EXIT.failed)
  assert.match(err, /^sluice: --html: ENOENT[^\n]*\n$/)
  assert.not(existsSync(none))
  assert.match((await sluice('train --html x')).err, 'train has no option --html')
})

test.run()
