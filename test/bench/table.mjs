/** A workload's lines as a Markdown table. */

function digits(value) {
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)
}

const quartiles = ({ median, q1, q3 }) => `${digits(median)} (${digits(q1)}-${digits(q3)})`

const timeOf = (line) => quartiles({ median: line.median_ms, q1: line.q1_ms, q3: line.q3_ms })

/** The chosen settings of a player, by their values. */
const setting = ({ setting: chosen }) =>
  chosen ? `; ${chosen.OMP_WAIT_POLICY}${'MALLOC_MMAP_THRESHOLD_' in chosen ? ', malloc tuned' : ''}` : ''

const row = (cells) => console.log(`| ${cells.join(' | ')} |`)

export function printTable(workload, lines) {
  console.log(`\n### ${workload}\n`)
  const sweeps = lines.some(({ microBatch }) => microBatch !== undefined)
  const counts = [...new Set(lines.flatMap(({ timesSluice = {} }) => Object.keys(timesSluice)))]
  const titles = sweeps
    ? ['micro-batch', 'threads', 'ms (quartiles)', 'whole mini-batch = 1']
    : [
        'peer',
        'threads',
        'ms (quartiles)',
        'GFLOPS',
        ...counts.map((n) => `Sluice, ${n} thread${n > 1 ? 's' : ''} = 1`),
        'turns',
        'version',
      ]
  row(titles)
  row(titles.map(() => '---'))
  for (const line of lines) {
    const who = [sweeps ? line.microBatch : line.peer, line.threads]
    if (line.absent) row([...who, `absent: ${line.absent}`, ...titles.slice(3).map(() => '')])
    else if (sweeps) row([...who, timeOf(line), quartiles(line.timesWholeBatch)])
    else {
      const ratios = counts.map((n) => (line.timesSluice?.[n] ? quartiles(line.timesSluice[n]) : ''))
      row([...who, timeOf(line), line.gflops ?? '', ...ratios, line.turns, line.version + setting(line)])
    }
  }
}

/** Contests of two players: the time of a step of each, and the ratio of the times, pair by pair. */
export function printPairs(lines) {
  const titles = ['workload', 'peer', 'Sluice ms (quartiles)', 'peer ms', 'peer = 1', 'pairs']
  row(titles)
  row(titles.map(() => '---'))
  for (const { workload, peer, version, absent, wrong, sluiceMs, peerMs, ratio, pairs } of lines) {
    const who = [workload, `${peer} ${version ?? ''}`.trim()]
    if (absent) row([...who, '', `absent: ${absent}`, '', ''])
    else if (wrong) row([...who, quartiles(sluiceMs), `wrong: ${wrong}`, '', pairs])
    else row([...who, ...[sluiceMs, peerMs, ratio].map(quartiles), pairs])
  }
  const { browser, renderer } = lines.find((line) => line.renderer) ?? {}
  if (renderer) console.log(`\nChromium ${browser}, ${renderer}`)
}
