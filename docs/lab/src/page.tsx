/** The page: settings on one side, and what follows from them on the other. */
import { render } from 'preact'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Budget } from './budget'
import { Code } from './code'
import { Controls, Presets } from './controls'
import { Draw } from './draw'
import { useTrainer } from './run'
import { DEFAULTS, formatHash, parseHash, type Settings } from './settings'
import { StepCard } from './step'
import { addressIn, download, Train } from './train'
import { useAnswers, usePlan } from './workers'

function App() {
  const [{ settings, faults }, setState] = useState(() => parseHash(location.hash))
  const written = useRef(location.hash)
  const set = useCallback(
    (patch: Partial<Settings>) => setState((old) => ({ settings: { ...old.settings, ...patch }, faults: [] })),
    [],
  )
  // the address follows the settings, and the settings follow a link
  useEffect(() => {
    if (faults.length > 0) return
    const hash = formatHash(settings)
    if (hash === written.current) return
    const timer = setTimeout(() => {
      written.current = hash
      history.replaceState(null, '', hash)
    }, 120)
    return () => clearTimeout(timer)
  }, [settings, faults])
  useEffect(() => {
    const follow = () => {
      if (location.hash === written.current) return
      written.current = location.hash
      setState(parseHash(location.hash))
    }
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])

  const shown = usePlan(settings)
  const answers = useAnswers(shown)
  const trainer = useTrainer((bytes, step) => download(bytes, `sluice-${settings.model}-${step}.safetensors`))
  const load = (bytes: Uint8Array) => {
    const address = addressIn(bytes)
    const from = address === null ? settings : { ...parseHash(address).settings, view: settings.view, at: -1 }
    setState({ settings: from, faults: [] })
    trainer.load(from, bytes)
  }
  const { view, at } = settings
  // not drawn again before there is another plan
  const step = useMemo(
    () =>
      shown?.planned.picture && (
        <StepCard picture={shown.planned.picture} of={shown.settings} view={view} given={at} set={set} />
      ),
    [shown, view, at],
  )
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('plan')?.focus()}>
        To the plan
      </button>
      <header class="top">
        <Mark />
        <div>
          <h1>Sluice lab</h1>
          <p>How a large batch goes through a small memory. Change anything, and the plan follows.</p>
        </div>
      </header>
      <Presets settings={settings} />
      <div class="layout">
        <Controls settings={settings} faults={faults} set={set} reset={() => set(DEFAULTS)} />
        <main id="plan" tabIndex={-1}>
          <Budget shown={shown} settings={settings} answers={answers} set={set} />
          {step}
          <div class="pair">
            <Train trainer={trainer} settings={settings} blocked={blockedBy(shown, settings)} load={load} />
            <Draw trainer={trainer} settings={trainer.run.settings ?? settings} />
          </div>
          <Code settings={settings} report={shown?.planned.picture?.plan.text ?? null} />
        </main>
      </div>
      <footer>
        Everything here runs in this page: nothing is sent, and nothing is kept.{' '}
        {crossOriginIsolated
          ? 'It is isolated from other origins, so kernels run on threads.'
          : 'It is not isolated from other origins, so kernels run on one thread.'}
      </footer>
    </>
  )
}

/** Why the settings cannot train here, if so. */
function blockedBy(shown: ReturnType<typeof usePlan>, { memory, device }: Settings): string | null {
  if (shown?.planned.fault) return shown.planned.fault
  if (shown?.planned.refused) return 'It does not fit the budget: see the plan.'
  if (device !== 'gpu' && memory > 2 ** 31) return 'A page trains with at most 2 GiB; it can plan for more.'
  return null
}

const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="9" />
    <path d="M7 8.500h18M10.500 8.500v9M21.500 8.500v9M16 8.500v5M6.500 22.500c3.200-2.600 6.300-2.600 9.500 0s6.300 2.600 9.500 0" />
  </svg>
)

const root = document.getElementById('page')
if (root) {
  root.replaceChildren()
  render(<App />, root)
}
