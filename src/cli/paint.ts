/** Colours for a terminal that has them: with NO_COLOR, TERM=dumb, or elsewhere than on a terminal, text stays as it is. */

const CODES = { bold: [1, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const

export type Paint = (style: keyof typeof CODES, text: string) => string

export const plain: Paint = (_, text) => text

export const coloured: Paint = (style, text) => {
  const [on, off] = CODES[style]
  return `\u001b[${on}m${text}\u001b[${off}m`
}
