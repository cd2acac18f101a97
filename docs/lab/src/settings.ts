/** What can be set, and how it stands in the address: `#model=lenet&batch=1024&memory=2MiB`. A page, a worker and Node can read it. */

export const MODELS = ['mlp', 'lenet', 'convnet', 'resnet18', 'mobilenet'] as const
export const DATA = ['digits', 'shapes'] as const
export const NORMS = ['own', 'micro', 'deferred', 'exact', 'frozen'] as const
export const RECOMPUTES = ['never', 'cheap', 'needed'] as const
export const DEVICES = ['cpu', 'gpu', 'reference'] as const
export const OPTIMIZERS = ['adam', 'adamw', 'sgd', 'rmsprop'] as const
export const KERNELS = ['best', 'relaxed', 'baseline', 'none'] as const
export const VIEWS = ['kinds', 'layers', 'places'] as const

export interface Settings {
  model: (typeof MODELS)[number]
  /** features of the first layer; 0: the model's own */
  width: number
  data: (typeof DATA)[number]
  /** side of drawn images in pixels */
  image: number
  batch: number
  /** the budget in bytes */
  memory: number
  /** the largest micro-batch; 0: as large as fits */
  micro: number
  norm: (typeof NORMS)[number]
  recompute: (typeof RECOMPUTES)[number]
  device: (typeof DEVICES)[number]
  /** 0: one for each core */
  threads: number
  kernels: (typeof KERNELS)[number]
  optimizer: (typeof OPTIMIZERS)[number]
  rate: number
  epochs: number
  seed: number
  /** how the timeline is drawn */
  view: (typeof VIEWS)[number]
  /** the turn of the step that is shown; -1: the peak */
  at: number
}

export const DEFAULTS: Readonly<Settings> = {
  model: 'lenet',
  width: 0,
  data: 'digits',
  image: 16,
  batch: 1024,
  memory: 2 * 2 ** 20,
  micro: 0,
  norm: 'own',
  recompute: 'cheap',
  device: 'cpu',
  threads: 0,
  kernels: 'best',
  optimizer: 'adam',
  rate: 0.01,
  epochs: 30,
  seed: 1,
  view: 'kinds',
  at: -1,
}

/** The settings that a reader of the address meets even where they are the defaults. */
const ALWAYS: readonly (keyof Settings)[] = ['model', 'batch', 'memory']

/** '2MiB', '704KiB', '1000': exact, and as short as it can be. */
export function showBudget(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const)
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  return String(bytes)
}

/** The bytes of '2MiB', '1.5 MiB', '4096'; null: not a size. */
export function readBudget(text: string): number | null {
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([KMG]iB|B)?\s*$/i.exec(text) ?? []
  if (number === undefined) return null
  const bytes = Number(number) * ({ kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }[unit.toLowerCase()] ?? 1)
  return Number.isFinite(bytes) && bytes >= 1 && bytes <= 2 ** 40 ? Math.round(bytes) : null
}

const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text)
  return /^-?\d+$/.test(text) && value >= least && value <= most ? value : null
}
const among =
  <T extends string>(names: readonly T[]) =>
  (text: string): T | null =>
    names.find((name) => name === text) ?? null

const READERS: { [K in keyof Settings]: (text: string) => Settings[K] | null } = {
  model: among(MODELS),
  width: whole(0, 512),
  data: among(DATA),
  image: whole(8, 64),
  batch: whole(1, 2 ** 20),
  memory: readBudget,
  micro: whole(0, 2 ** 20),
  norm: among(NORMS),
  recompute: among(RECOMPUTES),
  device: among(DEVICES),
  threads: whole(0, 4),
  kernels: among(KERNELS),
  optimizer: among(OPTIMIZERS),
  rate: (text) => (Number(text) > 0 && Number(text) <= 10 ? Number(text) : null),
  epochs: whole(1, 1000),
  seed: whole(0, 2 ** 32 - 1),
  view: among(VIEWS),
  at: whole(-1, 2 ** 20),
}

/** One value as it is typed or stands in the address; null: not valid. */
export const readSetting = <K extends keyof Settings>(name: K, text: string): Settings[K] | null => READERS[name](text)

const show = (name: keyof Settings, value: string | number): string =>
  name === 'memory' ? showBudget(Number(value)) : String(value)

/** The settings in an address, and what is wrong with it. What is not there has its default. */
export function parseHash(hash: string): { settings: Settings; faults: string[] } {
  const faults: string[] = []
  const given: Record<string, unknown> = {}
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ''))) {
    if (!Object.hasOwn(READERS, name)) {
      faults.push(`${name} is no setting`)
      continue
    }
    const value = READERS[name as keyof Settings](text)
    if (value === null) faults.push(`${name}=${text} is not valid`)
    else given[name] = value
  }
  return { settings: { ...DEFAULTS, ...given }, faults }
}

/** The address of settings. */
export function formatHash(settings: Settings): string {
  const names = (Object.keys(DEFAULTS) as (keyof Settings)[]).filter(
    (name) => ALWAYS.includes(name) || settings[name] !== DEFAULTS[name],
  )
  return `#${names.map((name) => `${name}=${encodeURIComponent(show(name, settings[name]))}`).join('&')}`
}

/** What a plan depends on besides the budget. */
export function planKey({ memory, view, at, epochs, rate, threads, kernels, seed, ...rest }: Settings): string {
  return JSON.stringify(rest)
}

/** What a training depends on. */
export function runKey({ view, at, ...rest }: Settings): string {
  return JSON.stringify(rest)
}
