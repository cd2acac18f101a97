/** `sluice gradcheck`. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkOps } from '../src/autograd/gradcheck.js'
import { EXIT } from '../src/cli/io.js'
import { opTable } from '../src/ops/table.js'
import { square } from '../src/ops/unary.js'
import { eventsOf, number, sluice } from './command-line.js'

test('gradcheck: the worst error of each op, and exit code 1 for a wrong gradient', async () => {
  const { code, out } = await sluice('gradcheck relu argmax softmax')
  assert.is(code, EXIT.done)
  assert.match(
    out,
    /^relu +\d\.\de-\d+\nargmax +no gradient\nsoftmax +\d\.\de-\d+\n2 gradients, worst error .*; 0 above/,
  )
  const aligned = await sluice('gradcheck relu scaledDotProductAttention')
  const [short, long] = aligned.out.split('\n').map((line) => line.search(/\d\.\de/))
  assert.is(short, long)
  const [first, second, done] = await eventsOf('gradcheck square argmax')
  assert.equal([first.op, first.gradient, first.ok], ['square', true, true])
  assert.ok(number(first, 'worstError') < 1e-6)
  assert.equal(second, { event: 'gradcheck', op: 'argmax', gradient: false, worstError: null, ok: true })
  assert.equal([done.checked, done.failures], [1, 0])

  const [gradient] = square.op.gradients
  assert.ok(gradient)
  const { send } = gradient
  Object.assign(gradient, { send: ((call, target) => target.pass(call.dy)) satisfies typeof send })
  try {
    const wrong = await sluice('gradcheck square neg')
    assert.is(wrong.code, EXIT.failed)
    assert.match(wrong.out, /^neg +\S+\nsquare +\S+ {3}WRONG\n2 gradients, .*; 1 above/)
  } finally {
    Object.assign(gradient, { send })
  }
})

test('gradcheck of all ops prints the errors that the library finds with the same seed, and the worst of them', async () => {
  const found = await checkOps(opTable, { seed: 7 })
  const all = await eventsOf('gradcheck --seed 7')
  const expected = found.map(({ op, worstError }) => ['gradcheck', op, worstError])
  assert.equal(
    all.slice(0, -1).map(({ event, op, worstError }) => [event, op, worstError]),
    expected,
  )
  const errors = found.flatMap(({ worstError }) => worstError ?? [])
  const [last] = all.slice(-1)
  assert.equal([last.event, last.checked, last.worstError], ['done', errors.length, Math.max(...errors)])
})

test('gradcheck --help lists the ops in lines of at most 100 characters, each as full as possible', async () => {
  const [, list] = /\nOps: (.+?)\n\n/s.exec((await sluice('gradcheck --help')).out) ?? []
  const lines = list.split('\n  ')
  assert.equal(
    lines.flatMap((line) => line.split(' ')),
    opTable.map(({ name }) => name),
  )
  for (const [i, line] of lines.entries()) {
    const [next = ''] = lines[i + 1]?.split(' ') ?? []
    assert.ok(line.length <= 100 && (next === '' || `${line} ${next}`.length > 100), line)
  }
})

test.run()
