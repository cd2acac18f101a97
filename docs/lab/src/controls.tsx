/** The settings as a form, and links to states that are worth a look. */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { countsOf } from './samples'
import {
  DATA,
  DEFAULTS,
  DEVICES,
  formatHash,
  KERNELS,
  MODELS,
  NORMS,
  OPTIMIZERS,
  RECOMPUTES,
  readSetting,
  type Settings,
  showBudget,
} from './settings'

type Set = (patch: Partial<Settings>) => void

const PRESETS: readonly { name: string; patch: Partial<Settings> }[] = [
  { name: 'The main job', patch: {} },
  { name: 'A tight budget', patch: { memory: 768 * 1024 } },
  { name: 'Too small', patch: { memory: 512 * 1024 } },
  { name: 'In one piece', patch: { memory: 6.5 * 2 ** 20 } },
  { name: 'Exact batch norm', patch: { model: 'convnet', norm: 'exact', batch: 256, memory: 2 ** 20 } },
  {
    name: 'ResNet-18, values made again',
    patch: { model: 'resnet18', width: 16, data: 'shapes', image: 32, batch: 64, memory: 24 * 2 ** 20, epochs: 5 },
  },
]

/** Links to states of the page. */
export function Presets({ settings }: { settings: Settings }) {
  const { view, at, ...rest } = settings
  return (
    <nav class="presets" aria-label="Examples">
      {PRESETS.map(({ name, patch }) => {
        const hash = formatHash({ ...DEFAULTS, ...patch })
        const here = hash === formatHash({ ...rest, view: DEFAULTS.view, at: DEFAULTS.at })
        return (
          <a key={name} href={hash} aria-current={here ? 'true' : undefined}>
            {name}
          </a>
        )
      })}
    </nav>
  )
}

export function Controls(props: { settings: Settings; faults: readonly string[]; set: Set; reset: () => void }) {
  const { settings, faults, set, reset } = props
  const { train } = countsOf(settings)
  const choice = <K extends keyof Settings>(name: K, label: string, names: readonly string[], help?: string) => (
    <Choice
      label={label}
      value={String(settings[name])}
      options={names}
      help={help}
      onChange={(text) => {
        const value = readSetting(name, text)
        if (value !== null)
          set({ [name]: value, ...(name === 'optimizer' ? { rate: text === 'sgd' ? 0.05 : 0.01 } : {}), at: -1 })
      }}
    />
  )
  const typed = (name: keyof Settings, label: string, help?: string, text = String(settings[name])) => (
    <Typed
      label={label}
      text={text}
      help={help}
      read={(value) => readSetting(name, value)}
      onChange={(value) => set({ [name]: value })}
    />
  )
  const [open, setOpen] = useWide()
  const { model, data, batch, memory } = settings
  return (
    <details class="panel" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Settings
        <small>
          {model}, {data}, {batch.toLocaleString('en')} samples, {showBudget(memory).replace(SPACED, ' ')}
        </small>
      </summary>
      <form class="controls" aria-label="Settings" onSubmit={(event) => event.preventDefault()}>
        {faults.length > 0 && (
          <p class="fault" role="alert">
            The address has been read, but {faults.join('; ')}.
          </p>
        )}
        <fieldset>
          <legend>Step</legend>
          {choice('model', 'Model', MODELS)}
          {choice(
            'data',
            'Data',
            DATA,
            settings.data === 'digits' ? '1,797 handwritten digits, 8 × 8' : '1,200 drawn shapes in colour',
          )}
          {settings.data === 'shapes' && typed('image', 'Image side', 'pixels')}
          {typed(
            'batch',
            'Mini-batch',
            settings.batch > train ? `samples; the data have ${train.toLocaleString('en')}` : 'samples',
          )}
          {typed('memory', 'Budget', '2 MiB, 704 KiB, 1000000', showBudget(settings.memory).replace(SPACED, ' '))}
        </fieldset>
        <fieldset>
          <legend>Memory</legend>
          {choice('norm', 'Batch norm', NORMS, NORM_HELP[settings.norm])}
          {choice('recompute', 'Recompute', RECOMPUTES, RECOMPUTE_HELP[settings.recompute])}
          {choice('device', 'Device', DEVICES, DEVICE_HELP[settings.device])}
        </fieldset>
        <details>
          <summary>More settings</summary>
          {typed('width', 'Width', "features of the first layer; 0: the model's own")}
          {typed('micro', 'Micro-batch', 'samples at most; 0: as many as fit')}
          {choice('optimizer', 'Optimizer', OPTIMIZERS)}
          {typed('rate', 'Learning rate')}
          {typed('epochs', 'Epochs')}
          {typed('seed', 'Seed', 'of weights, split and order')}
          {typed('threads', 'Threads', '0: one for each core')}
          {choice('kernels', 'Kernels', KERNELS, 'instructions of the cpu device')}
        </details>
        <button type="button" class="plain" onClick={reset}>
          Back to the main job
        </button>
      </form>
    </details>
  )
}

