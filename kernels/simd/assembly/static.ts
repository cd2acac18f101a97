/** The first byte that the module's constants leave free. */
export function staticEnd(): usize {
  return __heap_base
}
