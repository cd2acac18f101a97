/**
 * The library as npm packs it, installed in an empty folder: it trains to the same losses by import, by require, behind
 * each bundler, on other platforms, and in a page with a strict policy.
 *
 *   npm ci --prefix test/package && npm ci --prefix test/browser && node test/package/run.mjs
 *
 * If a package or the browser is missing, the test fails.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { build as esbuild } from 'esbuild'
import { publint } from 'publint'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { build as vite } from 'vite'
import webpack from 'webpack'
import { inPage, serving } from '../browser/page.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The limits that the package keeps. */
const LARGEST_BYTES = 3e6
const LONGEST_INSTALL_MS = 30_000

/** Platforms differ in the last bits of Math.exp, and in fused multiply-add. */
const SAME_LOSS = 1e-5

const PROGRAM = `
export async function train({ crossEntropy, data, models, openDevice, optim, Streamer }) {
  const device = await openDevice('cpu', { memory: '512KiB' })
  const model = models.mlp(device, { seed: 1 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model), seed: 1 })
  const losses = []
  for await (const { loss } of streamer.fit(data.digits(), { batch: 512, epochs: 1 })) losses.push(loss)
  await device.close()
  return losses
}`

const FILES = {
  'program.js': PROGRAM,
  'entry.js': `import * as sluice from 'sluice'
import { train } from './program.js'
export const run = () => train(sluice)`,
  'print.mjs': `import { run } from './entry.js'
console.log(JSON.stringify(await run()))`,
  'required.cjs': `const sluice = require('sluice')
Promise.all([import('./program.js'), import('sluice')]).then(async ([{ train }, imported]) => {
  if (imported.Tensor !== sluice.Tensor) throw Error('there are two classes Tensor')
  if (typeof require('sluice/testing').checkGradient !== 'function') throw Error('no sluice/testing')
  if (require('sluice/package.json').name !== 'sluice') throw Error('no package.json')
  console.log(JSON.stringify(await train(sluice)))
})`,
  'fails.mjs': `import { parseBytes } from 'sluice'
parseBytes('8MB')`,
  'page.js': `import { run } from './entry.js'
globalThis.run = run`,
  'index.html': '<!doctype html><title>Sluice</title><script type="module" src="/page.js"></script>',
}

const app = mkdtempSync(join(tmpdir(), 'sluice-package-'))
const inApp = (path) => join(app, path)
test.after(() => rmSync(app, { recursive: true }))

const run = (program, args, options = {}) =>
  execFileSync(program, args, { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options })
const node = (...args) => run(process.execPath, args)
const npm = (args, options) => run('npm', args, options)

let tarball
let packed
let expected

