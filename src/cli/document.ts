/**
 * The pieces of a page of HTML that needs nothing from elsewhere: sections, tables, the document and its style. The markup is
 * well-formed XML too. What the page of a plan says: page.ts.
 */
import { escaped } from '../memory/svg.js'

/** The page loads nothing: under this policy a browser refuses any script, picture or font from elsewhere. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

const STYLE = `
:root{color-scheme:light dark;--ink:#0f172a;--soft:#475569;--paper:#ffffff;--card:#f1f5f9;--edge:#cbd5e1;--good:#15803d;--bad:#b91c1c;--mark:#4477aa;--mark2:#7fa8d1}
@media(prefers-color-scheme:dark){:root{--ink:#f1f5f9;--soft:#a5b4c8;--paper:#0f172a;--card:#1e293b;--edge:#475569;--good:#4ade80;--bad:#f87171;--mark:#7fa8d1;--mark2:#4477aa}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2rem 0 .5rem;border-top:1px solid var(--edge);padding-top:1rem}
p,li,dd,th:first-child{overflow-wrap:anywhere}
td{white-space:nowrap}
@media(max-width:30rem){table{font-size:.8125rem}}
.verdict{font-size:1.15rem;font-weight:600;padding:.6rem .8rem;background:var(--card);border-left:.35rem solid var(--good);border-radius:.25rem}
.verdict.no{border-color:var(--bad)}
.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%;margin:.75rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft)}
th,td{padding:.3rem .4rem;border-bottom:1px solid var(--edge);text-align:right;vertical-align:top}
th:first-child,td:first-child{text-align:left}
tbody th{font-weight:400}
dt{font-weight:600;margin-top:1rem}
dd{margin:0 0 .25rem}
code{font:.875em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);padding:.6rem .8rem;border-radius:.25rem}
figure{margin:1rem 0}
svg{display:block}
svg.bar{width:100%;height:2.5rem;border:1px solid var(--edge);border-radius:.25rem}
svg.frontier{width:100%;max-width:34rem;height:auto}
.wide{overflow-x:auto}
.wide svg{width:100%;min-width:42rem;height:auto}
.key{display:inline-block;width:.8em;height:.8em;border-radius:.15em;margin-right:.4em}
.part0{fill:var(--mark)}
.part1{fill:var(--mark2)}
.line{fill:none;stroke:var(--mark);stroke-width:1.5}
.choice{fill:var(--mark)}
text{font:12px system-ui,sans-serif;fill:var(--ink)}
text.quiet{fill:var(--soft)}
text.over{fill:var(--bad)}
.grid{stroke:var(--edge)}
.budget{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:6 4}
`

/** Markup. Text has to be escaped before it is markup. */
export type Markup = string

export const paragraph = (text: string, style = ''): Markup => `<p${style && ` class="${style}"`}>${escaped(text)}</p>`

/** A part of the page under a heading; empty if it has no content. */
export const section = (heading: string, ...content: readonly Markup[]): Markup =>
  content.length === 0 ? '' : `<section>\n<h2>${escaped(heading)}</h2>\n${content.join('\n')}\n</section>`

/** A table with a row of headers; the first cell of each row is its header. `keys` are colours before the rows. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  keys: readonly string[] = [],
): Markup {
  const key = (i: number): Markup =>
    i in keys ? `<span class="key" style="background:${escaped(keys[i])}" aria-hidden="true"></span>` : ''
  return [
    `<table>\n<caption>${escaped(caption)}</caption>`,
    `<thead><tr>${head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('')}</tr></thead>\n<tbody>`,
    ...rows.map(
      ([first, ...rest], i) =>
        `<tr><th scope="row">${key(i)}${escaped(first)}</th>${rest.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`,
    ),
    '</tbody>\n</table>',
  ].join('\n')
}

/** A whole page, as the text of a file. */
export const document = (title: string, content: readonly Markup[]): string => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="${POLICY}"/>
<link rel="icon" href="data:,"/>
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${content.filter((part) => part !== '').join('\n')}
</main>
</body>
</html>
`
