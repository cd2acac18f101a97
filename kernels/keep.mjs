/**
 * Lets the programs of kernels/gpu survive a minifier. gpu.js reads a function from its text. A minifier rewrites that
 * text with names and forms that gpu.js, or the GLSL beside it, cannot use. So this script runs after tsc, and gives
 * each function that is passed as a value a `toString` that returns the original text, without indentation and comments.
 * A function that gpu.js could not read, because it has an arrow or a template, is no program, and stays as it is.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const COMPILED = fileURLToPath(new URL('../dist/kernels/gpu/', import.meta.url))
const FUNCTION = /^(export )?(function (\w+)\([\s\S]*?^\})$/gm
const COMMENT = /^\s*\/\/.*\n/gm
const UNREADABLE = /=>|`/
/** Stands on a line of its own, because ship.mjs removes the line of tsc that may stand before it. */
const HEADING = '\n// Kept by kernels/keep.mjs\n'

for (const file of readdirSync(COMPILED, { recursive: true }).filter((name) => name.endsWith('.js'))) {
  const [code] = readFileSync(COMPILED + file, 'utf8').split(HEADING)
  const kept = [...code.matchAll(FUNCTION)]
    .map(([, exported, text, name]) => ({ exported, name, text: text.replace(COMMENT, '').replace(/^\s+/gm, '') }))
    .filter(({ text }) => !UNREADABLE.test(text))
    .filter(({ exported, name }) => exported || new RegExp(`\\b${name}\\b(?!\\()`).test(code))
    .map(({ name, text }) => `${name}.toString = () => ${JSON.stringify(text)};\n`)
  if (kept.length > 0) writeFileSync(COMPILED + file, `${code}${HEADING}${kept.join('')}`)
}
