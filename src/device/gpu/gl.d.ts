/** The optional package `gl` comes without types. */
declare module 'gl' {
  const createContext: unknown
  export default createContext
}
