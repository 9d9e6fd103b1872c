/** The names of the formats of export. export.ts has the function of each. */

/** The names of the formats. */
export const EXPORT_FORMATS = ['langevin', 'pytorch', 'onnx'] as const;
/** The format of an export: one safetensors file, a folder for PyTorch, or an ONNX file. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
