/**
 * A checkout of langevin whose benchmark runs next to this one. Its kernels are built, its bench/ is bundled with
 * turns.ts, and its processes answer requests. This checkout is bundled and started in the same way, so that both sides
 * have equal conditions.
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
    /** The folder as the user wrote it. */
    private readonly folder: string,
    private readonly out: string,
  ) {}

  /**
   * Builds the kernels there, unless it is `root` itself, and bundles its benchmark.
   * @param root this checkout, whose kernels `npm run bench` has just built
   * @throws UsageError for a folder that is not a checkout; LangevinError if the build fails
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
    // The bundle is in the checkout's own folder, so that it finds the checkout's own packages.
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

/** We always build the kernels. Otherwise the kernels of another commit could be measured without notice. */
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

/** Bundles the benchmark of the checkout in `folder` with this checkout's turns.ts, whose path is `turns`. */
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

  /** @throws LangevinError for an error in the other process */
  async ask<K extends keyof Requests>(
    name: K,
    ...args: Parameters<Requests[K]>
  ): Promise<ReturnType<Requests[K]>> {
    // If the process has ended, its error is already among the answers.
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
