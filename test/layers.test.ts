/**
 * The architecture as a test: reads the sources of src/ and kernels/ and fails on an import that
 * points up the layers, a cycle, a type that is switched off, and a file too long to be one idea.
 *
 * It reads sources instead of the compiled output, because type-only imports vanish there. The scanner knows just
 * enough of TypeScript to tell code from comments, strings, templates and regular expressions.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const LONGEST_FILE_LINES = 300
const LONG_FILES = 'docs/long-files.md'

/** The layers from the bottom up. Neighbours on one line do not import each other. */
const LAYERS = [
  ['kernels', 'src/memory'],
  ['src/device', 'src/verify'],
  ['src/tensor'],
  ['src/io'],
  ['src/ops'],
  ['src/autograd'],
  ['src/step'],
  ['src/nn', 'src/optim'],
  ['src/models', 'src/data'],
  ['src/stream', 'src/files'],
  ['src/cluster'],
  ['src/cli'],
  ['src/index.ts', 'src/testing'],
]

/**
 * The rooms of kernels/, likewise from the bottom up: the shared files, then in each dialect the machinery, the parts
 * built from it, and the kernels. Rooms are nested, and a file belongs to the innermost.
 */
const ROOMS = [
  ['kernels', 'kernels/simd/layout.ts'],
  ['kernels/reference/machine', 'kernels/simd/machine', 'kernels/simd/assembly/machine', 'kernels/gpu/machine'],
  ['kernels/simd/assembly/product', 'kernels/gpu/tiles'],
  ['kernels/simd/assembly/bands'],
  ['kernels/reference', 'kernels/simd', 'kernels/simd/assembly', 'kernels/gpu'],
]
/** A file in one of these rooms has one or a few kernels, and only the index imports it. */
const KERNEL_ROOMS = ROOMS[ROOMS.length - 1]

/** The names of the package, in case one of its own files imports it by name. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  sluice: 'src/index.ts',
  'sluice/testing': 'src/testing/index.ts',
  'sluice/files': 'src/files/index.ts',
  'sluice/cluster': 'src/cluster/index.ts',
}

/** Source text by path from the root, with forward slashes. */
type Sources = ReadonlyMap<string, string>

