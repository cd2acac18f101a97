/**
 * Makes one static site of the README, the pages, the chapters, the API, the sources that they link to, and the lab, in
 * docs/site/dist; then looks whether every link leads somewhere.
 *
 *   npm run site
 *
 * TypeDoc needs a TypeScript before 7, so it has one of its own here.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from './check.mjs'
import { writeSources } from './sources.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const OUT = join(HERE, 'dist')
const STAGE = join(HERE, 'stage')
const LAB = 'docs/lab'
const LEARN = 'docs/learn/'

/** Addresses that TypeDoc leaves as they are, until they become relative ones. */
const TO_SOURCE = 'https://source.invalid/'
const TO_LAB = 'https://lab.invalid/'

const read = (path) => readFileSync(join(ROOT, path), 'utf8')
const pagesIn = (folder) =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => folder + file)

function npmCi(folder) {
  if (existsSync(join(folder, 'node_modules'))) return
  const { status } = spawnSync('npm', ['ci', '--prefix', folder], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`npm ci --prefix ${folder} failed`)
}

/** Where a link of a page leads on the site. */
function target(page, link, pages) {
  if (/^(https?:|#)/.test(link)) return link
  const [path, anchor] = link.split('#')
  const file = posix.join(posix.dirname(page), path)
  if (file === `${LAB}/index.html`) return `${TO_LAB}index.html${anchor === undefined ? '' : `#${anchor}`}`
  return pages.includes(file) || /\.(svg|png|webp)$/.test(file) ? link : TO_SOURCE + file
}

/** Writes a page for TypeDoc: with a title, and with links that lead to the site. */
function stage(page, pages) {
  const text = read(page)
  const title = text.match(/^# (.*)$/m)[1]
  const chapters = page === `${LEARN}README.md` ? pages.filter((other) => /^docs\/learn\/\d/.test(other)).sort() : []
  const children = chapters.map((chapter) => `  - ./${posix.basename(chapter)}`)
  const head = [
    '---',
    `title: ${JSON.stringify(title)}`,
    ...(children.length ? ['children:', ...children] : []),
    '---',
    '',
  ]
  const body = text.replaceAll(/\]\(([^)\s]+)\)/g, (_, link) => `](${target(page, link, pages)})`)
  mkdirSync(dirname(join(STAGE, page)), { recursive: true })
  writeFileSync(join(STAGE, page), (page === 'README.md' ? '' : head.join('\n')) + body)
}

/** What is wrong with the addresses of the lab: its own reader of addresses says it. */
async function faultsOfLab(pages) {
  const { ModuleKind, ScriptTarget, transpile } = (await import('typescript')).default
  const options = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 }
  const code = transpile(read(`${LAB}/src/settings.ts`), options)
  const { parseHash } = await import(`data:text/javascript,${encodeURIComponent(code)}`)
  return pages.flatMap((page) =>
    [...read(page).matchAll(/lab\/index\.html(#[^)\s]*)/g)].flatMap(([, hash]) =>
      parseHash(hash).faults.map((fault) => `${page}: ${hash}: ${fault}`),
    ),
  )
}

npmCi(HERE)
const { Application, PageEvent } = await import('typedoc')

rmSync(OUT, { recursive: true, force: true })
rmSync(STAGE, { recursive: true, force: true })
const pages = ['README.md', ...pagesIn('docs/'), ...pagesIn(LEARN)]
for (const page of pages) stage(page, pages)
for (const images of ['docs/images', `${LEARN}images`])
  cpSync(join(ROOT, images), join(STAGE, images), { recursive: true })

const learning = pages.filter((page) => page.startsWith(LEARN) && page !== `${LEARN}README.md`)
const documents = [`${LEARN}README.md`, ...pages.filter((page) => page !== 'README.md' && !page.startsWith(LEARN))]
if (learning.length === 0) throw new Error('there are no chapters')
const entryPoints = Object.values(JSON.parse(read('package.json')).exports)
  .filter((entry) => entry.types)
  .map(({ types }) => join(ROOT, types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts')))

const app = await Application.bootstrap({
  name: 'Sluice',
  entryPoints,
  tsconfig: join(HERE, 'tsconfig.json'),
  // the compiler of this repository has checked them; that of TypeDoc is an older one
  skipErrorChecking: true,
  readme: join(STAGE, 'README.md'),
  projectDocuments: documents.map((page) => join(STAGE, page)),
  basePath: ROOT,
  displayBasePath: ROOT,
  logLevel: 'Error',
  disableGit: true,
  sourceLinkTemplate: `${TO_SOURCE}{path}#L{line}`,
  excludeExternals: true,
  excludePrivate: true,
  excludeInternal: true,
  hideGenerator: true,
  includeHierarchySummary: false,
  searchInComments: true,
  searchInDocuments: true,
  navigation: { includeCategories: true, includeGroups: false },
})
app.renderer.on(PageEvent.END, (page) => {
  const up = posix.relative(posix.dirname(page.url), '.') || '.'
  page.contents = page.contents
    ?.replaceAll(
      /href="https:\/\/source\.invalid\/([^"#]*)(#L\d+)?"( class="external")?( target="_blank")?/g,
      (_, path, line = '') => {
        const isFolder = statSync(join(ROOT, path)).isDirectory()
        return `href="${up}/source/${path.replace(/\/$/, '')}${isFolder ? '/index' : ''}.html${line}"`
      },
    )
    .replaceAll(/href="https:\/\/lab\.invalid\/([^"]*)"( class="external")?( target="_blank")?/g, `href="${up}/lab/$1"`)
})
const project = await app.convert()
if (!project) throw new Error('TypeDoc cannot read the sources')
// 'sluice', 'sluice/testing', ...: what a program imports
for (const module of project.children ?? []) module.name = module.name.replace(/^src/, 'sluice')
await app.generateDocs(project, OUT)
if (app.logger.hasErrors()) throw new Error('TypeDoc found errors')

writeSources(ROOT, join(OUT, 'source'))

const hasLab = existsSync(join(ROOT, LAB, 'build.mjs'))
if (hasLab) {
  npmCi(join(ROOT, LAB))
  const { build } = await import(new URL('../lab/build.mjs', import.meta.url))
  cpSync(await build(), join(OUT, 'lab'), { recursive: true })
}
rmSync(STAGE, { recursive: true, force: true })

const { broken, files, links } = await check(OUT)
const faults = hasLab
  ? [...broken, ...(await faultsOfLab(pages))]
  : broken.filter((link) => !link.includes('lab/index.html'))
for (const fault of faults) console.log(`FAIL ${fault}`)
console.log(`site: ${files} pages, ${links} links, ${faults.length} broken; open docs/site/dist/index.html`)
if (faults.length > 0) process.exitCode = 1
