/**
 * The declarations of the package for other compilers: program.ts compiles against the packed files with TypeScript 5.4,
 * 5.9 and 7, strict, without skipLibCheck, with only lib es2022 and with more; and an editor shows the documentation of
 * functions, methods and constructors.
 *
 *   npm ci --prefix test/types && node test/types/run.mjs
 *
 * The last line is 'N passed, N failed'.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import * as nn from '../../dist/src/nn/index.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const OWN = fileURLToPath(new URL('.', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sluice-types-'))

/** The compiler of an installed package, and its arguments that no program changes. */
const STRICT = { strict: true, noEmit: true, skipLibCheck: false, target: 'es2022' }
const NODENEXT = { module: 'nodenext', moduleResolution: 'nodenext' }
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' }
/** What people set beside `strict`. */
const SETTINGS = {
  'lib es2022 alone': { lib: ['es2022'], types: [], ...NODENEXT },
  'lib es2022 and bundler': { lib: ['es2022'], types: [], ...BUNDLER },
  'lib es2022 and @types/node': { lib: ['es2022'], types: ['node'], ...NODENEXT },
  'lib es2023 and esnext.disposable': { lib: ['es2023', 'esnext.disposable'], types: [], ...NODENEXT },
  'lib dom': { lib: ['es2022', 'dom', 'dom.iterable'], types: [], ...BUNDLER },
  'lib dom and @types/node': { lib: ['esnext', 'dom'], types: ['node'], ...NODENEXT },
  'every further check': {
    lib: ['es2022'],
    types: [],
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: false,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    ...NODENEXT,
  },
  'module esnext and resolution node10': { lib: ['es2022'], types: [], module: 'esnext', moduleResolution: 'node10' },
}
/** TypeScript 7 has no node10. */
const without = (compiler, setting) => compiler === 'typescript-7' && setting.includes('node10')

const counts = { passed: 0, failed: 0 }

function report(name, complaint) {
  console.log(`${complaint === '' ? 'ok  ' : 'FAIL'} ${name}`)
  if (complaint !== '') console.log(complaint)
  counts[complaint === '' ? 'passed' : 'failed']++
}

/** The package as npm packs it, in node_modules of a folder of its own. */
function install() {
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  mkdirSync(join(folder, 'node_modules/sluice'), { recursive: true })
  const archive = join(folder, packed.trim().split('\n').at(-1))
  execFileSync('tar', ['xzf', archive, '-C', join(folder, 'node_modules/sluice'), '--strip-components=1'])
  for (const name of ['@types', 'undici-types'])
    symlinkSync(join(OWN, 'node_modules', name), join(folder, 'node_modules', name))
  cpSync(join(OWN, 'program.ts'), join(folder, 'program.ts'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
}

function compile(compiler, setting) {
  const names = ['lib dom', '@types/node'].filter((each) => setting.includes(each))
  // the program declares by itself what a platform would
  const own = readFileSync(join(OWN, 'program.ts'), 'utf8')
  writeFileSync(join(folder, 'program.ts'), names.length > 0 ? own.split('\ndeclare const console')[0] : own)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...STRICT, ...SETTINGS[setting] }, files: ['program.ts'] }),
  )
  const tsc = join(OWN, 'node_modules', compiler, 'bin/tsc')
  const { stdout, status } = spawnSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' })
  report(`${compiler}, ${setting}`, status === 0 ? '' : stdout.split('\n').slice(0, 12).join('\n'))
}

/** What an editor shows for the name in front of the mark |, and a part of the documentation that must be there. */
const SHOWN = [
  ["import { relu } from 'sluice'; relu|", 'max(x, 0)'],
  ["import type { Tensor } from 'sluice'; declare const x: Tensor; x.relu|()", 'max(x, 0)'],
  ["import type { Tensor } from 'sluice'; declare const x: Tensor; x.sum|(1)", 'The sum over'],
  ["import type { Tensor } from 'sluice'; declare const x: Tensor; x.conv2d|(x)", 'bias[o] + sum over c, p, q'],
  ["import { nn } from 'sluice'; new nn.Conv2d|(null!, 1, 2, 3)", 'Cross-correlation: [N, in, H, W]'],
  ["import { nn } from 'sluice'; new nn.Linear|(null!, 1, 2)", 'y = x weight^T + bias'],
  ["import { nn } from 'sluice'; new nn.BatchNorm2d|(null!, 1)", 'each channel over samples and pixels'],
  ["import { nn } from 'sluice'; new nn.ReLU|(null!)", 'max(x, 0)'],
  ["import { Streamer } from 'sluice'; new Streamer|(null!)", 'Micro-Batch Streaming'],
  ["import { optim } from 'sluice'; optim.adam|(null!)", 'Step t = 1, 2, ...'],
]

/** An editor's view of the package, from the language service of TypeScript 5.9. */
function editor() {
  const ts = createRequire(import.meta.url)('typescript-5.9')
  const file = join(folder, 'shown.ts')
  let text = ''
  let version = 0
  const options = { strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, types: [] }
  const service = ts.createLanguageService({
    getScriptFileNames: () => [file],
    getScriptVersion: (name) => String(name === file ? version : 0),
    getScriptSnapshot: (name) => {
      const content = name === file ? text : ts.sys.readFile(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: () => folder,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === file || ts.sys.fileExists(name),
    readFile: (name) => (name === file ? text : ts.sys.readFile(name)),
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: ts.sys.realpath,
  })
  // every other layer must show some documentation
  const layers = Object.entries(nn).filter(([, made]) => made.prototype instanceof nn.Module)
  const others = layers.map(([name]) => [`import { nn } from 'sluice'; new nn.${name}|(null!)`, ' '])
  for (const [line, wanted] of [...SHOWN, ...others]) {
    text = line.replace('|', '')
    version++
    const info = service.getQuickInfoAtPosition(file, line.indexOf('|') - 1)
    const shown = ts.displayPartsToString(info?.documentation ?? [])
    report(`shown for ${line}`, shown.includes(wanted) ? '' : `'${wanted}' is not in '${shown}'`)
  }
}

try {
  install()
  for (const compiler of ['typescript-5.4', 'typescript-5.9', 'typescript-7']) {
    for (const setting of Object.keys(SETTINGS)) if (!without(compiler, setting)) compile(compiler, setting)
  }
  editor()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed > 0 ? 1 : 0
