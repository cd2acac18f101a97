/**
 * A workload that keeps its last result for the probe, until the next step frees it.
 * @param compute  makes a result, which has `dispose`
 * @param find     gives the probed number of a result
 */
export function keepingLast(compute, find) {
  let last = null
  return {
    step: () => {
      last?.dispose()
      last = compute()
    },
    probe: () => find(last),
  }
}
