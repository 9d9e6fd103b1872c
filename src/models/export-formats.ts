/** The names of the formats of export. export.ts has the function of each. */

/** The names of the formats. */
export const EXPORT_FORMATS = ['langevin', 'pytorch'] as const;
/** The format of an export: one safetensors file, or a folder for PyTorch. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
