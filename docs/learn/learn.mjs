/**
 * Runs the tests of a chapter's exercises against the file in which you solve them, docs/learn/exercises/NN-*.mjs:
 *
 *   npm run learn -- 3                 the exercises of chapter 3
 *   npm run learn -- 3 --solutions     the same tests against docs/learn/solutions
 *   npm run learn -- --check           every exercise fails its tests as it is given, and every solution passes them
 *
 * A file of tests exports a list of { exercise, check }. `check` gets what your file exports, and throws where it is wrong.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => new URL(path, import.meta.url)
const files = readdirSync(fileURLToPath(here('tests'))).sort()

/** The outcome of each exercise: null where its tests pass, else the error. */
async function outcomes(file, folder) {
  const tests = (await import(here(`tests/${file}`))).default
  const answers = await import(here(`${folder}/${file}`))
  const found = []
  for (const { exercise, check } of tests) {
    const error = await Promise.resolve(answers)
      .then(check)
      .then(
        () => null,
        (error) => error,
      )
    found.push({ exercise, error })
  }
  return found
}

/** Shows what passes, and for the rest what was wrong. */
async function learn(number, folder) {
  const file = files.find((name) => Number.parseInt(name, 10) === number)
  if (!file) {
    console.error(`There is no chapter ${number}. npm run learn -- 1, up to ${files.length}`)
    return false
  }
  const found = await outcomes(file, folder)
  for (const { exercise, error } of found) {
    console.log(`${error ? 'red  ' : 'green'} ${exercise}`)
    if (error) console.log(`      ${error.message.replaceAll('\n', '\n      ')}`)
  }
  const red = found.filter(({ error }) => error).length
  console.log(red ? `Write into docs/learn/${folder}/${file}, and run this again.` : 'All green.')
  return red === 0
}

/** An exercise as it is given is red because it is to do, and not for another reason; its solution is green. */
async function check() {
  let wrong = 0
  let right = 0
  for (const file of files) {
    const given = await outcomes(file, 'exercises')
    const solved = await outcomes(file, 'solutions')
    given.forEach(({ exercise, error }, i) => {
      const red = error instanceof Error && error.message.startsWith('TODO')
      const fault = red ? solved[i].error : `as it is given it says: ${error?.message ?? 'nothing, it passes'}`
      if (fault) {
        wrong++
        console.log(`FAIL ${file}: ${exercise}`, fault)
      } else right++
    })
    if (given.length !== 2) {
      wrong++
      console.log(`FAIL ${file}: ${given.length} exercises instead of two`)
    }
  }
  console.log(`exercises: ${right} red as given and green when solved, ${wrong} not`)
  return wrong === 0
}

const words = process.argv.slice(2)
const number = Number(words.find((word) => /^\d+$/.test(word)))
const done = words.includes('--check')
  ? await check()
  : await learn(number, words.includes('--solutions') ? 'solutions' : 'exercises')
if (!done) process.exitCode = 1
