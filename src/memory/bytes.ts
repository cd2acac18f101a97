/**
 * Byte sizes as people write them: '8MiB', '512 KiB', '1.5 GiB', 4096.
 * Binary units only: confusing KB with KiB would change a budget by 2.4 %.
 */
import { ArgumentError } from './errors.js'

/** 8388608 or '8388608', '8MiB', '512 KiB', '1.5GiB'; as a budget also '60%', see offered.ts. */
export type ByteSize = number | string

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }
const SIZE = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i
const DECIMAL = /^[\d.]+\s*([kmgt])b?$/i

/**
 * The number of bytes that `size` means.
 * @throws ArgumentError  not a byte size, negative, or not a whole number of bytes
 */
export function parseBytes(size: ByteSize): number {
  if (typeof size === 'number') return wholeBytes(size, String(size))
  if (typeof size !== 'string') {
    throw new ArgumentError(`${String(size)} is not a byte size: use a whole number of bytes, or text such as '8MiB'`)
  }
  const match = SIZE.exec(size.trim())
  if (match) {
    const unit = match[2].toLowerCase()
    if (unit in UNITS) return wholeBytes(Number(match[1]) * UNITS[unit], size)
  }
  const decimal = DECIMAL.exec(size.trim())
  const hint = decimal ? `; write ${decimal[1].toUpperCase()}iB for the binary unit` : ''
  throw new ArgumentError(`'${size}' is not a byte size: use a whole number of bytes, or KiB, MiB, GiB, TiB${hint}`)
}

function wholeBytes(bytes: number, text: string): number {
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes
  throw new ArgumentError(`'${text}' is not a byte size: it must be a whole number of bytes, 0 or more`)
}

/** 1536 -> '1.5 KiB'. At most two decimals; exact sizes print exactly. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'unlimited'
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const count = (power: number): number => Number((bytes / 1024 ** power).toFixed(2))
  let power = 0
  while (power + 1 < names.length && Math.abs(count(power)) >= 1024) power++
  return `${count(power)} ${names[power]}`
}

/** 1234567 -> '1,234,567'. */
export const groupDigits = (count: number): string => count.toLocaleString('en-US')
