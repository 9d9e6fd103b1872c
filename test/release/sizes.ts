/** The sizes of small programs after a bundler made them for a page: the table of README.md. */
import { gzipSync } from 'node:zlib';
import { bundled } from '../helpers-package.ts';

/** Imports, and the names that the program uses. */
const IMPORTS = [
  ["import * as all from 'langevin'", 'all'],
  ["import { sde } from 'langevin'", 'sde.solve, sde.eulerMaruyama, sde.brownian'],
  ["import { solve, eulerMaruyama, brownian } from 'langevin/sde'", 'solve, eulerMaruyama, brownian'],
  ["import { ddim } from 'langevin/diffusion'", 'ddim'],
  ["import { Adam, Linear, mse, scope } from 'langevin'", 'Adam, Linear, mse, scope'],
] as const;

/** For each import the size of the program in KB, minified and compressed by gzip. */
export async function programSizes(): Promise<[line: string, kilobytes: number][]> {
  const sizes: [string, number][] = [];
  for (const [line, names] of IMPORTS) {
    const program = await bundled(`${line}; console.log(${names});`, 'browser');
    sizes.push([line, Math.round(gzipSync(program).length / 1000)]);
  }
  return sizes;
}

/** The row of a size in README.md. */
export const sizeRow = ([line, kilobytes]: readonly [string, number]) => `| \`${line}\` | ${kilobytes} |`;
