/** Tables: the rows of a CSV file as samples. */
import { createReadStream } from 'node:fs'
import { DataError, type Dataset, fromArrays } from '../data/index.js'
import { door, LIST, oneOf, options as optionsOf, TEXT } from '../memory/arguments.js'
import { reasonOf } from '../memory/errors.js'

export interface CsvOptions {
  /** the name of the column that is to be predicted */
  readonly target: string
  /**
   * 'classes': each different target is a class; 'values': targets are numbers. Default: 'values' if all targets are
   * numbers, and one is a fraction or more than 20 are different; else 'classes'
   */
  readonly kind?: 'classes' | 'values'
  /** columns to leave out */
  readonly ignore?: readonly string[]
  /** default ',' */
  readonly separator?: string
  /** what an empty cell in a column of numbers is: an error, or the mean of the column; default 'error' */
  readonly missing?: 'error' | 'mean'
}

export interface CsvTable {
  readonly dataset: Dataset
  /** the names of the features; a column of texts has one for each text, such as `colour=red` */
  readonly features: readonly string[]
  /** the text of each class; null where targets are numbers */
  readonly classNames: readonly string[] | null
}

/** A column with more different texts than this holds names, not categories. */
const MOST_TEXTS = 1000
const MOST_CLASS_NUMBERS = 20

const check = door('csvFile', {
  path: TEXT,
  options: optionsOf<CsvOptions>(
    { target: TEXT, kind: oneOf('classes', 'values'), ignore: LIST, separator: TEXT, missing: oneOf('error', 'mean') },
    ['target'],
  ),
})

/** What is known of a column after the first reading. */
interface Column {
  readonly name: string
  readonly texts: Set<string>
  numeric: boolean
  sum: number
  numbers: number
}

/**
 * Reads a table whose first row has the names of the columns. A column in which every cell is a number is one feature; a
 * column of texts has one feature for each text: 1 in the rows that have the text, else 0. Inputs are float32 [N, F].
 * Targets are class indices [N], with the classes in the order of their texts, or numbers [N, 1]. The file is read twice,
 * and never held as a whole. Node only; needs csv-parse.
 * @throws DataError  the file cannot be read or is no table, has no such column, no row, an empty cell, or a column with over
 *                    1000 texts; csv-parse is not installed. The message names the line and the column
 */
export async function csvFile(path: string, options: CsvOptions): Promise<CsvTable> {
  check([path, options])
  const { target, ignore = [], missing = 'error' } = options
  const columns: Column[] = []
  let rows = 0
  for await (const { names, cells, line } of recordsOf(path, options)) {
    if (columns.length === 0) columns.push(...startOf(path, names, options))
    rows++
    columns.forEach((column, i) => {
      if (ignore.includes(column.name)) return
      const cell = cells[i]
      if (cell === '') {
        if (missing === 'mean' && column.name !== target) return
        const hint =
          column.name === target ? '' : `; missing: 'mean' fills in the mean, and ignore leaves the column out`
        throw new DataError(`${path}: line ${line}: the cell of ${column.name} is empty${hint}`)
      }
      const value = Number(cell)
      if (Number.isFinite(value)) {
        column.sum += value
        column.numbers++
      } else column.numeric = false
      if (column.texts.size <= MOST_TEXTS) column.texts.add(cell)
    })
  }
  if (rows === 0) throw new DataError(`${path}: there is no row below the names of the columns`)
  const inputs = columns.filter(({ name }) => name !== target && !ignore.includes(name))
  const groups = inputs.map((column) => groupOf(path, column))
  const features = groups.flatMap(({ names }) => names)
  if (features.length === 0) throw new DataError(`${path}: there is no column besides ${target}`)
  const aim = aimOf(path, columns.find(({ name }) => name === target) as Column, options)

  const data = new Float32Array(rows * features.length)
  const targets = aim.classNames ? new Int32Array(rows) : new Float32Array(rows)
  const places = columns.map(({ name }) => inputs.findIndex((column) => column.name === name))
  let row = 0
  for await (const { cells } of recordsOf(path, options)) {
    if (row === rows) break
    const start = row * features.length
    columns.forEach(({ name }, i) => {
      if (name === target) targets[row] = aim.valueOf(cells[i])
      else if (places[i] >= 0) groups[places[i]].write(cells[i], data, start + offsetOf(groups, places[i]))
    })
    row++
  }
  if (row < rows) throw new DataError(`${path}: it had ${rows} rows, and then ${row}: it changed while it was read`)
  const dataset = fromArrays({
    inputs: { data, shape: [rows, features.length] },
    targets: { data: targets, shape: aim.classNames ? [rows] : [rows, 1] },
    name: path.split(/[\\/]/).at(-1) ?? path,
    ...(aim.classNames ? { classes: aim.classNames.length } : {}),
  })
  return { dataset, features, classNames: aim.classNames }
}

