import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CATEGORIES, type Category, noBytes } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { drawTimeline, type TimelinePoint } from '../src/memory/timeline.js'
import { checkMarkup } from './markup.js'

const KIB = 1024

const moment = (op: string, activation: number): TimelinePoint => ({
  op,
  held: { ...noBytes(), parameter: 16 * KIB, activation },
})

/** Points that rise to a peak and fall again. */
const hill = (count: number, peakBytes: number): TimelinePoint[] =>
  Array.from({ length: count }, (_, i) => {
    const distance = Math.abs(2 * i - count) / count
    return moment(i === count / 2 ? 'conv2d gradient' : 'relu', Math.floor(peakBytes * (1 - distance)))
  })

const budgetAt = (svg: string): number => Number(/class="budget" d="M[\d.]+ ([\d.]+)L/.exec(svg)?.[1])
const dotAt = (svg: string): number => Number(/class="dot" cx="[\d.]+" cy="([\d.]+)"/.exec(svg)?.[1])

const BYTES = { budgetBytes: 80 * KIB, peakBytes: 72 * KIB }
const FORWARD = { start: 0, label: 'forward' }

test('a standalone picture: areas with legend, the budget, the highest held bytes with their op, sections', () => {
  const svg = drawTimeline(hill(100, 48 * KIB), {
    title: 'one step',
    ...BYTES,
    sections: [FORWARD, { start: 50, label: 'backward' }],
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

/** Four moments; the plot is 606 wide from x = 78 and 280 high from y = 356 up, for 1.04 times the highest bytes. */
const four: TimelinePoint[] = [
  { op: 'a', held: { ...noBytes(), parameter: 16 * KIB } },
  { op: 'b', held: { ...noBytes(), parameter: 16 * KIB, activation: 32 * KIB } },
  { op: 'c', held: { ...noBytes(), parameter: 16 * KIB, activation: 16 * KIB, workspace: 32 * KIB } },
  { op: 'd', held: { ...noBytes(), parameter: 16 * KIB } },
]

test('every line of a small picture, worked out by hand', () => {
  const svg = drawTimeline(four, {
    title: 'four',
    ...BYTES,
    sections: [FORWARD, { start: 2, label: 'back' }],
  })
  const gridLine = (y: number, bytes: string): string =>
    `<path class="grid" d="M78 ${y}L684 ${y}"/><text x="70" y="${y + 4}" text-anchor="end" class="quiet">${bytes}</text>`
  const legend = (y: number, colour: string, category: string, bytes: string): string =>
    `<rect x="704" y="${y - 11}" width="12" height="12" rx="2" fill="${colour}"/><text x="722" y="${y}">${category}</text>` +
    `<text x="876" y="${y}" text-anchor="end" class="quiet">${bytes}</text>`
  const area = (colour: string, path: string): string => `<path class="area" fill="${colour}" d="M78 356${path}V356Z"/>`
  // 280 (bytes / 83.2 KiB) above 356: 16 KiB 302.2, 32 248.3, 48 194.5, 64 140.6, 72 113.7, 80 86.8
  assert.equal(svg.replace(/<style>[^<]*<\/style>/, '<style/>').split('\n'), [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 420" width="900" height="420" role="img">',
    '<title>four</title>',
    '<style/>',
    '<rect class="page" width="900" height="420" rx="8"/>',
    '<text x="78" y="30" class="title">four</text>',
    gridLine(356, '0 B'),
    gridLine(302.2, '16 KiB'),
    gridLine(248.3, '32 KiB'),
    gridLine(194.5, '48 KiB'),
    gridLine(140.6, '64 KiB'),
    gridLine(86.8, '80 KiB'),
    area('#e0567a', 'H78V302.2H229.5V194.5H381V140.6H532.5V302.2H684'),
    area('#3fb08f', 'H78V302.2H229.5V194.5H381V248.3H532.5V302.2H684'),
    area('#4477aa', 'H78V302.2H684'),
    '<text x="229.5" y="376" text-anchor="middle" class="quiet">forward</text>',
    '<path class="section" d="M381 76L381 364"/>',
    '<text x="532.5" y="376" text-anchor="middle" class="quiet">back</text>',
    legend(356, '#4477aa', 'parameter', '16 KiB'),
    legend(336, '#3fb08f', 'activation', '32 KiB'),
    legend(316, '#e0567a', 'workspace', '32 KiB'),
    '<text x="704" y="90.8" class="over">budget 80 KiB</text>',
    '<path class="budget" d="M78 86.8L698 86.8"/>',
    '<path class="reach" d="M78 113.7L698 113.7"/>',
    '<text x="704" y="117.7">reaches 72 KiB</text>',
    '<path class="mark" d="M456.8 70L456.8 140.6"/>',
    '<circle class="dot" cx="456.8" cy="140.6" r="4.5"/>',
    '<text x="456.8" y="64" text-anchor="middle">most held: 64 KiB, at c</text>',
    '<text x="78" y="406" class="quiet">4 allocations and frees, in order</text>',
    '</svg>',
    '',
  ])
})

test('values that are made again are marked, with their number and bytes', () => {
  const again = four.map((point, i) => (i === 1 || i === 2 ? { ...point, againBytes: 16 * KIB } : point))
  const svg = drawTimeline(again, { title: 'again', ...BYTES })
  checkMarkup(svg)
  assert.match(svg, '<path class="again" d="M229.5 356v6M381 356v6"/>')
  assert.match(svg, '>| made again: 2 values, 32 KiB</text>')
  assert.match(svg, '\n.again{')
  assert.not.match(drawTimeline(four, { title: 'never', ...BYTES }), 'made again')
})

test('every class that the picture uses has a style, and every category has a place and a colour of its own', () => {
  const all = Object.fromEntries(CATEGORIES.map((category) => [category, KIB])) as Record<Category, number>
  const svg = drawTimeline([{ op: 'all', held: all }], { title: '', budgetBytes: 10 * KIB, peakBytes: 9 * KIB })
  const used = new Set([...svg.matchAll(/class="(\w+)"/g)].map(([, name]) => name))
  for (const name of used) assert.match(svg, new RegExp(`^\\.${name}\\{[^}]*(fill|stroke|font)`, 'm'))
  const areas = [...svg.matchAll(/class="area" fill="(#[0-9a-f]{6})"/g)].map(([, colour]) => colour)
  assert.is(new Set(areas).size, 9)
  const names = [...svg.matchAll(/fill="(#[0-9a-f]{6})"\/><text[^>]*>(\w+)</g)].map(([, colour, name]) => [
    colour,
    name,
  ])
  assert.equal(
    names.map(([, name]) => name),
    ['runtime', 'parameter', 'gradient', 'optimizer', 'buffer', 'store', 'input', 'activation', 'workspace'],
  )
  assert.equal(
    names.map(([colour]) => colour),
    areas.reverse(),
  )
})

test('labels do not overlap, and stay inside the picture', () => {
  const flat = (count: number, peakAt: number): TimelinePoint[] =>
    Array.from({ length: count }, (_, i) => moment(i === peakAt ? 'top' : 'relu', i === peakAt ? 48 * KIB : 0))
  // the label of the peak turns inwards near both ends: below 0.3 of the width and above 0.7
  for (const [peakAt, anchor] of [
    [0, ''],
    [2, ''],
    [3, ' text-anchor="middle"'],
    [6, ' text-anchor="middle"'],
    [7, ' text-anchor="end"'],
    [9, ' text-anchor="end"'],
  ] as const) {
    const svg = drawTimeline(flat(10, peakAt), { title: '', budgetBytes: 80 * KIB })
    assert.match(svg, new RegExp(`y="64"${anchor}>most held: 64 KiB, at top<`), `peak at ${peakAt}`)
  }
  // "reaches" is written at least 17 below the budget
  const near = drawTimeline(four, { title: '', budgetBytes: 80 * KIB, peakBytes: 80 * KIB })
  assert.match(near, '<text x="704" y="107.8">reaches 80 KiB</text>')
  assert.match(near, '<path class="reach" d="M78 86.8L698 86.8"/>')
  // the name of a section is left out if it is wider than its section, at 6.5 for each letter
  const named = (label: string): string =>
    drawTimeline(four, {
      title: '',
      budgetBytes: 1,
      sections: [
        { start: 0, label: 'x' },
        { start: 1, label },
        { start: 2, label: 'rest' },
      ],
    })
  assert.match(named('a'.repeat(23)), 'a</text>')
  assert.not.match(named('a'.repeat(24)), 'a</text>')
  checkMarkup(named('a'.repeat(24)))
})

test('the budget is drawn up to twice the highest byte, and the larger of the two sets the scale', () => {
  const drawn = (budgetBytes: number, peakBytes?: number): string =>
    drawTimeline(four, { title: '', budgetBytes, peakBytes })
  assert.match(drawn(128 * KIB), 'class="budget" d="M78 86.8L698 86.8"')
  const far = drawn(128 * KIB + 1)
  assert.match(far, '<text x="704" y="80" class="over">budget 128 KiB, off scale</text>')
  assert.not.match(far, 'class="budget"')
  assert.is(dotAt(far), 86.8)
  assert.not.match(far, 'class="reach"')
  assert.match(drawn(144 * KIB, 72 * KIB), 'class="budget"')
  assert.is(dotAt(drawn(16 * KIB)), 86.8)
  assert.match(drawn(0), 'class="budget" d="M78 356L698 356"')
  // 4 to 8 steps of a power of two, and no fraction of a byte
  const steps = (bytes: number): string[] =>
    [
      ...drawTimeline([{ op: '', held: { ...noBytes(), input: bytes } }], { title: '', budgetBytes: 0 }).matchAll(
        /"quiet">(\d+ K?i?B)</g,
      ),
    ].map(([, label]) => label)
  for (const bytes of [5, 100, 1000, 7 * KIB, 8 * KIB, 9 * KIB]) {
    const labels = new Set(steps(bytes))
    assert.ok(labels.size >= 4 && labels.size <= 10, [...labels].join())
  }
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

test('at most one moment for each half pixel is drawn: 1,212', () => {
  const steps = (count: number): number => {
    const zigzag = Array.from({ length: count }, (_, i) => moment('relu', (1 + (i % 2)) * KIB))
    const svg = drawTimeline(zigzag, { title: '', budgetBytes: KIB })
    checkMarkup(svg)
    return Math.max(...[...svg.matchAll(/d="([^"]*)"/g)].map(([, path]) => path.split('V').length - 2))
  }
  assert.is(steps(1000), 1000)
  assert.is(steps(1212), 1212)
  assert.ok(steps(1400) <= 1212)
  // of every three moments the highest is drawn, so all look the same
  assert.is(steps(3 * 1212), 1)
})

test('among equal maxima the first is marked, and among moments in one pixel the highest is drawn', () => {
  const twice = [1, 3, 2, 3].map((kib, i) => moment(`op ${i}`, kib * KIB))
  assert.match(drawTimeline(twice, { title: '', budgetBytes: 64 * KIB }), 'at op 1</text>')
  for (const at of [0, 1, 17_001, 17_020, 33_333, 49_999]) {
    const moments = Array.from({ length: 50_000 }, (_, i) => moment('relu', i === at ? 90 * KIB : KIB))
    const svg = drawTimeline(moments, { title: '', budgetBytes: 128 * KIB })
    assert.match(svg.slice(svg.indexOf('class="area"')), `V${dotAt(svg)}`, `the spike at ${at} reaches the dot`)
  }
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
  for (const budgetBytes of [0, 1]) {
    const svg = drawTimeline([{ op: 'input', held: noBytes() }], { title: '', budgetBytes })
    checkMarkup(svg)
    assert.match(svg, 'class="budget"')
  }
  assert.throws(
    () => drawTimeline([], { title: '', budgetBytes: 1 }),
    (error: unknown) => error instanceof ArgumentError,
  )
})

test.run()
