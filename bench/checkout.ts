/**
 * A checkout of langevin whose benchmark can be run beside this one: its kernels are built, its bench/ is bundled
 * with turns.ts, and processes of it answer requests. This checkout is bundled and started in the same way, so that
 * both sides run under equal conditions.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { LangevinError } from '../src/errors.ts';
import { UsageError } from './options.ts';
import { causeIn } from './peer.ts';
import { Queue } from './queue.ts';
import type { Answer, Requests } from './turns.ts';

export class Checkout {
  private constructor(
    /** As it was given. */
    private readonly folder: string,
    private readonly out: string,
  ) {}

  /**
   * Builds the kernels there, unless it is `root` itself, and bundles its benchmark.
   * @param root this checkout, whose kernels `npm run bench` has just built
   * @throws UsageError for a folder that holds no checkout; LangevinError where it does not build
   */
  static async open(folder: string, root: string): Promise<Checkout> {
    const path = resolve(folder);
    for (const file of ['package.json', 'bench/subjects.ts', 'bench/operands.ts', 'bench/engine.ts']) {
      if (existsSync(join(path, file))) continue;
      throw new UsageError(
        `bench: expected --against as a folder with a checkout of langevin, got "${folder}" without ${file}`,
      );
    }
    if (realpathSync(path) !== realpathSync(root)) buildKernels(folder);
    // In its own folder, where its own packages are found.
    mkdirSync(join(path, 'build'), { recursive: true });
    const out = mkdtempSync(join(path, 'build', 'against-'));
    process.on('exit', () => rmSync(out, { recursive: true, force: true }));
    await bundle(folder, join(out, 'turns.mjs'), join(root, 'bench', 'turns.ts'));
    return new Checkout(folder, out);
  }

  start(): Side {
    return new Side(this.folder, fork(join(this.out, 'turns.mjs'), { execArgv: [] }));
  }
}

/** Kernels of another commit would be measured without a word, so they are built anew. */
function buildKernels(folder: string): void {
  const { status, stderr, error } = spawnSync('npm', ['run', '--silent', 'build:kernels'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status === 0) return;
  const cause = error?.message ?? causeIn(stderr.trim().split('\n'));
  throw new LangevinError(
    `bench: expected "npm run build:kernels" to succeed in ${folder} (after npm ci), got: ${cause}`,
  );
}

/** Bundles the bench of the checkout in `folder` with `turns`, the path of this checkout's turns.ts. */
async function bundle(folder: string, outfile: string, turns: string): Promise<void> {
  const contents = `
    import { apply } from './bench/engine.ts';
    import { Operands } from './bench/operands.ts';
    import { SUBJECTS } from './bench/subjects.ts';
    import { takeTurns } from ${JSON.stringify(turns)};
    takeTurns({ SUBJECTS, Operands, apply });`;
  try {
    await build({
      stdin: { contents, resolveDir: resolve(folder) },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      loader: { '.wasm': 'binary', '.txt': 'text' },
      logLevel: 'silent',
    });
  } catch (error) {
    const { errors } = error as { errors?: { text: string }[] };
    throw new LangevinError(
      `bench: expected the benchmark in ${folder} to bundle, got: ${errors?.[0].text ?? error}`,
    );
  }
}

/** A running process of a checkout. */
export class Side {
  private readonly answers = new Queue<Answer>();

  constructor(
    private readonly folder: string,
    private readonly process: ChildProcess,
  ) {
    process.on('message', (answer: Answer) => this.answers.push(answer));
    process.on('exit', (code, signal) =>
      this.answers.push({ error: `it ended with ${signal ?? `exit code ${code}`}` }),
    );
  }

  /** @throws LangevinError for what goes wrong there */
  async ask<K extends keyof Requests>(
    name: K,
    ...args: Parameters<Requests[K]>
  ): Promise<ReturnType<Requests[K]>> {
    // A process that is gone has left its error among the answers.
    this.process.send([name, ...args], () => {});
    const answer = await this.answers.next();
    if ('error' in answer) throw new LangevinError(`bench: the benchmark in ${this.folder}: ${answer.error}`);
    return answer.value as ReturnType<Requests[K]>;
  }

  async stop(): Promise<void> {
    const { process } = this;
    if (process.exitCode !== null || process.signalCode !== null) return;
    process.disconnect();
    await once(process, 'exit');
  }
}
