/**
 * The host under Node. Files are written synchronously, even if the function returns a promise. To flush and rename a
 * few megabytes takes only milliseconds, and one implementation is easier to trust than two.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism, homedir } from 'node:os';
import { dirname, isAbsolute, join, posix } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FileError, LangevinError } from '../errors.ts';
import type { FolderEntry, Host } from './host.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a file of that name exists already',
  EFBIG: 'the file would be larger than is allowed here',
  EISDIR: 'it is a folder, not a file',
  ELOOP: 'its symbolic links go in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ERR_FS_FILE_TOO_LARGE: 'the file is larger than 2 GiB',
};

/** A Node system error as one line that says what failed: `cannot write out/a.png: the disk is full (ENOSPC)`. */
export function fileError(error: unknown, attempted: string): LangevinError {
  if (error instanceof LangevinError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code && REASONS[code] ? `${REASONS[code]} (${code})` : message;
  return new FileError(`cannot ${attempted}: ${reason}`, error);
}

function attempt<T>(attempted: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(error, attempted);
  }
}

/**
 * Makes a folder and its parents. A folder that exists is no error. We do not use Node's `recursive`: it never returns
 * if a folder exists but accepts no new folder, as in /proc.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw error;
    makeFolder(parent);
    mkdirSync(path);
  }
}

/**
 * The name of a file until it is complete. It is not derived from the file's own name, which may already have the
 * greatest allowed length.
 */
const temporaryName = () => `.langevin-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;

/** The process that writes the temporary file `name`, or null if `name` is not such a name. */
export function temporaryPid(name: string): number | null {
  const [, pid] = /^\.langevin-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
  return pid === undefined ? null : Number(pid);
}

function writeFileAtomicSync(path: string, content: Uint8Array | string): void {
  attempt(`write ${path}`, () => {
    const present = statSync(path, { throwIfNoEntry: false });
    if (present && !present.isFile()) return writeFileSync(path, content); // a folder fails here with EISDIR
    const target = present ? realpathSync(path) : path;
    makeFolder(dirname(target));
    const temporary = join(dirname(target), temporaryName());
    try {
      const file = openSync(temporary, 'wx', present?.mode);
      try {
        writeFileSync(file, content);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, target);
      flushFolder(dirname(target));
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    }
  });
}

/** Removes an incomplete file. If that fails too, the error of the write is the one to report. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

/** Flushes a folder, so that a renamed file survives a power failure. Some systems cannot flush a folder. */
function flushFolder(path: string): void {
  let folder: number | undefined;
  try {
    folder = openSync(path, 'r');
    fsyncSync(folder);
  } catch {
    // The file itself is flushed. No more is possible here.
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}

/**
 * The number of CPUs that the cgroups grant to this process. It is the smallest quota divided by its period, over the
 * process's own group and all groups above (v2 `cpu.max`, v1 `cpu.cfs_quota_us`). It is Infinity without a limit.
 * `read` returns a file's text, or `undefined` if there is no such file. A container may see the files of its group
 * only at the root.
 */
export function cgroupCpus(read: (path: string) => string | undefined): number {
  let cpus = Infinity;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, group] = line.match(/^\d+:([^:]*):(\/.*)$/) ?? [];
    if (group === undefined || !(controllers === '' || controllers.split(',').includes('cpu'))) continue;
    const root = controllers === '' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu';
    for (let folder = group; ; folder = posix.dirname(folder)) {
      const at = folder === '/' ? root : root + folder;
      const limit =
        controllers === ''
          ? read(`${at}/cpu.max`)?.split(' ')
          : [read(`${at}/cpu.cfs_quota_us`), read(`${at}/cpu.cfs_period_us`)];
      const granted = Number(limit?.[0]) / Number(limit?.[1]); // NaN for "max"; negative for v1's -1
      if (granted > 0) cpus = Math.min(cpus, granted);
      if (folder === posix.dirname(folder)) break;
    }
  }
  return cpus;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * The cache folder of a system: `$XDG_CACHE_HOME/langevin` if that variable is an absolute path, else the usual folder
 * of the system.
 */
export function cacheFolder(platform: string, environment: NodeJS.ProcessEnv, home: string): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  if (xdg && isAbsolute(xdg)) return join(xdg, 'langevin');
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'langevin');
  if (platform === 'win32') return join(local || join(home, 'AppData', 'Local'), 'langevin', 'Cache');
  return join(home, '.cache', 'langevin');
}

async function entryOf(folder: string, name: string): Promise<FolderEntry> {
  const found = await stat(join(folder, name)).catch(() => undefined);
  const kind = found?.isFile() ? 'file' : found?.isDirectory() ? 'folder' : 'other';
  return { name, kind, bytes: found?.size ?? 0 };
}

export const host: Host = {
  name: 'node',
  engine: `Node ${process.versions.node}, V8 ${process.versions.v8.split('.').slice(0, 2).join('.')}`,
  availableThreads() {
    const granted = process.platform === 'linux' ? cgroupCpus(textOf) : Infinity;
    return Math.max(1, Math.floor(Math.min(availableParallelism(), granted)));
  },
  environment: (name) => process.env[name],
  cacheDir: () => cacheFolder(process.platform, process.env, homedir()),
  exists: (path) =>
    stat(path).then(
      (found) => found.isFile(),
      () => false,
    ),
  async list(path) {
    try {
      const names = await readdir(path);
      return await Promise.all(names.map((name) => entryOf(path, name)));
    } catch (error) {
      throw fileError(error, `read the folder ${path}`);
    }
  },
  async readFile(path) {
    try {
      const { buffer, byteOffset, byteLength } = await readFile(path);
      // a Buffer's slice() would share the bytes and not copy them
      return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    } catch (error) {
      throw fileError(error, `read ${path}`);
    }
  },
  async makeDir(path) {
    attempt(`make the folder ${path}`, () => makeFolder(path));
  },
  async writeFileAtomic(path, content) {
    writeFileAtomicSync(path, content);
  },
  writeFileAtomicSync,
  startWorker({ source }, message, died) {
    const prefix =
      "require('node:worker_threads').parentPort.once('message', (data) => globalThis.onmessage({ data }));";
    const worker = new Worker(prefix + source, { eval: true, execArgv: [] });
    let stopped = false;
    worker.on('error', (error) => died(String(error)));
    worker.on('exit', (code) => {
      if (!stopped) died(`the thread ended with exit code ${code}`);
    });
    worker.postMessage(message);
    worker.unref();
    return {
      stop() {
        stopped = true;
        void worker.terminate();
      },
    };
  },
};
