/**
 * Makes dist/ smaller for the package. It removes comments (the packed sources have them), columns from source maps,
 * declarations that the public ones do not reach, and docstrings of declarations that no user can import. `npm pack` runs
 * it (prepack), after a build that has checked the types. Afterwards dist/ is built again (postpack).
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, SourceMap } from 'node:module'
import { basename, dirname, join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
/** Text without code, and code whose sources are not packed: a map would lead nowhere. */
const UNMAPPED = /\/digits-data\.js$|^dist\/(kernels|src\/(cli|cluster|device|step|stream|testing))\//
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** Declarations of kernels that no user calls. What the kernels do is told in kernels.d.ts. */
const KERNELS = /^dist\/kernels\/(?!kernels\.d\.ts$).*\.d\.ts$/
const DOCS = /^ *\/\*\*[\s\S]*?\*\/\n/gm
const COMMENT = /^\/\/# sourceMappingURL=.*\n?/gm

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const options = ['--noCheck', '--declaration', 'false', '--incremental', 'false', '--removeComments', '--sourceMap']
execFileSync(process.execPath, [tsc, ...options, '--tsBuildInfoFile', 'null'], { cwd: ROOT, stdio: 'inherit' })
await import('./keep.mjs')

const declared = new Set()
/** The files of declarations whose names a user can import. */
const named = new Set()
/** Note the declarations that a file of declarations imports, and all that they import. */
function reach(path) {
  if (declared.has(path)) return
  declared.add(path)
  const text = readFileSync(join(ROOT, path), 'utf8')
  for (const [, from] of text.matchAll(/(?:from|import|import\() ?['"](\.[^'"]+)\.js['"]/g)) {
    reach(`${posix.join(posix.dirname(path), from)}.d.ts`)
  }
}
/** Note the files from which an entry exports names, itself or by another index. */
function name(path) {
  if (named.has(path)) return
  named.add(path)
  if (!/(index|testing)\.d\.ts$/.test(path)) return
  for (const [, from] of readFileSync(join(ROOT, path), 'utf8').matchAll(/export [^;]*?from '(\.[^']+)\.js'/g)) {
    name(`${posix.join(posix.dirname(path), from)}.d.ts`)
  }
}
for (const entry of ['index', 'testing/index', 'files/index', 'cluster/index']) {
  reach(`dist/src/${entry}.d.ts`)
  name(`dist/src/${entry}.d.ts`)
}

for (const folder of ['dist/src', 'dist/kernels']) {
  for (const name of readdirSync(join(ROOT, folder), { recursive: true })) {
    const path = `${folder}/${name.split(sep).join('/')}`
    const file = join(ROOT, path)
    if (name.endsWith('.d.ts') && !declared.has(path)) rmSync(file)
    else if (name.endsWith('.d.ts')) {
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, narrowed(KERNELS.test(path) || !named.has(path) ? text.replaceAll(DOCS, '') : text))
    }
    if (!name.endsWith('.js')) continue
    const code = readFileSync(file, 'utf8').replaceAll(COMMENT, '')
    const narrow = narrowed(code)
    if (UNMAPPED.test(path)) {
      writeFileSync(file, narrow)
      rmSync(`${file}.map`, { force: true })
      continue
    }
    writeFileSync(`${file}.map`, JSON.stringify(byLine(JSON.parse(readFileSync(`${file}.map`, 'utf8')), code)))
    // after the text of keep.mjs, because some tools look for it in the last line only
    writeFileSync(file, `${narrow}//# sourceMappingURL=${basename(file)}.map\n`)
  }
}

/** Code indented by a tab instead of four spaces; code with a text of several lines stays as it is. */
function narrowed(code) {
  const lines = code.split('\n')
  if (lines.some((line) => line.split('`').length % 2 === 0)) return code
  return lines.map((line) => line.replace(/^( {4})+/, (indent) => '\t'.repeat(indent.length / 4))).join('\n')
}

/** The map with one mapping for each line of code, at its first letter. */
function byLine(map, code) {
  const full = new SourceMap(map)
  let before = 0
  const narrow = narrowed(code).split('\n')
  const mappings = code.split('\n').map((text, line) => {
    const column = text.search(/\S/)
    const { generatedLine, originalLine } = column < 0 ? {} : full.findEntry(line, column)
    if (generatedLine !== line) return ''
    const [file, start] = [0, 0]
    const mapping = [narrow[line].search(/\S/), file, originalLine - before, start].map(digits).join('')
    before = originalLine
    return mapping
  })
  return { version: 3, sources: map.sources, names: [], mappings: mappings.join(';').replace(/;+$/, '') }
}

/** A number in base 64, the lowest five bits first, each time with a bit that says whether more follow. */
function digits(number) {
  let rest = number < 0 ? 2 * -number + 1 : 2 * number
  let text = ''
  do {
    const low = rest % 32
    rest = (rest - low) / 32
    text += BASE64[rest > 0 ? low + 32 : low]
  } while (rest > 0)
  return text
}
