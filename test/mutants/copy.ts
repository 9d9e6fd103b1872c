/** A copy of the project in a temporary folder, in which mutants are built and tested. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export class ProjectCopy {
  readonly root = mkdtempSync(join(tmpdir(), 'langevin-mutants-'));

  constructor() {
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { encoding: 'utf8' });
    for (const file of [...files.split('\0').filter(Boolean), 'build']) {
      mkdirSync(dirname(join(this.root, file)), { recursive: true });
      const isOfRun = (path: string) => !/build\/(test|script)-/.test(path);
      cpSync(file, join(this.root, file), { recursive: true, filter: isOfRun });
    }
    symlinkSync(resolve('node_modules'), join(this.root, 'node_modules'), 'dir');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.root, file), text);
  }

  /** Restores the kernels of the project. */
  restoreKernels(): void {
    cpSync(join('build', 'strict.wasm'), join(this.root, 'build', 'strict.wasm'));
  }

  buildKernels(): Promise<Ended> {
    return this.run(120, [join('node_modules', 'assemblyscript', 'bin', 'asc.js'), '--target', 'strict']);
  }

  test(suite: string, seconds: number): Promise<Ended> {
    return this.run(seconds, [join('test', 'run.js'), '--jobs', '1', suite]);
  }

  /** Runs a program of Node, and ends it with all its children after that many seconds. */
  private run(seconds: number, args: readonly string[]): Promise<Ended> {
    const started = performance.now();
    const child = spawn(process.execPath, args, {
      cwd: this.root,
      stdio: 'ignore',
      detached: true,
      env: { ...process.env, LANGEVIN_TEST_BAIL: '1' },
    });
    return new Promise((done) => {
      const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 1000 * seconds);
      child.on('exit', (code) => {
        clearTimeout(timer);
        done({ passed: code === 0, timedOut: code === null, seconds: (performance.now() - started) / 1000 });
      });
    });
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The end of a program. */
export interface Ended {
  readonly passed: boolean;
  readonly timedOut: boolean;
  readonly seconds: number;
}
