const roundUp = (bytes) => Math.ceil(bytes / 64) * 64

export function reservedBytes(shapes) {
  return shapes.reduce((sum, shape) => sum + roundUp(4 * shape.reduce((size, dim) => size * dim, 1)), 0)
}

export function place(holes, tail, bytes) {
  const enough = holes.filter((hole) => hole.bytes >= roundUp(bytes))
  if (enough.length === 0) return tail
  return enough.sort((a, b) => a.bytes - b.bytes || a.address - b.address)[0].address
}
