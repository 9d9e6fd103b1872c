/**
 * What the suites and the release check need of the package: the files that npm packs, the two linters of packages, types
 * under each resolution, and a page that a browser opens.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build, type Platform } from 'esbuild';
import { chromium } from 'playwright-core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { CHROMIUM, hasChromium } from './chromium.ts';
import { ROOT } from './dist.ts';

export { hasChromium };

/** The text of a file of the project. */
export const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');
/** package.json. */
export const pkg = JSON.parse(read('package.json'));

/** The files that npm packs, and the size of the archive. */
export interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Packs dist/ as it is. @param folder gets the archive; without it nothing is written */
export function pack(folder?: string): Packed {
  const where = folder === undefined ? ['--dry-run'] : ['--pack-destination', folder];
  const words = ['pack', '--json', '--ignore-scripts', ...where];
  return JSON.parse(
    execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )[0];
}

/** What publint finds wrong in the package of a folder. */
export async function publintMessages(folder: string): Promise<(string | undefined)[]> {
  const { messages } = await publint({ pkgDir: folder, strict: true });
  return messages.map((message) => formatMessage(message, pkg));
}

/**
 * What arethetypeswrong finds wrong in an archive. The package has modules only, so the resolutions that know no
 * `exports`, and those of `require`, do not count: its own profile `esm-only`.
 */
export async function typeProblems(archive: string): Promise<string[]> {
  const result = await checkPackage(createPackageFromTarballData(readFileSync(archive)));
  if (!result.types) return ['the package has no types'];
  return result.problems
    .filter((problem) => {
      const kind = 'resolutionKind' in problem ? problem.resolutionKind : undefined;
      return kind !== 'node10' && kind !== 'node16-cjs';
    })
    .map((problem) => JSON.stringify(problem));
}

/** The resolutions of TypeScript under which the types must work, with the modules that each needs. */
export const RESOLUTIONS = { nodenext: 'nodenext', bundler: 'esnext' } as const;

/** What TypeScript says about programs of a user. @param files in `folder`, which has langevin in node_modules */
export function typeErrors(
  folder: string,
  moduleResolution: keyof typeof RESOLUTIONS,
  files: readonly string[],
): string {
  const compilerOptions = {
    module: RESOLUTIONS[moduleResolution],
    moduleResolution,
    target: 'es2023',
    strict: true,
    noEmit: true,
    types: ['node'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' }).stdout;
}

/** A page for a test: its files by name, `''` for the document, and the headers that all have. */
export interface TestPage {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Whether the page has shared memory. */
  readonly isolated: boolean;
  /** The Content-Security-Policy. Default: none. */
  readonly policy?: string;
  /** The expression whose first value that is not undefined is the result. Default `window.result`. */
  readonly result?: string;
}

/** The result of a page, the errors that it does not catch, and the addresses of its workers. */
export async function resultOf({
  files,
  isolated,
  policy,
  result: expression = 'window.result',
}: TestPage): Promise<{ result: unknown; complaints: string[]; workers: string[] }> {
  const headers = {
    ...(isolated && {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    }),
    ...(policy && { 'Content-Security-Policy': policy }),
  };
  const server = createServer(({ url = '/' }, response) => {
    const name = url.slice(1);
    if (!Object.hasOwn(files, name)) return void response.writeHead(404, headers).end();
    response.writeHead(200, { 'Content-Type': name === '' ? 'text/html' : 'text/javascript', ...headers });
    response.end(files[name]);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // A function that waits in the page would be refused by a policy without 'unsafe-eval'.
    let result: unknown;
    for (const end = performance.now() + 120_000; result === undefined; ) {
      if (complaints.length > 0 || performance.now() > end) throw new Error(`no result: ${complaints}`);
      await new Promise((later) => setTimeout(later, 50));
      result = await page.evaluate(expression);
    }
    return { result, complaints, workers: page.workers().map((worker) => worker.url()) };
  } finally {
    await browser.close();
    server.close();
  }
}

/** A document with one module script. */
export const documentWith = (script: string) => `<!doctype html><script type="module">${script}</script>`;

/** The text of a program as a bundler makes it for a page or for Node. */
export async function bundled(source: string, platform: Platform): Promise<string> {
  const options = { bundle: true, minify: true, write: false, format: 'esm', target: 'es2022' } as const;
  const stdin = { contents: source, resolveDir: ROOT };
  // Without our own tsconfig.json, in which the package's name leads to its sources.
  const { outputFiles } = await build({ ...options, stdin, platform, tsconfigRaw: '{}', logLevel: 'error' });
  return outputFiles[0]!.text;
}
