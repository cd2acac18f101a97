/**
 * The library through a bundler, minified, in a page and in a worker: gpu.js is a chunk of its own, which is loaded
 * only when a gpu device is opened, and a bundle without gpu.js works too.
 *
 *   npm ci --prefix test/browser && node test/browser/bundle.mjs
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { keep } from './keep.js'
import { inPage, serving } from './page.mjs'
import { train } from './train.js'

const LONGEST_RUN_MS = 120_000

/** The tolerance of losses on the gpu device, whose sums have another order. */
const GPU_TOLERANCE = 1e-4

/** The tolerance of losses by plain loops, whose sums have another order too. */
const LOOPS_TOLERANCE = 1e-4

/** Names the class of an error by the exports of the library, because a minifier changes the names of classes. */
const NAMED = `(error) => {
  throw error instanceof sluice.DeviceError ? Error('DeviceError: ' + error.message) : error
}`

const ENTRIES = {
  page: `import * as sluice from 'sluice'
    import { train } from './train.js'
    import { keep } from './keep.js'
    export const keeps = (npz) => keep(sluice, npz)
    export const run = (kind, options) => train(sluice, kind, options).catch(${NAMED})
    export const compileAll = () => sluice.openDevice('gpu', { memory: '1MiB' }).then((device) => device.warmup())`,
  worker: `import * as sluice from 'sluice'
    import { train } from './train.js'
    onmessage = ({ data }) => train(sluice, data).catch(${NAMED}).then(postMessage, (error) => postMessage(String(error)))`,
}

/** The bundled modules, by their paths; each is made from the entry of its name in ENTRIES. */
async function bundled(options) {
  const entry = {
    name: 'entry',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice('entry:'.length), namespace: 'entry' }))
      onLoad({ filter: /./, namespace: 'entry' }, ({ path }) => ({ contents: ENTRIES[path], resolveDir: here('.') }))
    },
  }
  const { outputFiles, warnings } = await build({
    entryPoints: Object.keys(ENTRIES).map((name) => ({ in: `entry:${name}`, out: name })),
    alias: { sluice: here('../../dist/src/index.js') },
    plugins: [entry],
    outdir: here('bundle'),
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
    ...options,
  })
  assert.equal(warnings, [])
  return Object.fromEntries(outputFiles.map(({ path, text }) => [path.slice(here('.').length - 1), text]))
}

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** The name of gpu.js' main class, which no other code uses. */
const hasGpuJs = (text) => text.includes('WebGL2Kernel')

/** The result of `script` in a page, and the texts of all modules that were asked for. */
const inBundle = (modules, script, policy) =>
  serving(
    (address) =>
      inPage(address, async (page) => {
        const asked = []
        page.on('request', (request) => asked.push(new URL(request.url()).pathname))
        page.setDefaultTimeout(LONGEST_RUN_MS)
        return { result: await page.evaluate(script), texts: asked.map((path) => modules[path] ?? '') }
      }),
    { modules, policy },
  )

const inThePage = (kind) => `import('/bundle/page.js').then(({ run }) => run('${kind}'))`

const inAWorker = (kind) => `new Promise((resolve, reject) => {
  const worker = new Worker('/bundle/worker.js', { type: 'module' })
  worker.onmessage = ({ data }) => typeof data === 'string' ? reject(Error(data)) : resolve(data)
  worker.onerror = ({ message }) => reject(Error(message))
  worker.postMessage('${kind}')
})`

const losses = ({ steps, evaluation }) => [...steps.map(({ loss }) => loss), evaluation.loss]

function close(result, expected, tolerance) {
  const worst = Math.max(...losses(expected).map((loss, i) => Math.abs(losses(result)[i] - loss) / loss))
  assert.ok(worst <= tolerance, `losses ${losses(result)}, not ${losses(expected)}`)
  for (const { peakBytes, plannedPeakBytes } of [...result.steps, result.evaluation]) {
    assert.is(peakBytes, plannedPeakBytes)
  }
}

const library = await import('../../dist/src/index.js')

