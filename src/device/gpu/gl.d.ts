/** The optional package `gl` brings no types. */
declare module 'gl' {
  const createContext: unknown
  export default createContext
}
