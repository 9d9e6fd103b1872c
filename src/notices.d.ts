import type { Metafile } from 'esbuild';

/** The notices of the packages in bundles with these metafiles. */
export function noticesOf(metafiles: readonly Metafile[]): string;
