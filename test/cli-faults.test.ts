/**
 * Failing file calls: a full disk, a read-only file system and missing permissions, at each call of a training, a sampling
 * and an export in turn. The command must end with one clear line, or succeed with all of its files. It must not damage an
 * earlier file, and it must leave no temporary file behind.
 *
 * The command runs in this process, because each of its calls needs a run of its own.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as assert from 'uvu/assert';
import { loadCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { inFolder, npmRun, ROOT, tinyData } from './dist.ts';
import { type FileCall, observeFileCalls } from './helpers-file-calls.ts';
import { suite } from './suite.ts';

const REASONS = {
  ENOSPC: 'the disk is full (ENOSPC)',
  EROFS: 'the file system is read-only (EROFS)',
  EACCES: 'permission denied (EACCES)',
} as const;
type Code = keyof typeof REASONS;
const CODES = Object.keys(REASONS) as Code[];

/** A fault: call `at` fails, and with `lasting` also the calls after it. */
interface Fault {
  readonly at: number;
  readonly code: Code;
  readonly lasting: boolean;
}

const REMOVALS: readonly string[] = ['rmSync', 'rmdirSync'];
/** Whether a lasting state of the system makes the call fail: a full disk can still be read, and files can be removed. */
const affected = ({ name, reads }: FileCall, code: Code): boolean =>
  code === 'EACCES' || !(reads || name === 'closeSync' || (code === 'ENOSPC' && REMOVALS.includes(name)));

let runs = 0;

/** Runs the command here, in `folder`. Returns its exit code, its errors, its calls, and which of them failed. */
async function command(words: readonly string[], folder: string, fault?: Fault) {
  const calls: FileCall[] = [];
  const failed: FileCall[] = [];
  let stderr = '';
  const { argv, stdout } = process;
  const { write } = process.stderr;
  const listeners = stdout.listeners('error');
  const stop = observeFileCalls(folder, (call) => {
    const i = calls.push(call) - 1;
    if (!fault || i < fault.at || (i > fault.at && !(fault.lasting && affected(call, fault.code)))) return;
    failed.push(call);
    const message = `${fault.code}: injected, ${call.name} '${call.path}'`;
    throw Object.assign(new Error(message), { code: fault.code, path: call.path });
  });
  process.argv = ['node', 'langevin', ...words];
  process.stderr.write = ((text: string) => (stderr += text) !== '') as typeof write;
  try {
    await import(`${pathToFileURL(join(ROOT, 'dist', 'cli.js'))}?run=${++runs}`);
    return { code: process.exitCode, stderr, calls, failed };
  } finally {
    stop();
    process.stderr.write = write;
    process.argv = argv;
    process.exitCode = undefined;
    for (const one of stdout.listeners('error')) {
      if (!listeners.includes(one)) stdout.off('error', one as () => void);
    }
  }
}

/** All files of a folder. */
const filesOf = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

/** Asserts that a file is complete: the earlier one, or the one that the command writes without a fault. */
async function requireWhole(file: string, folder: string, before: string, after: string): Promise<void> {
  const path = join(folder, file);
  if (file === 'metrics.json') return void JSON.parse(readFileSync(path, 'utf8'));
  // A checkpoint has the name of its run, so its bytes differ between runs. A digest protects its tensors.
  if (file.startsWith('checkpoint-')) return void (await loadCheckpoint(path));
  const bytes = readFileSync(path);
  const same = [before, after].some(
    (other) => existsSync(join(other, file)) && readFileSync(join(other, file)).equals(bytes),
  );
  assert.ok(same, `${file}: expected the earlier file or the new one`);
}

/** Checks the end of a command that had a fault. `out` is its folder. */
async function requireSound(
  { code, stderr, failed }: Awaited<ReturnType<typeof command>>,
  fault: Fault,
  [out, before, after]: readonly [out: string, before: string, after: string],
): Promise<void> {
  const left = filesOf(out);
  // A temporary file can remain only if its removal failed.
  const kept = failed.filter(({ name }) => REMOVALS.includes(name)).map(({ path }) => path);
  for (const name of left.filter((file) => file.startsWith('.'))) {
    assert.ok(kept.includes(join(out, name)), `${name} remains`);
  }
  for (const file of filesOf(before)) assert.ok(left.includes(file) || file.startsWith('checkpoint-'), file);
  for (const file of left.filter((name) => !name.startsWith('.') && name !== 'run.json')) {
    await requireWhole(file, out, before, after);
  }
  if (code === 0) {
    assert.is(stderr, '');
    for (const file of filesOf(after)) assert.ok(left.includes(file), `${file} is missing`);
  } else {
    assert.is(code, 1);
    assert.match(stderr, /^langevin: (cannot|no) [^\n]+\n$/);
    assert.ok(stderr.includes(REASONS[fault.code]), stderr);
    assert.not.match(stderr, /internal|injected/);
  }
}

const TRAIN = 'train diffusion --model mlp-tiny --batch-size 20 --threads 1 --epochs 1 --quiet'.split(' ');
interface Case {
  /** The arguments, besides `--out` and the model. */
  readonly words: readonly string[];
  /** How many faults each call has. */
  readonly faults: number;
  /** Whether the folder has the files of an earlier run. Without them the command makes the folder. */
  readonly used: boolean;
}
const COMMANDS: Readonly<Record<string, Case>> = {
  'a training': { words: [...TRAIN, '--seed', 'new', '--data', 'tiny'], faults: 1, used: true },
  'a sampling': { words: 'sample --model old --count 4 --steps 2 --quiet'.split(' '), faults: 2, used: true },
  'an export': { words: 'export --model old --quiet'.split(' '), faults: 4, used: false },
};

npmRun('build:node');

suite('cli: failing file calls', (test) => {
  for (const [name, { words: given, faults, used }] of Object.entries(COMMANDS)) {
    test(`each file call of ${name} can fail: one line, the earlier files stay whole, and no temporary file remains`, () =>
      inFolder(async (root) => {
        tinyData(root);
        const [old, after, out, none] = ['old', 'after', 'out', 'none'].map((part) => join(root, part));
        const first = [...TRAIN, '--data', join(root, 'tiny'), '--out', old];
        assert.is((await command(first, root)).code, 0);
        const inRoot = given.map((word) => (['old', 'tiny'].includes(word) ? join(root, word) : word));
        const words = [...inRoot, '--out', out];
        const begin = () => {
          rmSync(out, { recursive: true, force: true });
          if (used) cpSync(old, out, { recursive: true });
        };
        begin();
        const whole = await command(words, out);
        assert.equal([whole.code, whole.stderr], [0, '']);
        cpSync(out, after, { recursive: true });
        assert.ok(whole.calls.length > 10);
        let refused = 0;
        for (let i = 0; i < faults * whole.calls.length; i++) {
          const at = Math.floor(i / faults);
          const fault = { at, code: CODES[i % CODES.length], lasting: ((i >> 1) + i) % 2 === 1 };
          begin();
          const end = await command(words, out, fault);
          const { name, path } = whole.calls[at];
          try {
            await requireSound(end, fault, [out, used ? old : none, after]);
          } catch (error) {
            const place = `call ${at}, ${name} ${path}, ${JSON.stringify(fault)}, stderr ${end.stderr}`;
            throw new Error(`${place}: ${(error as Error).message}`);
          }
          refused += end.code === 0 ? 0 : 1;
        }
        assert.ok(refused > whole.calls.length / 4, `only ${refused} faults were errors`);
      }));
  }
});
