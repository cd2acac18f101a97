export function merge(a, b) {
  const count = a.count + b.count
  if (count === 0) return { count: 0, mean: 0, squares: 0 }
  const d = b.mean - a.mean
  return {
    count,
    mean: a.mean + (d * b.count) / count,
    squares: a.squares + b.squares + (d * d * a.count * b.count) / count,
  }
}

function statisticsOf(x) {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length
  return { count: x.length, mean, squares: x.reduce((sum, value) => sum + (value - mean) ** 2, 0) }
}

export function normGradient(parts, dys, eps) {
  const { count, mean, squares } = parts.map(statisticsOf).reduce(merge)
  const deviation = Math.sqrt(squares / count + eps)
  const normal = (value) => (value - mean) / deviation
  let [sum, product] = [0, 0]
  parts.forEach((x, j) => {
    x.forEach((value, i) => {
      sum += dys[j][i]
      product += dys[j][i] * normal(value)
    })
  })
  return parts.map((x, j) =>
    x.map((value, i) => (dys[j][i] - sum / count - (normal(value) * product) / count) / deviation),
  )
}