/** Patterns in the order in which they are tried. Text that matches none is punctuation, one character at a time. */
const PATTERNS = {
  space: /\s+/y,
  comment: /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|^#![^\n]*/y,
  string: /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y,
  word: /[\p{L}_$][\p{L}\p{N}_$]*/uy,
  number: /\d[\w.]*/y,
  /** from a backtick, or from the brace that closes a hole, to the next hole or the closing backtick */
  template: /[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y,
  regex: /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y,
}
type Kind = keyof typeof PATTERNS | 'punctuation'
const KINDS = Object.keys(PATTERNS) as (keyof typeof PATTERNS)[]

interface Token {
  kind: Kind
  text: string
  line: number
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  /** for every enclosing template hole: the number of braces that are open in it */
  const holes: number[] = []
  let at = 0
  let line = 1
  const next = (): [Kind, string] => {
    for (const kind of KINDS) {
      if (kind === 'template' && source[at] === '}' && holes.at(-1) !== 0) continue
      if (kind === 'regex' && endsOperand(tokens)) continue
      const pattern = PATTERNS[kind]
      pattern.lastIndex = at
      const text = pattern.exec(source)?.[0]
      if (text) return [kind, text]
    }
    return ['punctuation', source[at]]
  }
  while (at < source.length) {
    const [kind, text] = next()
    if (kind === 'template') {
      if (text.startsWith('}')) holes.pop()
      if (text.endsWith('${')) holes.push(0)
    } else if (holes.length > 0) {
      if (text === '{') holes[holes.length - 1]++
      if (text === '}') holes[holes.length - 1]--
    }
    if (kind !== 'space') tokens.push({ kind, text, line })
    line += text.split('\n').length - 1
    at += text.length
  }
  return tokens
}

const BEFORE_EXPRESSION = new Set(['return', 'typeof', 'case', 'in', 'of', 'delete', 'void', 'throw', 'await', 'yield'])

/** After an operand a slash divides; elsewhere it begins a regular expression. */
function endsOperand(tokens: readonly Token[]): boolean {
  const end = tokens.findLastIndex(({ kind }) => kind !== 'comment')
  if (end < 0) return false
  const { kind, text } = tokens[end]
  if (kind === 'word') return !BEFORE_EXPRESSION.has(text)
  if (kind === 'template') return text.endsWith('`')
  if (kind !== 'punctuation' || ')]}'.includes(text)) return true
  if (text === '!') return endsOperand(tokens.slice(0, end))
  return '+-'.includes(text) && tokens[end - 1]?.text === text
}

/** The text of a string, or of a template without holes; undefined for any other token. */
function stringValue(token: Token | undefined): string | undefined {
  const quoted = token?.kind === 'string' || (token?.kind === 'template' && /^`.*`$/s.test(token.text))
  return quoted ? token.text.slice(1, -1) : undefined
}

interface Import {
  /** as written */
  specifier: string
  line: number
}

/** Static, type-only and dynamic imports, re-exports, `import('...')` types and `require`. */
function importsOf(source: string): Import[] {
  const code = tokenize(source).filter(({ kind }) => kind !== 'comment')
  const imports: Import[] = []
  code.forEach(({ kind, text, line }, i) => {
    if (kind !== 'word' || code[i - 1]?.text === '.') return
    const call = (text === 'import' || text === 'require') && code[i + 1]?.text === '('
    const specifier = stringValue(code[call ? i + 2 : i + 1])
    if (specifier !== undefined && (call || text === 'import' || text === 'from')) {
      imports.push({ specifier, line })
    } else if (call && text === 'import') {
      imports.push({ specifier: '(computed)', line })
    }
  })
  return imports
}

/** The imported file, as a path from the root; undefined for other packages and built-in modules. */
function resolve(file: string, specifier: string): string | undefined {
  if (specifier in OWN_NAMES) return OWN_NAMES[specifier]
  if (!specifier.startsWith('.')) return undefined
  return `${posix.join(posix.dirname(file), specifier).replace(/\.[jt]s$/, '')}.ts`
}

type Rows = readonly (readonly string[])[]

/** The layer or room that a file is in: the longest name that its path begins with. */
const placeOf = (rows: Rows, file: string): string | undefined =>
  rows
    .flat()
    .filter((place) => file === place || file.startsWith(`${place}/`))
    .reduce<string | undefined>((inner, place) => (place.length > (inner?.length ?? 0) ? place : inner), undefined)

/** The rule that an import breaks, if it breaks one. */
function brokenRule(rows: Rows, file: string, target: string): string | undefined {
  const [from, to] = [placeOf(rows, file), placeOf(rows, target)]
  if (from === to && KERNEL_ROOMS.includes(`${from}`) && !file.endsWith('/index.ts')) {
    return `a kernel imports no other kernel; put shared code in ${from}/machine`
  }
  if (!from || !to || from === to) return undefined
  const rank = (place: string): number => rows.findIndex((row) => row.includes(place))
  if (rank(to) > rank(from)) return `${to} is above ${from}, and imports only point down`
  return rank(to) === rank(from) ? `${to} is beside ${from}, and neighbours do not import each other` : undefined
}

function layerFailures(sources: Sources): string[] {
  const failures: string[] = []
  for (const [file, source] of sources) {
    if (!placeOf(LAYERS, file)) {
      failures.push(`${file}: is in no layer; put it in one, or add its folder to LAYERS in this test`)
    }
    for (const { specifier, line } of importsOf(source)) {
      const target = resolve(file, specifier)
      const rule =
        specifier === '(computed)'
          ? 'an import names its file in a plain string, so that it can be checked'
          : target && !placeOf(LAYERS, target)
            ? 'that is in no layer'
            : target && (brokenRule(LAYERS, file, target) ?? brokenRule(ROOMS, file, target))
      if (rule) failures.push(`${file}:${line}: imports '${specifier}'; ${rule}`)
    }
  }
  return failures
}

function cycleFailures(sources: Sources): string[] {
  const failures: string[] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const start = path.indexOf(file)
    if (start >= 0) failures.push(`${[...path.slice(start), file].join(' -> ')}: imports form no cycles`)
    if (start >= 0 || done.has(file)) return
    path.push(file)
    for (const { specifier } of importsOf(sources.get(file) ?? '')) {
      const target = resolve(file, specifier)
      if (target && sources.has(target)) visit(target)
    }
    path.pop()
    done.add(file)
  }
  for (const file of sources.keys()) visit(file)
  return failures
}