test('without a gpu device no gpu.js is loaded; with one it is loaded and trains, in a page and in a worker', async () => {
  const modules = await bundled({ splitting: true })
  const expected = await train(library)
  for (const place of [inThePage, inAWorker]) {
    const cpu = await inBundle(modules, place('cpu'))
    close(cpu.result, expected, 1e-6)
    assert.not(cpu.texts.some(hasGpuJs), `${place.name}: gpu.js was loaded`)
    assert.ok(
      cpu.texts.some((text) => text.length > 100_000),
      'the bundle was not loaded',
    )
    const gpu = await inBundle(modules, place('gpu'))
    close(gpu.result, expected, GPU_TOLERANCE)
    assert.ok(gpu.texts.some(hasGpuJs), `${place.name}: gpu.js was not loaded`)
  }
})

test('a page that asks for vectors of 256 bits gets what it can have: the same losses, no more scripts, no word', async () => {
  const modules = await bundled({ splitting: true })
  const plain = await inBundle(modules, inThePage('cpu'))
  const asks = `(() => {
    const said = []
    for (const level of ['log', 'info', 'warn', 'error']) console[level] = (...words) => said.push(words.join(' '))
    return import('/bundle/page.js').then(({ run }) => run('cpu', { simd: 'wide' })).then((losses) => ({ losses, said }))
  })()`
  const { result, texts } = await inBundle(modules, asks)
  assert.equal(result, { losses: plain.result, said: [] })
  assert.is(texts.length, plain.texts.length)
})

/** What a page with a strict policy allows: its own scripts, and the import map in it. */
const STRICT = "default-src 'self'; script-src 'self' 'unsafe-inline'"

test('where a policy forbids WebAssembly, the error says so and what to allow, in a page and in a worker', async () => {
  const modules = await bundled({ splitting: true })
  const expected = await train(library)
  for (const place of [inThePage, inAWorker]) {
    const refused = await inBundle(modules, place('cpu'), STRICT).catch((error) => error)
    assert.match(String(refused), /DeviceError: the cpu device could not/, place.name)
    assert.match(String(refused), /the cpu device could not compile its kernels, which are WebAssembly \(.+\)/)
    assert.match(String(refused), /allow 'wasm-unsafe-eval' in its script-src/)
    const allowed = await inBundle(modules, place('cpu'), `${STRICT} 'wasm-unsafe-eval'`)
    close(allowed.result, expected, 1e-6)
  }
  const loops = `import('/bundle/page.js').then(({ run }) => run('cpu', { simd: 'none' }))`
  const { result } = await inBundle(modules, loops, STRICT)
  close(result, expected, LOOPS_TOLERANCE)
})

test('every program compiles after a minifier has changed the bundle', async () => {
  await inBundle(await bundled({ splitting: true }), `import('/bundle/page.js').then(({ compileAll }) => compileAll())`)
})

test('a bundle in one piece has no gpu.js where it is not installed or declared external', async () => {
  const modules = await bundled({ external: ['gpu.js'] })
  assert.equal(Object.keys(modules).sort(), ['/bundle/page.js', '/bundle/worker.js'])
  assert.not(Object.values(modules).some(hasGpuJs))
  const { result } = await inBundle(modules, inThePage('cpu'))
  close(result, await train(library), 1e-6)
})

test('a training goes on from bytes in a page as in Node, packed arrays are read, and a path is refused by what to use', async () => {
  const npz = [...readFileSync(here('../arrays/packed.npz'))]
  const modules = await bundled({ external: ['gpu.js'] })
  const { result } = await inBundle(
    modules,
    `import('/bundle/page.js').then(({ keeps }) => keeps(${JSON.stringify(npz)}))`,
  )
  const expected = await keep(library, npz)
  assert.is(result.losses.length, 5)
  const worst = Math.max(...expected.losses.map((loss, i) => Math.abs(loss - result.losses[i])))
  assert.ok(worst < 1e-6, `off by ${worst}`)
  assert.equal([result.tensors, result.arrays], [expected.tensors, expected.arrays])
  assert.match(expected.message, /could not be written/)
  for (const told of [result.message, result.folder])
    assert.match(told, /has no files by path: use bytes, see parseSafetensors/)
  // bytes of a page go on in Node
  const loaded = await library.loadCheckpoint(Uint8Array.from(result.bytes))
  assert.is(loaded.optimizer.steps, 5)
})

test.run()
