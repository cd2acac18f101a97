/**
 * JSON in files of others, read strictly: a name that an object has twice is an error, which JSON.parse passes over in
 * silence. V8 13.6 (Node 24) also reads some names wrong: JSON.parse gives `\` for the name `"` of an object like one that
 * it has read before. So only texts and numbers are left to JSON.parse here.
 */

/** Deeper nesting is refused, before the stack is full. */
const DEEPEST = 100
const WORD = /[-+.\w]+/y

/** @throws SyntaxError  not JSON, a name that comes twice, or nesting that is too deep: says at which character */
export function parseJson(text: string): unknown {
  let at = 0

  const fail = (reason: string): never => {
    throw new SyntaxError(`${reason} at character ${at}`)
  }
  /** What is at the next place that is not space. */
  const peek = (): string => {
    while (/[ \t\n\r]/.test(text.charAt(at))) at++
    return text.charAt(at)
  }
  const take = (wanted: string): void => {
    if (peek() !== wanted) fail(`'${text.charAt(at)}' instead of '${wanted}'`)
    at++
  }

  function value(depth: number): unknown {
    const next = peek()
    if (depth > DEEPEST) fail(`more than ${DEEPEST} objects and lists in each other`)
    if (next === '"') return string()
    if (next === '{') return Object.fromEntries(members(depth))
    if (next === '[') return [...items(depth)]
    WORD.lastIndex = at
    const [word] = WORD.exec(text) ?? fail(next === '' ? 'the end' : `'${next}'`)
    const read: unknown = primitive(word)
    at += word.length
    return read
  }

  function string(): string {
    const start = at++
    for (; text.charAt(at) !== '"'; at++) {
      if (text.charAt(at) === '\\') at++
      if (at >= text.length) fail('a text without an end')
    }
    return String(primitive(text.slice(start, ++at)))
  }

  function primitive(word: string): unknown {
    try {
      return JSON.parse(word)
    } catch {
      return fail(`${word.length > 40 ? `${word.slice(0, 40)}...` : word}, which is not JSON,`)
    }
  }

  function* members(depth: number): Generator<[string, unknown]> {
    const names = new Set<string>()
    take('{')
    if (peek() !== '}') {
      do {
        if (peek() !== '"') fail(`'${text.charAt(at)}' instead of a name`)
        const name = string()
        if (names.has(name)) fail(`the name ${JSON.stringify(name)}, which comes twice,`)
        names.add(name)
        take(':')
        yield [name, value(depth + 1)]
      } while (more())
    }
    take('}')
  }

  function* items(depth: number): Generator<unknown> {
    take('[')
    if (peek() !== ']') {
      do yield value(depth + 1)
      while (more())
    }
    take(']')
  }

  const more = (): boolean => {
    if (peek() !== ',') return false
    at++
    return true
  }

  const result = value(0)
  if (peek() !== '') fail(`'${text.charAt(at)}' after the end`)
  return result
}
