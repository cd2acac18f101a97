import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { noBytes } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { drawTimeline, type Moment } from '../src/memory/timeline.js'

const KIB = 1024

const moment = (op: string, activation: number): Moment => ({
  op,
  held: { ...noBytes(), parameter: 16 * KIB, activation },
})

/** Up to a peak and down again. */
const hill = (count: number, peakBytes: number): Moment[] =>
  Array.from({ length: count }, (_, i) => {
    const distance = Math.abs(2 * i - count) / count
    return moment(i === count / 2 ? 'conv2d gradient' : 'relu', Math.floor(peakBytes * (1 - distance)))
  })

/** Fails unless every tag is closed and no text has a sign that XML forbids. */
function checkMarkup(svg: string): void {
  const open: string[] = []
  for (const [, close, name, self] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (close) assert.is(open.pop(), name)
    else if (!self) open.push(name)
  }
  assert.equal(open, [])
  assert.not.match(svg.replace(/<\/?[a-z]+[^<>]*>/g, '').replace(/&#\d+;/g, ''), /[<>&]/)
  assert.not.match(svg, /[^\n\P{Cc}]|\p{Cs}|NaN|Infinity/u)
}

const budgetAt = (svg: string): number => Number(/class="budget" d="M[\d.]+ ([\d.]+)L/.exec(svg)?.[1])
const dotAt = (svg: string): number => Number(/class="dot" cx="[\d.]+" cy="([\d.]+)"/.exec(svg)?.[1])

test('a standalone picture: areas with legend, the budget, the most held with its op, sections', () => {
  const svg = drawTimeline(hill(100, 48 * KIB), {
    title: 'one step',
    budgetBytes: 80 * KIB,
    peakBytes: 72 * KIB,
    sections: [
      { start: 0, label: 'forward' },
      { start: 50, label: 'backward' },
    ],
  })
  checkMarkup(svg)
  assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox=/)
  for (const words of [
    'one step',
    'parameter',
    'activation',
    '48 KiB',
    'budget 80 KiB',
    'reaches 72 KiB',
    'backward',
  ]) {
    assert.ok(svg.includes(`>${words}</text>`), words)
  }
  assert.match(svg, '>most held: 64 KiB, at conv2d gradient</text>')
  assert.not.match(svg, 'optimizer')
  assert.is(svg.match(/class="area"/g)?.length, 2)
  assert.match(svg, 'prefers-color-scheme:dark')
  assert.ok(budgetAt(svg) < dotAt(svg), 'the budget is above the peak')
})

test('text is escaped', () => {
  const svg = drawTimeline([moment('<&">', 1)], { title: '</svg>\u0000\ud800', budgetBytes: 64 * KIB })
  checkMarkup(svg)
  assert.match(svg, '&#60;/svg&#62;\ufffd\ufffd')
  assert.match(svg, 'at &#60;&#38;&#34;&#62;')
})

test('a budget far above the peak does not flatten the picture', () => {
  const svg = drawTimeline(hill(10, 48 * KIB), { title: '', budgetBytes: 3 * 2 ** 30 })
  checkMarkup(svg)
  assert.match(svg, 'budget 3 GiB, off scale')
  assert.not.match(svg, 'class="budget"')
  checkMarkup(drawTimeline(hill(10, 48 * KIB), { title: '', budgetBytes: Infinity }))
})

test('many moments are thinned out, and the peak stays', () => {
  const moments = hill(50_000, 48 * KIB).map(({ op, held }, i) =>
    i === 33_333 ? moment('spike', 90 * KIB) : { op, held },
  )
  const svg = drawTimeline(moments, { title: '', budgetBytes: 128 * KIB })
  checkMarkup(svg)
  assert.match(svg, '>most held: 106 KiB, at spike</text>')
  const area = svg.slice(svg.indexOf('class="area"'))
  assert.match(area, `V${dotAt(svg)}`, 'the outline reaches the dot')
  assert.ok(svg.length < 50_000, `${svg.length} characters`)
})

test('nothing held, and no moment at all', () => {
  checkMarkup(drawTimeline([{ op: 'input', held: noBytes() }], { title: '', budgetBytes: 0 }))
  assert.throws(
    () => drawTimeline([], { title: '', budgetBytes: 1 }),
    (error: unknown) => error instanceof ArgumentError,
  )
})

test.run()
