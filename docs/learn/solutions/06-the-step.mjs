export function lives(turns, blocks) {
  const found = Array.from({ length: blocks }, () => ({ birth: -1, death: -1 }))
  turns.forEach(({ operands }, turn) => {
    for (const block of operands) {
      if (block === null) continue
      if (found[block].birth < 0) found[block].birth = turn
      found[block].death = turn
    }
  })
  return found
}

/** Segment j, from 0, begins after j kept outputs. The last may be shorter. */
function peakOf(layers, every) {
  let peak = 0
  for (let kept = 0; kept * every < layers; kept++) peak = Math.max(peak, kept + Math.min(every, layers - kept * every))
  return peak
}

export function bestChain(layers) {
  let best = { every: 1, peak: peakOf(layers, 1) }
  for (let every = 2; every <= layers; every++) {
    const peak = peakOf(layers, every)
    if (peak < best.peak) best = { every, peak }
  }
  return best
}
