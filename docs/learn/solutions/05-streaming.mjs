export function balance(samples, largest) {
  const count = Math.ceil(samples / largest)
  const size = Math.floor(samples / count)
  const larger = samples - size * count
  return Array.from({ length: count }, (_, j) => (j < larger ? size + 1 : size))
}

export function shares(targets, sizes, ignored) {
  const counts = (list) => list.filter((target) => target !== ignored).length
  let from = 0
  return sizes.map((size) => {
    const part = targets.slice(from, from + size)
    from += size
    return counts(part) / counts(targets)
  })
}
