/** Inputs that were findings once, in test/files/fuzz. A file's name is its format, and the begin of its SHA-256. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const CASES = join('test', 'files', 'fuzz');

/** Saves an input, and returns its path. */
export function saveCase(target: string, input: Uint8Array): string {
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const path = join(CASES, `${target}-${hash}.bin`);
  mkdirSync(CASES, { recursive: true });
  writeFileSync(path, input);
  return path;
}

/** All saved inputs. */
export function savedCases(): { name: string; target: string; input: Uint8Array<ArrayBuffer> }[] {
  return readdirSync(CASES)
    .filter((name) => name.endsWith('.bin'))
    .map((name) => ({
      name,
      target: name.slice(0, name.lastIndexOf('-')),
      input: Uint8Array.from(readFileSync(join(CASES, name))),
    }));
}