function startOf(path: string, names: readonly string[], { target, ignore = [] }: CsvOptions): Column[] {
  for (const wanted of [target, ...ignore]) {
    if (!names.includes(wanted)) {
      throw new DataError(`${path}: there is no column '${wanted}'; the columns are ${names.slice(0, 30).join(', ')}`)
    }
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new DataError(`${path}: there are two columns '${twice}'`)
  return names.map((name) => ({ name, texts: new Set<string>(), numeric: true, sum: 0, numbers: 0 }))
}

/** The features that a column becomes. */
interface Group {
  readonly names: readonly string[]
  write(cell: string, data: Float32Array, at: number): void
}

function groupOf(path: string, { name, texts, numeric, sum, numbers }: Column): Group {
  if (numeric) {
    const mean = sum / Math.max(1, numbers)
    return {
      names: [name],
      write: (cell, data, at) => {
        data[at] = cell === '' ? mean : Number(cell)
      },
    }
  }
  if (texts.size > MOST_TEXTS) {
    throw new DataError(`${path}: the column ${name} has over ${MOST_TEXTS} different texts: leave it out with ignore`)
  }
  const sorted = [...texts].sort()
  return {
    names: sorted.map((text) => `${name}=${text}`),
    write: (cell, data, at) => {
      // an empty cell, if it is allowed, gives 0 for every text
      if (cell !== '') data[at + sorted.indexOf(cell)] = 1
    },
  }
}

const offsetOf = (groups: readonly Group[], place: number): number =>
  groups.slice(0, place).reduce((sum, { names }) => sum + names.length, 0)

function aimOf(path: string, { name, texts, numeric }: Column, { kind }: CsvOptions) {
  const fraction = [...texts].some((text) => !Number.isInteger(Number(text)))
  const values = kind === 'values' || (kind === undefined && numeric && (fraction || texts.size > MOST_CLASS_NUMBERS))
  if (values && !numeric) throw new DataError(`${path}: the column ${name} has texts, and kind is 'values'`)
  if (values) return { classNames: null, valueOf: Number }
  if (texts.size > MOST_TEXTS) throw new DataError(`${path}: the column ${name} has over ${MOST_TEXTS} classes`)
  const classNames = [...texts].sort(numeric ? (a, b) => Number(a) - Number(b) : undefined)
  const numbers = new Map(classNames.map((text, i) => [text, i]))
  return { classNames, valueOf: (cell: string) => numbers.get(cell) ?? Number.NaN }
}

interface Row {
  readonly names: readonly string[]
  readonly cells: readonly string[]
  /** the line of the file, from 1 */
  readonly line: number
}

/** The rows below the names. @throws DataError  as csvFile */
async function* recordsOf(path: string, { separator = ',' }: CsvOptions): AsyncGenerator<Row> {
  const module = await import('csv-parse').catch((cause: unknown) => {
    throw new DataError('tables are read by csv-parse, which is not installed: npm install csv-parse', { cause })
  })
  let names: readonly string[] | null = null
  try {
    const settings = { delimiter: separator, bom: true, trim: true, skip_empty_lines: true, info: true }
    const parser = module.parse({ ...settings, max_record_size: 2 ** 20 })
    const stream = createReadStream(path)
    stream.on('error', (error) => parser.destroy(error))
    for await (const { record, info } of stream.pipe(parser)) {
      if (names) yield { names, cells: record, line: info.lines }
      else names = record
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause
    throw new DataError(`${path}: cannot be read as a table (${reasonOf(cause)})`, { cause })
  }
}
