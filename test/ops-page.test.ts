/**
 * docs/ops.md lists every op, with its arguments and what it saves; README.md names every op and every layer; every function
 * of kernels/functions.ts is an op.
 */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BINARY, UNARY } from '../kernels/functions.js'
import * as nn from '../src/nn/index.js'
import type { Op } from '../src/ops/declaration.js'
import { ops } from '../src/ops/table.js'

/** name, arguments and the last column: what is saved */
const ROW = /^\| `(\w+)\((.*?)\)` \|.* \| (.*?) \|$/gm
const page = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const rows = [...page('docs/ops.md').matchAll(ROW)]

/** Functions that are parts of other ops: of mean and of the running statistics, and of the gradients of `where`. */
const NO_OPS = ['affine', 'keepWhere', 'keepUnless']

/** The saved tensors as the page names them. Inputs come first in the lists of arguments and of options. */
function savedBy(op: Op<unknown>, args: string): string {
  const names = args
    .replaceAll(/[{} ]/g, '')
    .split(',')
    .filter((argument) => !['groups', 'axis'].includes(argument))
  const inputs = Math.max(...op.samples.map((sample) => sample.inputs.length))
  const differentiable = op.gradients.slice(0, inputs).flatMap((gradient, i) => {
    if (!gradient || gradient.saves.length === 0) return []
    const saved = gradient.saves.map((what) => (what === 'output' ? 'y' : what === 'extras' ? 'extras' : names[what]))
    const order = [...names, 'y', 'extras']
    return [{ input: names[i], saved: saved.sort((a, b) => order.indexOf(a) - order.indexOf(b)).join(', ') }]
  })
  const alike = new Set(differentiable.map(({ saved }) => saved)).size < 2
  if (alike) return differentiable[0]?.saved ?? 'nothing'
  return differentiable.map(({ input, saved }) => `${saved} for ${input}`).join('; ')
}

test('every function is an op', () => {
  const missing = [...Object.keys(UNARY), ...Object.keys(BINARY)].filter(
    (name) => !Object.hasOwn(ops, name) && !NO_OPS.includes(name),
  )
  assert.equal(missing, [], 'to be declared in src/ops/unary.ts or src/ops/binary.ts')
})

test('every op has a row', () => {
  const missing = Object.keys(ops).filter((name) => !rows.some((row) => row[1] === name))
  assert.equal(missing, [], 'to be given a row in docs/ops.md')
})

test('every row names an op, and what the op saves', () => {
  for (const [, name, args, written] of rows) {
    const op = Object.entries(ops).find(([known]) => known === name)?.[1].op
    assert.ok(op, `docs/ops.md: there is no op '${name}'`)
    assert.is(written, savedBy(op, args), `docs/ops.md: what ${name} saves`)
  }
})

/** The words of these rows of README's table, without text in parentheses or after `; all`. */
function wordsOf(...titles: string[]): string[] {
  const table = page('README.md')
    .split('## What is there')[1]
    .split('\n## ')[0]
    .replaceAll(/\(.*?\)|; all.*?(?= \|)|, your own function/g, '')
  return titles.flatMap((title) => {
    const cell = new RegExp(`^\\| ${title} \\|(.*)\\|$`, 'm').exec(table)?.[1]
    assert.ok(cell, `README.md has no row '${title}'`)
    return cell.split(/[\s,;]+/).filter((word) => word !== '' && word !== 'and')
  })
}

test('README names every op, and only ops', () => {
  const oneOrMore = ['ops, one tensor', 'ops, two or three', 'products', 'reductions', 'movement', 'attention']
  const named = wordsOf(...oneOrMore, 'pooling, norms', 'embedding, losses')
  assert.equal(named.sort(), Object.keys(ops).sort())
})

test('README names every layer, and only layers', () => {
  const layers = Object.entries(nn).filter(
    ([, made]) => typeof made === 'function' && made.prototype instanceof nn.Module,
  )
  assert.equal(wordsOf('layers').sort(), layers.map(([name]) => name).sort())
})

test.run()