const DIRECTIVE = /^[\s/*]*(@ts-(?:ignore|expect-error|nocheck))/m

/** `any` is refused wherever it is a word of its own, except in `x.any` and `any(...)`, which are not types. */
function untypedFailures(sources: Sources): string[] {
  const failures: string[] = []
  for (const [file, source] of sources) {
    const tokens = tokenize(source)
    tokens.forEach(({ kind, text, line }, i) => {
      const directive = kind === 'comment' && DIRECTIVE.exec(text)?.[1]
      if (directive) failures.push(`${file}:${line}: ${directive}; repair the type instead`)
      if (kind !== 'word' || text !== 'any' || tokens[i - 1]?.text === '.' || tokens[i + 1]?.text === '(') return
      failures.push(`${file}:${line}: any; give it a type, or unknown`)
    })
  }
  return failures
}

/** @param listed  files that have a reason to be long */
function lengthFailures(sources: Sources, listed: readonly string[]): string[] {
  const lines = (file: string): number => (sources.get(file) ?? '').replace(/\n$/, '').split('\n').length
  const long = [...sources.keys()].filter((file) => lines(file) > LONGEST_FILE_LINES)
  return [
    ...long
      .filter((file) => !listed.includes(file))
      .map((file) => `${file}: has ${lines(file)} lines; split it, or say in ${LONG_FILES} why not`),
    ...listed
      .filter((file) => !long.includes(file))
      .map((file) => `${file}: is not above ${LONGEST_FILE_LINES} lines; take it out of ${LONG_FILES}`),
  ]
}

/** The first cells of the table: | `file` | reason | */
const listedIn = (page: string): string[] => [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((row) => row[1])

function readSources(): Sources {
  const sources = new Map<string, string>()
  for (const folder of ['kernels', 'src']) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const path = join(ROOT, folder, entry)
      if (path.endsWith('.ts')) sources.set(relative(ROOT, path).split(sep).join('/'), readFileSync(path, 'utf8'))
    }
  }
  return sources
}

const expectNone = (failures: readonly string[]): void => assert.is(failures.length, 0, `\n${failures.join('\n')}\n`)

const sources = readSources()

test('imports point down the layers', () => {
  assert.ok(sources.has('src/index.ts') && sources.has('kernels/kernels.ts'), 'the sources were found')
  expectNone(layerFailures(sources))
})

test('imports form no cycles', () => expectNone(cycleFailures(sources)))

test('no type is switched off', () => expectNone(untypedFailures(sources)))

test(`a file above ${LONGEST_FILE_LINES} lines is listed with its reason`, () => {
  expectNone(lengthFailures(sources, listedIn(readFileSync(join(ROOT, LONG_FILES), 'utf8'))))
})

// The checks themselves, on small examples.

const specifiers = (source: string): string[] => importsOf(source).map(({ specifier }) => specifier)
const sourcesOf = (files: Readonly<Record<string, string>>): Sources => new Map(Object.entries(files))

test('scanner: finds every form of import', () => {
  const source = `
    import './a.js'
    import b, { type B } from "./b.js"
    import type { C } from './c.js'
    export * from './d.js'
    export type { E } from './e.js'
    let f: import('./f.js').F
    const g = await import(\`./g.js\`)
    import {
      from, // a comment
    } from './h.js'
    const i = \`\${await import('./i.js')} and \${{ from: { a: '}' } }.from}\`; import './j.js'`
  assert.equal(
    specifiers(source),
    'abcdefghij'.split('').map((name) => `./${name}.js`),
  )
  assert.equal(specifiers('import(name)'), ['(computed)'])
})

test('scanner: is not misled by comments, strings, templates and regular expressions', () => {
  const source = `#!/usr/bin/env import './a.js'
    // import './a.js'
    /* import './a.js'
       export * from './a.js' */
    const text = "import './a.js'" + 'it\\'s from "./a.js"'
    const template = \`import './a.js' \\\` \${text} from './a.js'\`
    const pattern = /from './a.js' [/'"]/u.test(text) || /"/
    const half = (width) / 2 + rows[0] / 2 + x! / 2 + i++ / 2
    const list = Array.from('./a.js'), meta = import.meta.url
    import './real.js' // '`
  assert.equal(specifiers(source), ['./real.js'])
  assert.is(importsOf(source)[0].line, 10)
})

