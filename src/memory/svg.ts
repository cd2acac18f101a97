/** The pieces of SVG pictures: text, lines and the page, without scripts or fonts, for light and dark pages. */

/** The styles that all pictures share, and those of one picture, on light and on dark pages. */
export const styles = (light: string, dark: string): string => `<style>
text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#334155}
.title{font-size:15px;font-weight:600;fill:#0f172a}
.quiet{fill:#64748b}
.page{fill:#ffffff}
.grid{stroke:#e2e8f0}
${light}
@media(prefers-color-scheme:dark){
text{fill:#cbd5e1}
.title{fill:#f1f5f9}
.quiet{fill:#94a3b8}
.page{fill:#0f172a}
.grid{stroke:#334155}
${dark}
}</style>`

/**
 * The lines of a whole file.
 * @param described  what a reader that cannot see the picture is told besides the title
 */
export function picture(
  { width, height, title, described }: { width: number; height: number; title: string; described?: string },
  lines: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    ...(described === undefined ? [] : [`<desc>${escaped(described)}</desc>`]),
    ...lines,
    '</svg>\n',
  ].join('\n')
}

export const page = (width: number, height: number): string =>
  `<rect class="page" width="${width}" height="${height}" rx="8"/>`

/** To a tenth of a pixel. */
export const round = (value: number): number => Math.round(value * 10) / 10

/** Text that is safe in XML, where control characters and halves of surrogate pairs are not allowed. */
export const escaped = (value: string): string =>
  value.replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd').replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

export function text(x: number, y: number, value: string, anchor: 'start' | 'middle' | 'end', style = ''): string {
  const attributes = `${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}${style && ` class="${style}"`}`
  return `<text x="${x}" y="${y}"${attributes}>${escaped(value)}</text>`
}

export const line = (style: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<path class="${style}" d="M${x1} ${y1}L${x2} ${y2}"/>`
