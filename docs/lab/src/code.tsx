/** The training as a program for Node, and the report as the command line prints it. */
import { useState } from 'preact/hooks'
import { codeOf } from './samples'
import type { Settings } from './settings'

export function Code({ settings, report }: { settings: Settings; report: string | null }) {
  const code = codeOf(settings)
  const [copied, copy] = useState(false)
  return (
    <section class="card" aria-labelledby="code-title">
      <div class="head">
        <h2 id="code-title">The same in Node</h2>
        <p class="buttons">
          <button
            type="button"
            onClick={() =>
              navigator.clipboard?.writeText(code).then(() => {
                copy(true)
                setTimeout(() => copy(false), 1500)
              })
            }
          >
            <span role="status">{copied ? 'Copied' : 'Copy'}</span>
          </button>
        </p>
      </div>
      <pre tabIndex={0} role="region" aria-label="A program for Node" data-code>
        <code>{code}</code>
      </pre>
      {report && (
        <details>
          <summary>The plan as text</summary>
          <pre tabIndex={0} role="region" aria-label="The plan as text">
            <code>{report}</code>
          </pre>
        </details>
      )}
    </section>
  )
}
