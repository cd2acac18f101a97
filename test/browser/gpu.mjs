/**
 * The tests of the gpu device in a page: every dist/test/gpu/*.gl.js, one page for each, run by uvu as in Node. Those
 * whose name ends in .node.gl.js need files or processes, which a page does not have.
 *
 *   npm ci --prefix test/browser && node test/browser/gpu.mjs [--webgpu] [parts of files' names]
 *
 * With --webgpu they run on the second form of the device; tests that need a WebGL2 context are skipped.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inPage, ROOT, serving, WEBGPU } from './page.mjs'

const LONGEST_FILE_MS = 600_000
const total = { Total: 0, Passed: 0, Skipped: 0 }
let failures = 0

const words = process.argv.slice(2)
const onWebGpu = words[0] === '--webgpu'
if (onWebGpu) words.shift()
const files = readdirSync(join(ROOT, 'dist/test/gpu'))
  .filter(
    (file) => /(?<!\.node)\.gl\.js$/.test(file) && (words.length === 0 || words.some((word) => file.includes(word))),
  )
  .sort()

await serving(async (address) => {
  const page = onWebGpu ? `${address.replace('127.0.0.1', 'localhost')}?api=webgpu` : address
  for (const file of files) {
    await inPage(page, (page, version) => runFile(page, version, file), onWebGpu ? WEBGPU : [])
  }
})

for (const [label, count] of Object.entries(total)) console.log(`  ${`${label}:`.padEnd(10)} ${count}`)
if (failures > 0 || total.Total === 0 || total.Passed + total.Skipped < total.Total) process.exitCode = 1

/** uvu starts when the file is loaded, and its last line says how long it took. */
async function runFile(page, version, file) {
  console.log(`${file}, Chromium ${version}`)
  page.on('pageerror', fail)
  let end
  const done = new Promise((resolve) => {
    end = resolve
  })
  const timer = setTimeout(() => end(fail(`${file} did not end`)), LONGEST_FILE_MS)
  page.on('console', (message) => {
    const text = message.text()
    // ignore warnings of the driver, and the icon that browsers request
    if (message.type() === 'warning' || text.startsWith('Failed to load resource')) return
    const summary = [...text.matchAll(/(Total|Passed|Skipped):\s+(\d+)/g)]
    for (const [, label, count] of summary) total[label] += Number(count)
    if (summary.length === 0) console.log(text)
    if (text.includes('Duration:')) end()
  })
  await page.evaluate((path) => import(path), `/dist/test/gpu/${file}`).catch((error) => end(fail(error)))
  await done
  clearTimeout(timer)
}

function fail(error) {
  console.log(String(error))
  failures++
}
