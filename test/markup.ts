import * as assert from 'uvu/assert'

/** Fails unless every tag is closed and no text has a character that XML forbids. */
export function checkMarkup(svg: string): void {
  const open: string[] = []
  for (const [, close, name, self] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (close) assert.is(open.pop(), name)
    else if (!self) open.push(name)
  }
  assert.equal(open, [])
  assert.not.match(svg.replace(/<\/?[a-z]+[^<>]*>/g, '').replace(/&#\d+;/g, ''), /[<>&]/)
  assert.not.match(svg, /[^\n\P{Cc}]|\p{Cs}|NaN|Infinity/u)
  const lines = svg
    .replace(/<style>[^<]*<\/style>/, '<style/>')
    .trimEnd()
    .split('\n')
  for (const line of lines) assert.match(line, /^<.*>$/)
}
