/**
 * Which run a folder belongs to. While a run goes on, its folder holds `run.json`, which says what run it is and in which
 * process:
 *
 *     { "run": "9f0c…", "command": "train denoiser", "pid": 1234, "host": "…", "started": "2026-01-31T12:00:00.000Z" }
 *
 * Another run in the folder is refused as long as that process lives. A run that ends in order, also by failing, takes
 * the file away; one that is left is of a run that was killed, and tells its checkpoints from those of others.
 *
 * Of a process on another host it cannot be seen whether it lives: it counts as alive, and the error says what to do.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '../../errors.ts';
import { fileError } from '../../platform/node.ts';
import { isRunning } from './leftovers.ts';

const NAME = 'run.json';

/** A run as its folder names it. */
export interface RunFile {
  readonly run: string;
  readonly command: string;
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly started: string;
}

/** A name that no other run has. */
export const newRun = (): string => randomUUID();

/** The folders that this process has claimed. */
const claimed = new Set<string>();

/** What a folder's `run.json` says; null where there is none, or one that says nothing. */
export function readRunFile(folder: string): RunFile | null {
  try {
    const { run, command, pid, host, started } = JSON.parse(readFileSync(join(folder, NAME), 'utf8'));
    return {
      run: String(run),
      command: String(command),
      pid: Number(pid),
      host: String(host),
      started: String(started),
    };
  } catch {
    return null;
  }
}

function isAlive({ pid, host }: RunFile, folder: string): boolean {
  if (host !== hostname()) return true;
  return pid === process.pid ? claimed.has(folder) : isRunning(pid);
}

/** A folder that is claimed by a run. */
export class RunFolder {
  /** Whether the run has left anything of its own; otherwise the folder stays that of the run before. */
  used = false;
  private readonly path: string;
  /** Of a run that was killed here. */
  private readonly before: RunFile | null;

  /** @throws FileError where another run is writing to the folder */
  constructor(
    private readonly folder: string,
    readonly run: string,
    command: string,
  ) {
    this.path = join(folder, NAME);
    this.before = readRunFile(folder);
    if (this.before && isAlive(this.before, folder)) throw taken(folder, this.before);
    rmSync(this.path, { force: true });
    const host = hostname();
    this.write({ run, command, pid: process.pid, host, started: new Date().toISOString() }, 'wx');
    claimed.add(folder);
    process.on('exit', this.onExit);
  }

  /** Gives the folder free. */
  release(): void {
    process.off('exit', this.onExit);
    if (!claimed.delete(this.folder)) return;
    if (this.used || !this.before) rmSync(this.path, { force: true });
    else this.write(this.before, 'w');
  }

  private readonly onExit = () => this.release();

  private write(content: RunFile, flag: 'w' | 'wx'): void {
    try {
      const file = openSync(this.path, flag);
      try {
        writeFileSync(file, `${JSON.stringify(content)}\n`);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      // Another run was quicker.
      const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readRunFile(this.folder) : null;
      throw other ? taken(this.folder, other) : fileError(error, `write ${this.path}`);
    }
  }
}

function taken(folder: string, { command, pid, host, started }: RunFile): FileError {
  const where = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  return new FileError(
    `${folder}: langevin ${command} writes here, ${where} since ${started}; wait for its end or take another --out (if it is dead, delete ${join(folder, NAME)})`,
  );
}
