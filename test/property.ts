/** fast-check with the settings of the tests: a property that fails prints the error of its counterexample. */
import fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), includeErrorInReport: true })

export { fc }
