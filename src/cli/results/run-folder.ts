/**
 * Claims a folder for one run. During a run its folder has a file `run.json` with the run and its process:
 *
 *     { "run": "9f0c…", "command": "train denoiser", "pid": 1234, "host": "…", "started": "2026-01-31T12:00:00.000Z" }
 *
 * While this process runs, another run in the folder is refused. A run deletes the file at its end, also after an
 * error. So a file without a running process belongs to a killed run. It shows which checkpoints are those of this run.
 *
 * A process on another host cannot be checked. It counts as running, and the error says what to do.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '../../errors.ts';
import { fileError } from '../../platform/node.ts';
import { isRunning } from './leftovers.ts';

const NAME = 'run.json';

/** The content of `run.json`. */
export interface RunFile {
  readonly run: string;
  readonly command: string;
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly started: string;
}

/** A unique name for a run. */
export const newRun = (): string => randomUUID();

/** The folders that this process has claimed. */
const claimed = new Set<string>();

/** The content of a folder's `run.json`; null if the file is missing or invalid. */
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

/** A folder that a run has claimed. */
export class RunFolder {
  /** Whether the run has written files. If it has not, `release` restores the `run.json` of a killed run before it. */
  used = false;
  private readonly path: string;
  /** The `run.json` of a killed run, if there was one. */
  private readonly before: RunFile | null;

  /** Claims the folder. @throws FileError if another run writes to it */
  constructor(
    private readonly folder: string,
    readonly run: string,
    command: string,
  ) {
    this.path = join(folder, NAME);
    this.before = readRunFile(folder);
    if (this.before && isAlive(this.before, folder)) throw taken(folder, this.before);
    const host = hostname();
    this.write({ run, command, pid: process.pid, host, started: new Date().toISOString() }, 'wx');
    claimed.add(folder);
    process.on('exit', this.onExit);
  }

  /** Releases the folder. If the file cannot be removed, it stays like that of a killed run: the next run removes it. */
  release(): void {
    process.off('exit', this.onExit);
    if (!claimed.delete(this.folder)) return;
    try {
      if (this.used || !this.before) rmSync(this.path, { force: true });
      else this.write(this.before, 'w');
    } catch {}
  }

  private readonly onExit = () => this.release();

  private write(content: RunFile, flag: 'w' | 'wx'): void {
    try {
      if (flag === 'wx') rmSync(this.path, { force: true });
      const file = openSync(this.path, flag);
      try {
        writeFileSync(file, `${JSON.stringify(content)}\n`);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      // Another run has just claimed the folder.
      const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readRunFile(this.folder) : null;
      throw other ? taken(this.folder, other) : fileError(error, `write ${this.path}`);
    }
  }
}

/** The error for a folder that another run has claimed. */
function taken(folder: string, { command, pid, host, started }: RunFile): FileError {
  const where = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  return new FileError(
    `${folder}: expected a free folder, got one of langevin ${command} (${where}, since ${started}); wait for its end or take another --out; if this process no longer exists, delete ${join(folder, NAME)}`,
  );
}
