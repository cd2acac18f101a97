/**
 * A function for a GPU as a user writes it, in the words that kernels/gpu knows: reads of tensors become calls of `at`, and
 * functions of Math that a GPU computes inexactly become those of kernels/gpu/machine/builtins.ts.
 */
import { ArgumentError } from '../memory/errors.js'

const WORDS: readonly (readonly [written: RegExp, known: string])[] = [
  [/\/\*[\s\S]*?\*\/|\/\/.*/g, ''],
  [/\bMath\.exp\b/g, 'exponential'],
  [/\bMath\.log\b/g, 'logarithm'],
  [/\bMath\.tanh\b/g, 'hyperbolicTangent'],
  [/\bMath\.sin\b/g, 'sine'],
  [/\bMath\.cos\b/g, 'cosine'],
  [/(?<![.\w])Infinity\b/g, 'infinity()'],
  [/(?<![.\w])NaN\b/g, 'notANumber()'],
]

/** A function, a method or an arrow, with plain parameters. */
const HEAD = /^(?:function\b\s*\w*|(?!async\b)\w+)?\s*\(([\w\s,$]*)\)\s*(=>)?\s*/

export interface GpuText {
  readonly text: string
  /** the numbers that it reads */
  readonly numbers: readonly string[]
}

/**
 * The text of value(i, x0, x1, ..., p).
 * @param inputs  the names of the tensors that it gets
 * @throws ArgumentError  it has other parameters, or is no function that can be read
 */
export function gpuText(who: string, written: unknown, inputs: readonly string[]): GpuText {
  const plain = WORDS.reduce((text, [word, known]) => text.replace(word, known), String(written)).trim()
  const [head, list, arrow] = HEAD.exec(plain) ?? []
  const names = (list ?? '').split(',').flatMap((name) => name.trim() || [])
  if (head === undefined || names.length < 1 + inputs.length || names.length > 2 + inputs.length) {
    throw new ArgumentError(
      `${who}: gpu must be one flat function with the parameters (i, ${inputs.join(', ')}, numbers), or its text; it begins with ` +
        `'${plain.slice(0, 60)}'`,
    )
  }
  const rest = plain.slice(head.length)
  const body = arrow && !rest.startsWith('{') ? `{ return ${rest} }` : rest
  const p = names[1 + inputs.length] ?? 'numbers'
  const reads = names.slice(1, 1 + inputs.length).reduce(readsOf, body)
  return {
    text: `function value(${[...names.slice(0, 1 + inputs.length), p].join(', ')}) ${reads}`,
    numbers: [...new Set([...reads.matchAll(new RegExp(`\\b${p}\\.(\\w+)`, 'g'))].map(([, name]) => name))],
  }
}

/** Every x[place] as at(x, place). */
function readsOf(text: string, x: string): string {
  const [found] = new RegExp(`(?<![.\\w])${x}\\s*\\[`).exec(text) ?? []
  if (found === undefined) return text
  const start = text.search(new RegExp(`(?<![.\\w])${x}\\s*\\[`))
  const from = start + found.length
  let end = from
  for (let open = 1; end < text.length; end++) {
    if (text[end] === '[') open++
    else if (text[end] === ']' && --open === 0) break
  }
  return readsOf(`${text.slice(0, start)}at(${x}, ${text.slice(from, end)})${text.slice(end + 1)}`, x)
}
