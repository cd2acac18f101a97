/** Looks whether every link between the pages of a folder leads to a file, and to a place in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const decode = (text) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"')

/** @returns the broken links, and how many pages and links there are */
export async function check(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.html'))
  const places = new Map()
  const placesIn = (file) => {
    if (!places.has(file)) {
      const text = readFileSync(file, 'utf8')
      places.set(file, new Set([...text.matchAll(/ (?:id|name)="([^"]*)"/g)].map(([, id]) => decode(id))))
    }
    return places.get(file)
  }
  const broken = []
  let links = 0
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [, attribute] of text.matchAll(/<[a-z][^<>]* (?:href|src)="([^"]*)"/g)) {
      const link = decode(attribute)
      if (/^([a-z]+:|\/\/)/.test(link) && !link.includes('.invalid/')) continue
      links++
      const [path, anchor] = link.split('#')
      const target =
        path === '' ? join(folder, file) : join(folder, dirname(file), decodeURIComponent(path.split('?')[0]))
      // what stands there in an address of the lab is a setting
      const inLab = relative(folder, target).startsWith('lab')
      if (!existsSync(target)) broken.push(`${file}: ${link}`)
      else if (anchor && !inLab && target.endsWith('.html') && !placesIn(target).has(decodeURIComponent(anchor)))
        broken.push(`${file}: ${link}`)
    }
  }
  return { broken, files: files.length, links }
}
