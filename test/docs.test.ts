/**
 * Links of the README and of docs/: each leads to a file or heading that exists in a clone and in the installed
 * package. So pages link only to files that package.json lists under `files`, and name other files without a link. What
 * package.json leaves out of `src` and `docs`, and the kernels, are linked too, although they are in a clone only, to keep
 * the package small.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(ROOT + path, 'utf8')

const folder = (path: string): string[] => readdirSync(ROOT + path).map((file) => path + file)
const PAGES = ['README.md', ...folder('docs/'), ...folder('docs/learn/')].filter((path) => path.endsWith('.md'))

/** What npm packs, which adds the first three to `files` without being told, and the kernels. */
const PACKED: readonly string[] = [
  'README.md',
  'LICENSE',
  'package.json',
  'kernels',
  ...JSON.parse(read('package.json')).files,
]
const isPacked = (path: string): boolean => PACKED.some((entry) => path === entry || path.startsWith(`${entry}/`))

/** The anchors that GitHub makes from a page's headings. */
function anchors(page: string): string[] {
  const headings = [...page.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)]
  return headings.map(([, text]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\d _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test('every link leads to a file or heading in the package', () => {
  const broken: string[] = []
  for (const page of PAGES) {
    for (const [, link] of read(page).matchAll(/\]\((?!https?:)([^)\s]*)\)/g)) {
      const [path, anchor] = link.split('#')
      const target = path === '' ? page : posix.join(posix.dirname(page), path)
      const there = existsSync(ROOT + target) && isPacked(target)
      // in an address of the lab there are settings: docs/site/build.mjs reads them
      const isPlace = anchor && target !== 'docs/lab/index.html'
      if (!there || (isPlace && !anchors(read(target)).includes(anchor))) broken.push(`${page}: ${link}`)
    }
  }
  assert.equal(broken, [])
})

test('every file of tests that a page names is there', () => {
  for (const page of PAGES) {
    const named = [...read(page).matchAll(/\btest\/[\w/-]+(?:\.\w+)*\.(?:ts|mjs|py)\b/g)].map(([file]) => file)
    assert.equal(
      named.filter((file) => !existsSync(ROOT + file)),
      [],
      page,
    )
  }
})

test.run()
