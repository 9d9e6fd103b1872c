/** Removes the temporary files of killed processes: incomplete files (platform/node.ts) and empty trial folders. */
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryPid } from '../../platform/node.ts';

/** The prefix of trial folders. The program creates one to test whether a folder is writable. */
export const TRIAL = '.langevin-trial-';

/** Whether a process of this number runs on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes the temporary files of killed processes in a folder. Files that cannot be removed are left. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = temporaryPid(name);
    const path = join(folder, name);
    try {
      if (pid !== null && pid !== process.pid && !isRunning(pid)) rmSync(path);
      if (name.startsWith(TRIAL)) rmdirSync(path);
    } catch {}
  }
}