/** Between a number and its unit. */
const SPACED = /(?<=\d)(?=[KMG])/

/** Whether the settings are unfolded: at first, and whenever the page changes between narrow and wide, where there is room. */
function useWide() {
  const query = '(min-width: 52.01rem)'
  const [open, setOpen] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const media = matchMedia(query)
    const change = () => setOpen(media.matches)
    media.addEventListener('change', change)
    return () => media.removeEventListener('change', change)
  }, [])
  return [open, setOpen] as const
}

const NORM_HELP: Readonly<Record<Settings['norm'], string>> = {
  own: "the model's own, if it has any",
  micro: 'statistics of each micro-batch',
  deferred: 'the same; running ones move once a step',
  exact: 'statistics of the whole mini-batch, in passes',
  frozen: 'running statistics, which stay',
}
const RECOMPUTE_HELP: Readonly<Record<Settings['recompute'], string>> = {
  never: 'keep every value that is needed',
  cheap: 'make values again for at most 3 % more time',
  needed: 'make again as much as it takes to fit',
}
const DEVICE_HELP: Readonly<Record<Settings['device'], string>> = {
  cpu: 'float32, WebAssembly',
  gpu: 'float32, WebGL2',
  reference: 'float64, plain loops: slow and exact',
}

function Field({
  id,
  label,
  help,
  children,
}: {
  id: string
  label: string
  help?: string
  children: ComponentChildren
}) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {help && (
        <small id={`${id}-help`} class="help">
          {help}
        </small>
      )}
    </div>
  )
}

function Choice(props: {
  label: string
  value: string
  options: readonly string[]
  help?: string
  onChange: (text: string) => void
}) {
  const { label, value, options, help, onChange } = props
  const id = useId()
  return (
    <Field id={id} label={label} help={help}>
      <select
        id={id}
        value={value}
        aria-describedby={help && `${id}-help`}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option} value={option} selected={option === value}>
            {option}
          </option>
        ))}
      </select>
    </Field>
  )
}

function Typed(props: {
  label: string
  text: string
  help?: string
  read: (text: string) => unknown
  onChange: (value: unknown) => void
}) {
  const { label, text, help, read, onChange } = props
  const id = useId()
  const [typed, setTyped] = useState(text)
  useEffect(() => {
    if (read(typed) !== read(text)) setTyped(text)
  }, [text])
  const bad = read(typed.trim()) === null
  return (
    <Field id={id} label={label} help={bad ? `not valid${help ? `: ${help}` : ''}` : help}>
      <input
        id={id}
        type="text"
        inputMode={label === 'Budget' ? 'text' : 'decimal'}
        autocomplete="off"
        spellcheck={false}
        value={typed}
        aria-invalid={bad ? 'true' : undefined}
        aria-describedby={help || bad ? `${id}-help` : undefined}
        onInput={(event) => {
          const next = event.currentTarget.value
          setTyped(next)
          const value = read(next.trim())
          if (value !== null) onChange(value)
        }}
        onBlur={() => setTyped(text)}
      />
    </Field>
  )
}