test.before(async () => {
  ;[packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', app], { cwd: ROOT, env: quiet() }))
  tarball = inApp(packed.filename)
  for (const [path, text] of Object.entries(FILES)) writeFileSync(inApp(path), text)
  writeFileSync(inApp('package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }))
  writeFileSync(inApp('program.mjs'), PROGRAM)
  const { train } = await import(pathToFileURL(inApp('program.mjs')))
  expected = await train(await import('../../dist/src/index.js'))
})

/** Silences npm: the output of the build would come before the JSON. */
const quiet = () => ({ ...process.env, npm_config_loglevel: 'silent', FORCE_COLOR: undefined })

function assertTrained(losses, where) {
  const worst = Math.max(...expected.map((loss, i) => Math.abs(losses[i] - loss)))
  assert.ok(losses.length === expected.length && worst < SAME_LOSS, `${where}: ${losses}, not ${expected}`)
}

/** Trains in Node with the module at a path. */
const trainedBy = async (path) => assertTrained(await (await import(pathToFileURL(inApp(path)))).run(), path)

test(`the package has less than ${LARGEST_BYTES} bytes, and installs in an empty folder`, () => {
  const { size, unpackedSize, entryCount } = packed
  console.log(`${packed.filename}: ${size} bytes packed, ${unpackedSize} unpacked, ${entryCount} files`)
  assert.ok(unpackedSize < LARGEST_BYTES)
  const started = performance.now()
  npm(['install', '--no-audit', '--no-fund', tarball])
  const ms = performance.now() - started
  console.log(`installed in ${(ms / 1000).toFixed(1)} s`)
  assert.ok(ms < LONGEST_INSTALL_MS, `${ms} ms`)
  assert.equal(
    readdirSync(inApp('node_modules'))
      .filter((name) => !name.startsWith('.'))
      .sort(),
    ['seedrandom', 'sluice'],
  )
})

test('publint finds no error and no warning', async () => {
  const { messages } = await publint({ pkgDir: inApp('node_modules/sluice'), pack: false, strict: true })
  assert.equal(
    messages.filter(({ type }) => type !== 'suggestion'),
    [],
  )
})

test('are-the-types-wrong finds nothing, except that require gives the ES module, as intended', async () => {
  const { problems } = await checkPackage(createPackageFromTarballData(readFileSync(tarball)))
  assert.equal(
    problems.filter(({ kind }) => kind !== 'CJSResolvesToESM'),
    [],
  )
})

test('Node: by import and by require, with one class Tensor', () => {
  assertTrained(JSON.parse(node('print.mjs')), 'import')
  // the exports of sluice/testing need fast-check, an optional peer
  npm(['install', '--no-audit', '--no-fund', 'fast-check@4'])
  assertTrained(JSON.parse(node('required.cjs')), 'require')
})

test('Node: the trace of an error names the line of the source', () => {
  const { stderr } = spawnSync(process.execPath, ['--enable-source-maps', 'fails.mjs'], { cwd: app, encoding: 'utf8' })
  const [, file, line] =
    /at parseBytes \((?:file:\/\/)?(.*\/node_modules\/sluice\/src\/memory\/bytes\.ts):(\d+):/.exec(stderr) ?? []
  assert.ok(file, stderr)
  assert.match(readFileSync(file, 'utf8').split('\n')[Number(line) - 1], /throw new ArgumentError/)
})

test('the command line runs from the package', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const sluice = (...args) => node('node_modules/sluice/src/cli/sluice.mjs', ...args)
  assert.is(sluice('--version'), `${version}\n`)
  const out = sluice('train', '--model', 'mlp', '--batch', '512', '--epochs', '1', '--memory', '512KiB')
  assert.match(out, 'The measured peak equalled the plan to the byte in all 3 steps')
})

test('sluice/files loads without its peers, says which one is missing, and works when it is there', () => {
  const program = `
    import { mkdirSync, writeFileSync } from 'node:fs'
    import { csvFile, imageFolder } from 'sluice/files'
    const told = (promise) => promise.then(() => 'works', ({ name, message }) => name + ' ' + message)
    mkdirSync('photos/cat', { recursive: true })
    writeFileSync('photos/cat/1.png', 'no image')
    writeFileSync('table.csv', 'a,b\\n1,x\\n2,y\\n')
    console.log(await told(imageFolder('photos', { size: 8 })))
    console.log(await told(csvFile('table.csv', { target: 'b' })))`
  writeFileSync(inApp('files.mjs'), program)
  const without = node('files.mjs')
  assert.match(without, /^DataError images are decoded by sharp.*npm install sharp$/m)
  assert.match(without, /^DataError tables are read by csv-parse.*npm install csv-parse$/m)
  npm(['install', '--no-audit', '--no-fund', 'sharp', 'csv-parse'])
  assert.is(node('files.mjs'), 'works\nworks\n')
})

test('sluice/cluster loads without its peers, and says what to install', () => {
  const program = `
    import { work } from 'sluice/cluster'
    import { crossEntropy, models, openVirtualDevice } from 'sluice'
    const model = models.mlp(openVirtualDevice('cpu', { memory: '1MiB' }))
    await work({ model, loss: crossEntropy, redis: 'redis://localhost' }).catch(({ name, message }) => console.log(name, message))`
  writeFileSync(inApp('cluster.mjs'), program)
  assert.match(node('cluster.mjs'), /^ClusterError sluice\/cluster needs bullmq.*npm install bullmq ioredis$/m)
})

for (const platform of ['browser', 'neutral', 'node']) {
  test(`esbuild --platform=${platform}`, async () => {
    const outfile = inApp(`built/esbuild-${platform}.mjs`)
    const { warnings } = await esbuild({
      entryPoints: [inApp('entry.js')],
      bundle: true,
      minify: true,
      format: 'esm',
      platform,
      outfile,
      logLevel: 'silent',
    })
    assert.equal(warnings, [])
    await trainedBy(`built/esbuild-${platform}.mjs`)
  })
}

test('webpack, for the web: one warning, that gpu.js is not installed', async () => {
  const stats = await new Promise((resolve, reject) => {
    const settings = {
      context: app,
      mode: 'production',
      target: 'web',
      entry: './entry.js',
      experiments: { outputModule: true },
      output: { path: inApp('built/webpack'), filename: 'entry.mjs', library: { type: 'module' }, publicPath: '' },
      performance: { hints: false },
    }
    webpack(settings, (error, result) => (error ? reject(error) : resolve(result)))
  })
  const { errors, warnings } = stats.toJson({ errors: true, warnings: true })
  assert.equal(errors, [])
  assert.equal(
    warnings.map(({ message }) => /Can't resolve '([^']+)'/.exec(message)?.[1]),
    ['gpu.js'],
  )
  await trainedBy('built/webpack/entry.mjs')
})

/** The texts of the page that Vite builds, by their addresses. */
async function pageByVite() {
  const outDir = inApp('built/vite')
  await vite({ root: app, configFile: false, logLevel: 'silent', build: { outDir } })
  const texts = { '/': readFileSync(join(outDir, 'index.html'), 'utf8') }
  for (const name of readdirSync(join(outDir, 'assets'))) {
    texts[`/assets/${name}`] = readFileSync(join(outDir, 'assets', name), 'utf8')
  }
  return texts
}

const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"

test(`Vite: a page with the policy ${STRICT}, isolated from other origins or not`, async () => {
  const modules = await pageByVite()
  for (const isolated of [false, true]) {
    const losses = await serving(
      (address) =>
        inPage(address, async (page) => {
          page.setDefaultTimeout(60_000)
          await page.waitForFunction('globalThis.run !== undefined')
          return page.evaluate('run()')
        }),
      { modules, policy: STRICT, isolated },
    )
    assertTrained(losses, `isolated: ${isolated}`)
  }
})

test('the page without a bundler, as README.md has it', async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, map] = /^```html\n(<script type="importmap">[\s\S]*?)^```/m.exec(readme)
  const [, shim] = /^```js\n\/\/ seedrandom\.js\n([\s\S]*?)^```/m.exec(readme)
  const modules = {
    '/': `<!doctype html><title>Sluice</title>${map}`,
    '/seedrandom.js': shim,
    '/entry.js': FILES['entry.js'],
    '/program.js': PROGRAM,
  }
  for (const folder of ['node_modules/sluice/dist', 'node_modules/seedrandom']) {
    for (const name of readdirSync(inApp(folder), { recursive: true }).filter((path) => path.endsWith('.js'))) {
      modules[`/${folder}/${name}`] = readFileSync(inApp(`${folder}/${name}`), 'utf8')
    }
  }
  const losses = await serving(
    (address) => inPage(address, (page) => page.evaluate(`import('/entry.js').then(({ run }) => run())`)),
    { modules },
  )
  assertTrained(losses, 'the page')
})

for (const [platform, args] of Object.entries({ deno: ['run', '--allow-all'], bun: ['run'] })) {
  test(`${platform}`, () => {
    assertTrained(JSON.parse(run(join(HERE, 'node_modules/.bin', platform), [...args, 'print.mjs'])), platform)
  })
}

mkdirSync(inApp('built'))
test.run()