test('layers: an import that points up, sideways, or out of the layers or rooms fails', () => {
  const rules = (file: string, specifier: string): string[] =>
    layerFailures(sourcesOf({ [file]: `import type { X } from '${specifier}'` }))
  assert.equal(rules('src/memory/heap.ts', '../device/device.js'), [
    "src/memory/heap.ts:1: imports '../device/device.js'; src/device is above src/memory, and imports only point down",
  ])
  assert.match(rules('src/nn/layers.ts', '../optim/sgd.js')[0], 'beside')
  assert.match(rules('src/memory/heap.ts', '../../kernels/kernels.js')[0], 'beside')
  assert.match(rules('kernels/gpu/add.ts', '../../src/tensor/host.js')[0], 'above')
  assert.match(rules('src/cli/main.ts', 'sluice')[0], 'above')
  assert.match(rules('src/ops/add.ts', '../../test/tools.js')[0], 'no layer')
  assert.match(rules('src/tools.ts', 'node:fs')[0], 'no layer')
  assert.equal(rules('src/data/digits.ts', '../tensor/host.js'), [])
  assert.equal(rules('src/device/open.ts', '../../kernels/reference/index.js'), [])
  assert.equal(rules('src/ops/add.ts', './op.js'), [])
  assert.match(rules('kernels/strides.ts', './simd/loss.js')[0], 'above')
  assert.match(rules('kernels/gpu/add.ts', '../reference/add.js')[0], 'beside')
  assert.match(rules('kernels/gpu/machine/program.ts', '../add.js')[0], 'above')
  assert.match(rules('kernels/gpu/add.ts', './mul.js')[0], 'in kernels/gpu/machine')
  assert.equal(rules('kernels/gpu/index.ts', './add.js'), [])
  assert.match(rules('kernels/simd/assembly/product/tile.ts', '../matmul')[0], 'above')
  assert.match(rules('kernels/simd/assembly/machine/lines.ts', '../product/tile')[0], 'above')
  assert.equal(rules('kernels/simd/assembly/bands/direct.ts', '../product/tile'), [])
  assert.equal(rules('kernels/simd/loss.ts', './machine/parts.js'), [])
})

test('cycles: a cycle fails, even if it is made of types; a diamond does not', () => {
  const cycle = { 'src/ops/a.ts': `import './b.js'`, 'src/ops/b.ts': `import type { A } from './a.js'` }
  assert.equal(cycleFailures(sourcesOf(cycle)), [
    'src/ops/a.ts -> src/ops/b.ts -> src/ops/a.ts: imports form no cycles',
  ])
  const diamond = {
    'src/ops/a.ts': `import './b.js'; import './c.js'`,
    'src/ops/b.ts': `import './d.js'`,
    'src/ops/c.ts': `import './d.js'`,
    'src/ops/d.ts': '',
  }
  assert.equal(cycleFailures(sourcesOf(diamond)), [])
})

test('types: any and the directives fail, mentions of them do not', () => {
  const failures = (source: string): number => untypedFailures(sourcesOf({ 'src/ops/a.ts': source })).length
  const refused = ['let a: any', 'f<any>(x)', 'x as any', 'type T = any[]', '// @ts-ignore', '/* @ts-expect-error */']
  const allowed = ['// any', "'any'", '`any`', 'Promise.any(x)', 'any(x)', 'many', '// not a @ts-ignore']
  for (const source of refused) assert.is(failures(source), 1, source)
  for (const source of allowed) assert.is(failures(source), 0, source)
})

test('length: an unlisted long file fails, and so does a listed short one', () => {
  const files = sourcesOf({ 'src/ops/a.ts': 'x\n'.repeat(301), 'src/ops/b.ts': 'x\n'.repeat(300) })
  assert.equal(lengthFailures(files, ['src/ops/a.ts']), [])
  assert.match(lengthFailures(files, [])[0], 'src/ops/a.ts: has 301 lines')
  assert.match(lengthFailures(files, ['src/ops/a.ts', 'src/ops/b.ts'])[0], 'src/ops/b.ts: is not above')
  assert.equal(listedIn('| file | why |\n| --- | --- |\n| `src/ops/a.ts` | reason |\n'), ['src/ops/a.ts'])
})

test.run()
