/** Pages of the source files, for the links of pages and of the API: a place for each line, and a page for each folder. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'

const TEXT = /(\.(ts|mjs|js|json|md|py)|LICENSE)$/
const STYLE =
  ':root{color-scheme:light dark;font-family:system-ui}body{margin:1rem}pre{font-size:14px;line-height:1.5;overflow-x:auto}span:target{background:#88888855}'
const inHtml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const pageOf = (path, home, body) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${path}</title>
<style>${STYLE}</style></head>
<body><h1>${path}</h1><p><a href="${home}">Sluice</a></p>
${body}</body></html>
`

/** Writes a page for each file that is tracked in `root`, and for each folder, into the folder `out` of the site. */
export function writeSources(root, out) {
  const listed = execFileSync('git', ['ls-files', '-z', 'LICENSE', 'src', 'kernels', 'test', 'docs'], {
    cwd: root,
    encoding: 'utf8',
  })
  const folders = new Map()
  const write = (file, path, body) => {
    mkdirSync(join(out, posix.dirname(file)), { recursive: true })
    writeFileSync(join(out, file), pageOf(path, posix.relative(posix.dirname(file), '../index.html'), body))
  }
  for (const path of listed.split('\0').filter((path) => TEXT.test(path))) {
    const lines = inHtml(readFileSync(join(root, path), 'utf8')).split('\n')
    write(
      `${path}.html`,
      path,
      `<pre>${lines.map((line, i) => `<span id="L${i + 1}">${line}</span>`).join('\n')}</pre>`,
    )
    for (let name = path, isFolder = false; name.includes('/'); name = posix.dirname(name), isFolder = true) {
      const folder = posix.dirname(name)
      if (!folders.has(folder)) folders.set(folder, new Map())
      folders.get(folder).set(posix.basename(name), isFolder)
    }
  }
  for (const [folder, entries] of folders) {
    const items = [...entries].map(
      ([name, isFolder]) => `<li><a href="${name}${isFolder ? '/index' : ''}.html">${name}</a></li>`,
    )
    write(`${folder}/index.html`, folder, `<ul>${items.join('\n')}</ul>`)
  }
}
