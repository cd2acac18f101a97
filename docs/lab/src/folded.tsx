/** A part that is folded away, and made only when it is unfolded: tables are long, and most people look at the pictures. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

export function Folded({ summary, children }: { summary: string; children: () => ComponentChildren }) {
  const [open, unfold] = useState(false)
  return (
    <details onToggle={(event) => unfold(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {open && children()}
    </details>
  )
}
