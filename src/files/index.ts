/**
 * Data sets of files, in Node: `import { imageFolder } from 'sluice/files'`. They need an optional peer: sharp for images,
 * csv-parse for tables.
 */
export { type CsvOptions, type CsvTable, csvFile } from './csv.js'
export type { Fit } from './decoder.js'
export { type ImageOptions, type ImageSets, imageFolder, type MaskOptions, maskFolder } from './images.js'
