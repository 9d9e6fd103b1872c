/**
 * Observes the calls of node:fs that concern one folder, so that a test can make any of them fail, or end the process just
 * before it. All of langevin's files are written by the synchronous functions (src/platform/node.ts).
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';

/** The functions that change files, or that read a folder or a file. Their first argument is a path or an open file. */
export const CALLS = [
  ...(['openSync', 'writeFileSync', 'fsyncSync', 'closeSync', 'renameSync'] as const),
  ...(['mkdirSync', 'mkdtempSync', 'rmSync', 'rmdirSync', 'readdirSync'] as const),
];

export interface FileCall {
  readonly name: (typeof CALLS)[number];
  readonly path: string;
  /** Whether the call only reads. */
  readonly reads: boolean;
}

type AnyFunction = (...given: unknown[]) => unknown;

/**
 * Calls `before` ahead of each call that concerns `folder` or what is in it. An error of `before` takes the place of the
 * call. Returns a function that ends the observation.
 */
export function observeFileCalls(folder: string, before: (call: FileCall) => void): () => void {
  const root = resolve(folder);
  const opened = new Map<unknown, { path: string; reads: boolean }>();
  const originals = CALLS.map((name) => [name, fs[name]] as const);
  // Some functions of node:fs call others of it. Only the outer call counts.
  let inside = false;
  const outer = (name: FileCall['name'], original: AnyFunction, given: unknown[]): unknown => {
    const file = opened.get(given[0]);
    const path = file?.path ?? (typeof given[0] === 'string' ? resolve(given[0]) : '');
    const inFolder = path === root || path.startsWith(root + sep);
    const isOpenFile = file !== undefined || name === 'openSync' || typeof given[0] === 'string';
    if (inside || !inFolder || !isOpenFile) return original(...given);
    const reads = name === 'readdirSync' || (file?.reads ?? (name === 'openSync' && given[1] === 'r'));
    inside = true;
    try {
      if (name === 'closeSync') opened.delete(given[0]);
      before({ name, path, reads });
      const result = original(...given);
      if (name === 'openSync') opened.set(result, { path, reads });
      return result;
    } finally {
      inside = false;
    }
  };
  for (const [name, original] of originals) {
    Object.assign(fs, { [name]: (...given: unknown[]) => outer(name, original as AnyFunction, given) });
  }
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, Object.fromEntries(originals));
    syncBuiltinESMExports();
  };
}
