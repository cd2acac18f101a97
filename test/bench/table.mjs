/** A workload's lines as a Markdown table. */

const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

const quartiles = ({ median, q1, q3 }) => `${digits(median)} (${digits(q1)}-${digits(q3)})`

const timeOf = (line) => quartiles({ median: line.median_ms, q1: line.q1_ms, q3: line.q3_ms })

/** Settings by their values: what they are settings of is known. */
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

/** Contests of two: how long each took, and the ratio of the times, pair by pair. */
export function printPairs(lines) {
  const titles = ['workload', 'Sluice ms (quartiles)', 'tfjs WebGL ms', 'tfjs = 1', 'pairs', 'tfjs']
  row(titles)
  row(titles.map(() => '---'))
  for (const { workload, sluiceMs, absent, tfjsMs, ratio, pairs, tfjs } of lines) {
    const own = [workload, quartiles(sluiceMs)]
    if (absent) row([...own, `absent: ${absent}`, '', '', ''])
    else row([...own, quartiles(tfjsMs), quartiles(ratio), pairs, tfjs])
  }
  console.log(`\nChromium ${lines[0]?.browser}, ${lines[0]?.renderer}`)
}
