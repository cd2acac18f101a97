/**
 * Every type in a public signature can be imported by name, from 'sluice' or 'sluice/testing': the test reads the .d.ts
 * files that the compiler writes. Private and protected members are not public.
 */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const DIST = fileURLToPath(new URL('../', import.meta.url))

/** A declaration, identified by its file and its name there: 'src/stream/plan.d.ts Plan'. */
type Id = string

interface File {
  /** the text of each declaration in this file, by name */
  declared: Map<string, string>
  /** the declaration of each imported name */
  imported: Map<string, Id>
  /** the declaration of each exported name; for `export * as nn` a file */
  exported: Map<string, Id>
  /** the files of `export * from` */
  all: string[]
}

const COMMENT = /\/\*[\s\S]*?\*\//g
const FROM = /^(import|export)\s+(type\s+)?(?:\{([^}]*)\}|\*\s+as\s+(\w+)|\*)\s+from\s+'(\.[^']+)'/
const DECLARED = /^(export\s+)?(?:declare\s+)?(?:abstract\s+)?(?:class|interface|type|function|const|let)\s+(\w+)/
const NOT_PUBLIC = /^ {4}(?:private|protected|#)[^\n]*(?:\n {4,}[^\n]*\n {4}[^\n]*;)?/gm

const files = new Map<string, File>()

function read(path: string): File {
  const known = files.get(path)
  if (known) return known
  const file: File = { declared: new Map(), imported: new Map(), exported: new Map(), all: [] }
  files.set(path, file)
  // a statement begins at the start of a line, and ends before the next line that starts with a word
  for (const statement of readFileSync(DIST + path, 'utf8')
    .replaceAll(COMMENT, '')
    .split(/^(?=\w)/m)) {
    const [, keyword, , names, namespace, specifier] = FROM.exec(statement) ?? []
    if (specifier) {
      const source = posix.join(posix.dirname(path), specifier.replace(/\.js$/, '.d.ts'))
      const to = keyword === 'import' ? file.imported : file.exported
      if (namespace) to.set(namespace, source)
      else if (names === undefined) file.all.push(source)
      for (const entry of (names ?? '').split(',').filter((text) => text.trim() !== '')) {
        const [original, local = original] = entry
          .replace(/^\s*type\s/, '')
          .trim()
          .split(/\s+as\s+/)
        to.set(local, `${source} ${original}`)
      }
    }
    for (const [, list] of statement.matchAll(/^export {([^}]+)};/gm)) {
      for (const name of list.split(',')) file.exported.set(name.trim(), `${path} ${name.trim()}`)
    }
    const [, isExported, name] = DECLARED.exec(statement) ?? []
    if (!name) continue
    file.declared.set(name, (file.declared.get(name) ?? '') + statement.replaceAll(NOT_PUBLIC, ''))
    if (isExported) file.exported.set(name, `${path} ${name}`)
  }
  return file
}

/** The declaration of `name` in `path`; null if it is not in this package. */
function resolve(path: string, name: string): Id | null {
  const file = read(path)
  if (file.declared.has(name)) return `${path} ${name}`
  const to = file.imported.get(name) ?? file.exported.get(name)
  if (to) return to.includes(' ') ? resolveId(to) : null
  for (const other of file.all) {
    const found = resolve(other, name)
    if (found) return found
  }
  return null
}
const resolveId = (id: Id): Id | null => resolve(...(id.split(' ') as [string, string]))

/** Every declaration that can be imported from a file, namespaces included. */
function importable(path: string): Id[] {
  const file = read(path)
  const own = [...file.exported.values()].flatMap((to) => (to.includes(' ') ? (resolveId(to) ?? []) : importable(to)))
  return [...own, ...file.all.flatMap(importable)]
}

/**
 * The declarations that are mentioned in the text of one. A declaration that its own file does not export counts as
 * part of it. The parameters of a kernel are named `KernelParameters[kernel]`.
 */
function mentioned(id: Id): Id[] {
  if (id === 'kernels/kernels.d.ts KernelParameters') return []
  const [path, name] = id.split(' ')
  const text = read(path).declared.get(name) ?? ''
  const elsewhere = [...text.matchAll(/import\("([^"]+)\.js"\)\.(\w+)/g)].map(([, from, what]) =>
    resolve(posix.join(posix.dirname(path), `${from}.d.ts`), what),
  )
  // a word after a dot, or before a colon, is a property
  const here = [...text.matchAll(/(?<![.\w])([A-Z_$]\w*)\b(?!\??:)/g)].map(([, word]) => resolve(path, word))
  return [...here, ...elsewhere].flatMap((found) => {
    if (found === null || found === id) return []
    return isExported(found) ? found : mentioned(found)
  })
}

function isExported(id: Id): boolean {
  const [path, name] = id.split(' ')
  return read(path).exported.has(name)
}

/**
 * The types in public signatures of `indexes`, and of those types in turn, that the indexes do not export; each with
 * its place.
 */
function missing(indexes: readonly string[]): string[] {
  const names = new Set(indexes.flatMap(importable))
  const found: string[] = []
  for (const id of names) {
    for (const other of mentioned(id).filter((type) => !names.has(type))) {
      names.add(other)
      found.push(`${other}, in ${id}`)
    }
  }
  return found
}

test('every type in a public signature can be imported', () => {
  assert.equal(missing(['src/index.d.ts', 'src/testing/index.d.ts']), [], 'types that src/index.ts must export')
})

test('the search finds types, even those that the compiler writes as import(...), and leaves out private ones', () => {
  const found = missing(['src/optim/index.d.ts', 'src/ops/matmul.d.ts']).map((line) => line.split(',')[0])
  for (const type of ['src/device/device.d.ts Device', 'src/tensor/tensor.d.ts Tensor', 'src/ops/op.d.ts OpFunction']) {
    assert.ok(found.includes(type), type)
  }
  // in a protected method of Optimizer
  assert.not(mentioned('src/optim/optimizer.d.ts Optimizer').includes('src/device/storage.d.ts Storage'))
  assert.ok(mentioned('src/optim/optimizer.d.ts Optimizer').includes('src/device/instruction.d.ts Update'))
})

test.run()
