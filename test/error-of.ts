import * as assert from 'uvu/assert'

/** What `run` throws, or what its promise rejects with. */
export async function errorOf(run: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof run === 'function' ? run() : run)
  } catch (error) {
    return error
  }
  return assert.unreachable('it should have thrown')
}
