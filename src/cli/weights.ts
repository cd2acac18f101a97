/** `sluice weights`: what a safetensors file holds, by its header alone. */
import { readHeader, showName, type TensorInfo } from '../io/index.js'
import { groupDigits } from '../memory/bytes.js'
import { showShape } from '../tensor/shape.js'
import { type Command, EXIT, emit } from './io.js'
import { describeExamples, describeOptions, parseOptions, UsageError } from './options.js'

const OPTIONS = {
  json: { type: 'boolean', help: 'one JSON object a line, for programs' },
  help: { type: 'boolean', help: 'this text' },
} as const

const EXAMPLES = {
  'sluice weights run.safetensors': 'a table',
  'sluice weights run.safetensors --json': 'a line for each tensor',
} as const

export const weights: Command = {
  name: 'weights',
  summary: 'lists the tensors of a safetensors file',
  help: () =>
    `Usage: sluice weights FILE [options]

Lists names, shapes, types and bytes of the tensors in a safetensors file, in the order of their bytes. It reads
the header of the file only.

${describeOptions(OPTIONS)}

${describeExamples(EXAMPLES)}
`,
  async run(args, io) {
    const { values, positionals } = parseOptions('weights', args, OPTIONS, { positionals: true })
    if (values.help) {
      io.out(weights.help())
      return EXIT.done
    }
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new UsageError('weights takes one safetensors file')
    const { tensors, metadata } = await readHeader(file)
    const elements = tensors.reduce((sum, { size }) => sum + size, 0)
    const bytes = tensors.reduce((sum, { begin, end }) => sum + end - begin, 0)
    if (values.json) {
      for (const tensor of tensors) {
        const { name, shape, dtype, size, begin, end } = tensor
        emit(io, 'tensor', { name, shape, dtype, elements: size, bytes: end - begin })
      }
      emit(io, 'done', { file, tensors: tensors.length, elements, bytes, metadata })
      return EXIT.done
    }
    const total = `${groupDigits(tensors.length)} tensors, ${groupDigits(elements)} elements, ${groupDigits(bytes)} bytes`
    const texts = Object.keys(metadata).map(showName)
    io.out(table(tensors) + `${total}${texts.length > 0 ? `; texts: ${texts.join(', ')}` : ''}\n`)
    return EXIT.done
  },
}

function table(tensors: readonly TensorInfo[]): string {
  const rows = [
    ['name', 'shape', 'type', 'bytes'],
    ...tensors.map(({ name, shape, dtype, begin, end }) => [
      showName(name),
      showShape(shape),
      dtype,
      groupDigits(end - begin),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => rows.reduce((width, row) => Math.max(width, row[column].length), 0))
  const lines = rows.map(([name, shape, dtype, bytes]) =>
    [name.padEnd(widths[0]), shape.padEnd(widths[1]), dtype.padEnd(widths[2]), bytes.padStart(widths[3])].join('  '),
  )
  return `${lines.join('\n')}\n\n`
}
