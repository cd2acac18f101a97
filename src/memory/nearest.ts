/** The known name that somebody probably meant. */

/** The candidate that takes the fewest edits; the first among equals. @param candidates  at least one */
export function nearest(text: string, candidates: readonly string[]): string {
  const ranked = candidates.map((candidate) => ({ candidate, edits: editsBetween(text, candidate) }))
  return ranked.reduce((a, b) => (b.edits < a.edits ? b : a)).candidate
}

/** The smallest number of insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`. */
export function editsBetween(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= from.length; i++) {
    rows.push([i])
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      // before the first letter there is undefined, which no letter equals
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      rows[i][j] = Math.min(
        rows[i - 1][j] + 1,
        rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + (same ? 0 : 1),
        swapped ? rows[i - 2][j - 2] + 1 : Infinity,
      )
    }
  }
  return rows[from.length][to.length]
}
