/**
 * In a page the library trains as in Node, and on threads where the page may share memory.
 *
 *   npm ci --prefix test/browser && node test/browser/run.mjs
 *
 * If a browser or a package is missing, the test fails.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inPage, serving } from './page.mjs'
import { multiply } from './threads.js'
import { train } from './train.js'

const LONGEST_RUN_MS = 60_000

/** Math.exp and similar functions can differ in their last bit between versions of V8. */
const LOSS_TOLERANCE = 1e-6

/** The result of `train` in a page, and every address that the page requested. */
async function trainInPage(address) {
  return inPage(address, async (page, version) => {
    const asked = []
    page.on('request', (request) => asked.push(request.url()))
    page.setDefaultTimeout(LONGEST_RUN_MS)
    await page.reload()
    const result = await page.evaluate(`(async () => {
      const { train } = await import('/test/browser/train.js')
      return train(await import('sluice'))
    })()`)
    return { result, asked, version }
  })
}

test('an MLP trains in a page as it does in Node, through the same plans', async () => {
  const here = await train(await import('../../dist/src/index.js'))
  const { result: there, asked, version } = await serving(trainInPage)

  assert.is(there.steps.length, 4)
  assert.ok(there.steps[0].parts[0].count > 1, 'the mini-batch went through in one piece')
  for (const { peakBytes, plannedPeakBytes } of [...there.steps, there.evaluation]) {
    assert.is(peakBytes, plannedPeakBytes)
    assert.ok(peakBytes <= there.budgetBytes)
  }
  const bytes = ({ steps, evaluation, budgetBytes, heldBytes }) => ({
    steps: steps.map(({ loss, ...rest }) => rest),
    evaluation: evaluation.peakBytes,
    budgetBytes,
    heldBytes,
  })
  assert.equal(bytes(there), bytes(here), 'every byte as in Node')

  const losses = ({ steps, evaluation }) => [...steps.map(({ loss }) => loss), evaluation.loss]
  const differences = losses(there).map((loss, i) => Math.abs(loss - losses(here)[i]) / losses(here)[i])
  const worst = Math.max(...differences)
  assert.ok(worst <= LOSS_TOLERANCE, `losses ${losses(there)} in the page, ${losses(here)} in Node`)
  assert.ok(losses(there)[3] < losses(there)[0])
  const foreign = asked.filter((url) => !url.startsWith(new URL(asked[0]).origin))
  assert.equal(foreign, [], 'the page asked for nothing from elsewhere')
  assert.not(
    asked.some((url) => /gpu\.js/.test(url)),
    'a page that opens no gpu device loads no gpu.js',
  )
  console.log(
    `Chromium ${version}, ${asked.length} modules: losses ${worst === 0 ? 'equal bit for bit' : `differ by ${worst}`}`,
  )
})

/** `multiply` in a page. */
const multiplyInPage = (address, threads) =>
  inPage(address, (page) =>
    page.evaluate(`import('/test/browser/threads.js').then(({ multiply }) => multiply(${threads}))`),
  )

test('a page isolated from other origins runs worker threads, which compute the same bits', async () => {
  const isolated = (threads) => serving((address) => multiplyInPage(address, threads), { isolated: true })
  const one = await isolated(1)
  const three = await isolated(3)
  assert.equal([one.workers, one.items, three.workers], [0, 0, 2])
  assert.ok(three.items >= 2, 'the workers did nothing')
  assert.equal(three.bits, one.bits)
  assert.ok(new Set(one.bits).size > 1000, 'nothing was multiplied')
  const here = await multiply(1)
  if (here.variant === one.variant) assert.equal(one.bits, here.bits, 'bits as in Node')
  const open = await serving((address) => multiplyInPage(address, 1))
  assert.equal([one.canThread, open.canThread], [true, false])
})

test.run()
