/**
 * The library in a page: no bundler, no build step, the compiled modules as they are shipped.
 *
 *   npm ci --prefix test/browser && node test/browser/run.mjs
 *
 * Serves dist/ on this machine only, opens it in Chromium without a window, trains there and in Node, and compares.
 * Chromium: CHROMIUM, or /usr/bin/chromium. Its driver, playwright-core: installed here, or in the folder
 * PLAYWRIGHT_HOME. What is missing makes the test fail, not pass.
 *
 * The one dependency, seedrandom, is CommonJS. Loaded as a module it finds no `module` and puts itself at
 * Math.seedrandom, so a module of two lines gives it to an import map; a page of your own needs the same two lines.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { train } from './train.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HOME = process.env.PLAYWRIGHT_HOME ?? fileURLToPath(new URL('.', import.meta.url))
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ARGUMENTS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]
const LONGEST_RUN_MS = 60_000

/** Math.exp and its like may differ in their last bit between versions of V8. */
const LOSS_TOLERANCE = 1e-6

const PAGE = `<!doctype html>
<title>Sluice</title>
<script type="importmap">{ "imports": { "sluice": "/dist/src/index.js", "seedrandom": "/seedrandom.js" } }</script>`

const SEEDRANDOM = `import '/node_modules/seedrandom/seedrandom.js'
export default Math.seedrandom`

/** Paths that a page may ask for; everything else is not there. */
const FILES = /^\/(dist\/(src|kernels)\/[\w/-]+\.js|node_modules\/seedrandom\/seedrandom\.js|test\/browser\/train\.js)$/

/** Media type and text of what stands at a path, or null. */
function answer(path) {
  if (path === '/') return ['text/html', PAGE]
  if (path === '/seedrandom.js') return ['text/javascript', SEEDRANDOM]
  if (FILES.test(path) && existsSync(join(ROOT, path)))
    return ['text/javascript', readFileSync(join(ROOT, path), 'utf8')]
  return null
}

/** Run `use` with the address of a server that only this machine can reach. */
async function serving(use) {
  const server = createServer(({ url }, response) => {
    const [type, text] = answer(new URL(url, 'http://localhost').pathname) ?? []
    response.writeHead(type ? 200 : 404, { 'content-type': `${type ?? 'text/plain'}; charset=utf-8` })
    response.end(text)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(`http://127.0.0.1:${server.address().port}/`)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

/** What `train` gives in a page, and every address that the page asked for. */
async function trainInPage(address) {
  const { chromium } = createRequire(join(HOME, 'package.json'))('playwright-core')
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, timeout: LONGEST_RUN_MS })
  try {
    const page = await browser.newPage()
    const asked = []
    page.on('request', (request) => asked.push(request.url()))
    page.setDefaultTimeout(LONGEST_RUN_MS)
    await page.goto(address)
    const result = await page.evaluate(`(async () => {
      const { train } = await import('/test/browser/train.js')
      return train(await import('sluice'))
    })()`)
    return { result, asked, version: browser.version() }
  } finally {
    await browser.close()
  }
}

test('an MLP trains in a page as it does in Node, through the same plans', async () => {
  const here = await train(await import('../../dist/src/index.js'))
  const { result: there, asked, version } = await serving(trainInPage)

  assert.is(there.steps.length, 4)
  assert.ok(there.steps[0].sizes.length > 1, 'the mini-batch went through in one piece')
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
  console.log(
    `Chromium ${version}, ${asked.length} modules: losses ${worst === 0 ? 'equal bit for bit' : `differ by ${worst}`}`,
  )
})

test.run()
