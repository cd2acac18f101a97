/** fast-check as the tests use it: a property that fails prints the error of its counterexample. */
import fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), includeErrorInReport: true })

export { fc }
