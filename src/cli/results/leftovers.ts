/** What processes that were killed left in a folder: parts of files (platform/node.ts) and empty trial folders. */
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryPid } from '../../platform/node.ts';

/** Begins the names of folders that are made to see whether a folder can be written to. */
export const TRIAL = '.langevin-trial-';

/** Whether a process of that number lives on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes them. What cannot be removed stays. */
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
