/**
 * The library in a page: no bundler, no build step, the compiled modules as they are shipped.
 *
 * Serves them on this machine only, and opens a headless Chromium: CHROMIUM, or /usr/bin/chromium. Its driver,
 * playwright-core, is installed here or in the folder PLAYWRIGHT_HOME.
 *
 * The import map of a page names the modules that it needs besides dist/. seedrandom, the only dependency, is CommonJS:
 * loaded as a module it finds no `module` and defines Math.seedrandom instead, so a module of two lines exports that. A
 * page of your own needs the same two lines, and two more for gpu.js if it opens a gpu device.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HOME = process.env.PLAYWRIGHT_HOME ?? fileURLToPath(new URL('.', import.meta.url))
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ARGUMENTS = [
  ...['--headless', '--no-sandbox', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  // WebGL2 without a GPU: the CPU draws, in the same way on every machine
  ...['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
]
const LONGEST_START_MS = 60_000

/** Further arguments of Chromium for WebGPU without a GPU; its pages must be on http://localhost. */
export const WEBGPU = [
  ...['--enable-unsafe-webgpu', '--enable-features=Vulkan,WebGPU', '--ignore-gpu-blocklist'],
  ...['--use-webgpu-adapter=swiftshader', '--use-vulkan=swiftshader'],
]

const IMPORTS = {
  sluice: '/dist/src/index.js',
  seedrandom: '/seedrandom.js',
  'gpu.js': '/gpu.js',
  // of the tests
  uvu: '/node_modules/uvu/dist/index.mjs',
  'uvu/assert': '/node_modules/uvu/assert/index.mjs',
  'uvu/diff': '/node_modules/uvu/diff/index.mjs',
  kleur: '/node_modules/kleur/index.mjs',
  diff: '/node_modules/diff/lib/index.mjs',
  dequal: '/node_modules/dequal/dist/index.mjs',
  'fast-check': '/node_modules/fast-check/lib/fast-check.js',
  'pure-rand/': '/node_modules/pure-rand/lib/esm/',
}

const MADE = {
  '/': `<!doctype html>
<title>Sluice</title>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`,
  '/seedrandom.js': `import '/node_modules/seedrandom/seedrandom.js'
export default Math.seedrandom`,
  '/gpu.js': `import '/node_modules/gpu.js/dist/gpu-browser.js'
export const { GPU } = globalThis.GPU`,
}

/** Paths that a page can ask for; everything else is not found. */
const FILES = /^\/(dist|node_modules|test\/browser|test\/bench)\/[\w@./-]+\.m?js$/

/** Media type and text of the file or module at a path, or null. */
function answer(path, made) {
  if (made[path]) return [path === '/' ? 'text/html' : 'text/javascript', made[path]]
  // a path of an import map has no extension
  const file = [path, `${path}.js`].find((name) => FILES.test(name) && existsSync(join(ROOT, name)))
  return file ? ['text/javascript', readFileSync(join(ROOT, file), 'utf8')] : null
}

/** The headers that isolate a page from other origins, so that it can share memory between threads. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

/**
 * Run `use` with the address of a server that only this machine can reach.
 * @param options.modules  the texts of modules without a file, by path
 * @param options.policy   Content-Security-Policy of all that is served
 */
export async function serving(use, { isolated = false, modules = {}, policy } = {}) {
  const made = { ...MADE, ...modules }
  const server = createServer(({ url }, response) => {
    const [type, text] = answer(new URL(url, 'http://localhost').pathname, made) ?? []
    const headers = {
      'content-type': `${type ?? 'text/plain'}; charset=utf-8`,
      ...(isolated && ISOLATED),
      ...(policy && { 'content-security-policy': policy }),
    }
    response.writeHead(type ? 200 : 404, headers)
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

/** Opens the browser, to be closed by the caller. */
export function openBrowser(more = []) {
  const { chromium } = createRequire(join(HOME, 'package.json'))('playwright-core')
  return chromium.launch({ executablePath: CHROMIUM, args: [...ARGUMENTS, ...more], timeout: LONGEST_START_MS })
}

/**
 * Run `use` with an open page and the browser's version.
 * @param more  further arguments of Chromium
 */
export async function inPage(address, use, more = []) {
  const browser = await openBrowser(more)
  try {
    const page = await browser.newPage()
    await page.goto(address)
    return await use(page, browser.version())
  } finally {
    await browser.close()
  }
}
