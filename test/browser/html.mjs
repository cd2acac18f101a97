/**
 * The page of `sluice plan --html`, opened from the disk: on a phone and on a wide screen, light and dark, it says nothing on
 * the console, asks for nothing, does not scroll sideways, and shows something. The browser parses it as XML too.
 *
 *   npm ci --prefix test/browser && node test/browser/html.mjs
 *
 * PICTURES=DIR keeps the screenshots.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inPage, ROOT } from './page.mjs'

const folder = mkdtempSync(join(tmpdir(), 'sluice-html-'))
test.after(() => rmSync(folder, { recursive: true }))

const JOBS = {
  plain: { flags: '--batch 512 --memory 1MiB', code: 0 },
  exact: { flags: '--model convnet --batch 256 --memory 1MiB --batch-norm exact', code: 0 },
  refused: { flags: '--batch 64 --memory 300KiB', code: 3 },
}

for (const [name, { flags, code }] of Object.entries(JOBS)) {
  test(`the page of a plan, ${name}`, async () => {
    const file = join(folder, `${name}.html`)
    const args = [join(ROOT, 'dist/src/cli/main.js'), 'plan', ...flags.split(' '), '--html', file]
    const made = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.is(made.status, code, made.stderr)
    await inPage('about:blank', async (page) => {
      const [said, asked] = [[], []]
      page.on('console', (message) => said.push(message.text()))
      page.on('pageerror', (error) => said.push(String(error)))
      page.on('request', (request) => asked.push(request.url()))
      const address = pathToFileURL(file).href
      const papers = []
      for (const width of [390, 1200]) {
        for (const colorScheme of ['light', 'dark']) {
          await page.setViewportSize({ width, height: 900 })
          await page.emulateMedia({ colorScheme })
          await page.goto(address)
          const seen = await page.evaluate(`({
            scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth,
            over: [...document.querySelectorAll('main > *, section > *')].filter((part) => part.getBoundingClientRect().right > innerWidth).length,
            paper: getComputedStyle(document.body).backgroundColor,
            headings: document.querySelectorAll('h2').length,
            unnamed: [...document.querySelectorAll('svg')].filter((svg) => !svg.getAttribute('aria-label') && !svg.querySelector('title')).length,
            heads: [...document.querySelectorAll('table')].every((table) => table.caption && table.querySelector('th[scope=col]') && table.querySelector('th[scope=row]')),
          })`)
          assert.equal(
            [seen.scroll, seen.over, seen.unnamed, seen.heads],
            [seen.client, 0, 0, true],
            `${width} ${colorScheme}`,
          )
          assert.ok(seen.headings >= 5)
          papers.push(seen.paper)
          const shot = await page.screenshot({ fullPage: true })
          // a page of one colour packs into a few thousand bytes
          assert.ok(shot.length > 20_000, `${shot.length} bytes`)
          if (process.env.PICTURES)
            writeFileSync(join(process.env.PICTURES, `${name}-${width}-${colorScheme}.png`), shot)
        }
      }
      assert.is(new Set(papers).size, 2, 'light and dark have one background')
      assert.equal(said, [])
      assert.equal(
        asked.filter((url) => url !== address && !url.startsWith('data:')),
        [],
      )
      const wrong = await page.evaluate(
        `new DOMParser().parseFromString(${JSON.stringify(readFileSync(file, 'utf8'))}, 'text/xml').querySelector('parsererror')?.textContent ?? ''`,
      )
      assert.is(wrong, '', 'well-formed')
    })
  })
}

test.run()
