/**
 * Builds the page and serves it to this machine, isolated from other origins, which threads need.
 *
 *   npm run lab            http://localhost:8080/
 *   npm run lab -- 3000    on another port
 *
 * Without the two headers the page works too, on one thread.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

/** A server of the files of one folder. */
export async function serve(folder, { port = 0, isolated = true } = {}) {
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    const name = pathname === '/' ? 'index.html' : pathname.slice(1)
    const file = join(folder, name)
    const type = /^[\w-]+\.\w+$/.test(name) && existsSync(file) ? TYPES[extname(name)] : undefined
    response.writeHead(type ? 200 : 404, {
      'content-type': `${type ?? 'text/plain'}; charset=utf-8`,
      'cache-control': 'no-cache',
      ...(isolated && ISOLATED),
    })
    response.end(type ? readFileSync(file) : 'not found')
  })
  await new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(join(HERE, 'node_modules'))) {
    const { status } = spawnSync('npm', ['ci', '--prefix', HERE], {
      stdio: 'inherit',
      shell: process.platform === 'win32',
    })
    if (status !== 0) process.exit(status ?? 1)
  }
  const { build } = await import('./build.mjs')
  const server = await serve(await build(), { port: Number(process.argv[2] ?? 8080) })
  console.log(`The lab is at http://localhost:${server.address().port}/ (Ctrl-C ends it)`)
}
