/** Training runs and their folders: resume, histories, killed runs, and two runs in one folder. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { periodicSave } from '../src/cli/results/periodic-save.ts';
import { FileError } from '../src/errors.ts';
import { inFolder, langevin, npmRun, type Outcome, ok, tinyData } from './dist.ts';
import { suite } from './suite.ts';

/** 40 pictures of 8x8: three steps per epoch. */
const SMALL = ['--data', 'tiny', '--batch-size', '15', '--threads', '1'];
const TRAIN: Record<string, string[]> = {
  denoiser: ['train', 'denoiser', ...SMALL],
  'denoiser --model conv': ['train', 'denoiser', '--model', 'conv', ...SMALL],
  lecture: ['train', 'lecture', ...SMALL],
  classifier: ['train', 'classifier', '--lr', '0.001', ...SMALL],
  diffusion: ['train', 'diffusion', '--model', 'mlp-tiny', ...SMALL],
};

const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const checkpoints = (folder: string) =>
  readdirSync(folder)
    .filter((file) => file.startsWith('checkpoint-'))
    .sort();

function failed({ code, stdout, stderr }: Outcome, message: RegExp, expected = 1): void {
  assert.match(stderr, message);
  assert.match(stderr, /^langevin: [^\n]+\n$/, 'one line');
  assert.equal([code, stdout], [expected, '']);
}

/** Kills a run (SIGKILL) as soon as its output has `heard`. */
const killed = (words: readonly string[], folder: string, heard: string) =>
  langevin([...words, '--json'], folder, (child, soFar) => soFar.includes(heard) && child.kill('SIGKILL'));

/** A process that has just ended: no other process has its number yet. */
function deadPid(): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', '']);
    child.on('close', () => resolve(child.pid!));
  });
}

npmRun('build:node');

suite('cli: runs', (test) => {
  for (const [name, words] of Object.entries(TRAIN)) {
    test(`train ${name} --resume ends with the file of a run that was not stopped, byte for byte, and with its history`, () =>
      inFolder(async (folder) => {
        tinyData(folder);
        const epochs = 30;
        await ok([...words, '--epochs', String(epochs), '--quiet', '--out', 'whole'], folder);
        let sent = false;
        const first = await langevin(
          [...words, '--epochs', String(epochs), '--json', '--out', 'parts'],
          folder,
          (child, soFar) => {
            if (!sent && soFar.includes('"type":"epoch","epoch":2')) sent = child.kill('SIGINT');
          },
        );
        assert.is(first.code, 130, first.stderr);
        const stopped = json(folder, 'parts', 'metrics.json');
        assert.ok(stopped.step >= 6 && stopped.step < epochs * 3, `stopped at step ${stopped.step}`);
        const resume = [...words.slice(0, 2), '--resume', 'parts', '--threads', '2', '--quiet'];
        await ok(resume, folder);
        const file = (out: string) => readFileSync(join(folder, out, 'model.safetensors'));
        assert.ok(file('whole').equals(file('parts')));

        const losses = (out: string) =>
          json(folder, out, 'metrics.json').epochs.map((e: Record<string, number>) => [
            e.epoch,
            e.trainLoss,
            e.testLoss,
          ]);
        assert.is(losses('whole').length, epochs);
        assert.equal(losses('parts'), losses('whole'));
        const plot = (out: string) => readFileSync(join(folder, out, 'loss.svg'), 'utf8');
        assert.is(plot('parts'), plot('whole'));

        await ok(resume, folder);
        assert.equal(losses('parts'), losses('whole'), 'a finished run keeps its epochs');
        assert.is(plot('parts'), plot('whole'));
        await ok([...resume, '--epochs', String(epochs + 1)], folder);
        assert.is(losses('parts').length, epochs + 1);
        assert.is(checkpoints(join(folder, 'parts')).length, 2);
        assert.not(existsSync(join(folder, 'parts', 'run.json')));
        failed(
          await langevin([...resume, '--lr', '1'], folder),
          /--lr: expected a new run, got --resume parts, which fixes this setting/,
          2,
        );
      }));
  }

  test('a run can be resumed in another folder, and does not change the first folder', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      await ok([...TRAIN.denoiser, '--epochs', '1', '--quiet', '--out', 'a'], folder);
      const before = readdirSync(join(folder, 'a'));
      await ok(['train', 'denoiser', '--resume', 'a', '--epochs', '2', '--out', 'b', '--quiet'], folder);
      assert.equal(readdirSync(join(folder, 'a')), before);
      assert.equal(checkpoints(join(folder, 'b')), ['checkpoint-00000006.safetensors']);
      failed(
        await langevin(['train', 'lecture', '--resume', 'a', '--quiet'], folder),
        /expected a model "lecture", got "denoiser"/,
      );
    }));

  test('while a run is active, another run in its folder is refused; in another folder it is not', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      const others: Promise<Outcome>[] = [];
      const endless = [...TRAIN.denoiser, '--epochs', '1000000', '--out', 'a', '--json'];
      const first = await langevin(endless, folder, (child, soFar) => {
        if (others.length > 0 || !soFar.includes('"type":"epoch"')) return;
        const { pid, command } = json(folder, 'a', 'run.json');
        assert.equal([pid, command], [child.pid, 'train denoiser']);
        others.push(langevin([...TRAIN.lecture, '--epochs', '1', '--out', 'a', '--quiet'], folder));
        others.push(langevin([...TRAIN.denoiser, '--epochs', '1', '--out', 'b', '--quiet'], folder));
        void Promise.all(others).then(() => child.kill('SIGINT'));
      });
      failed(
        await others[0],
        /^langevin: a: expected a free folder, got one of langevin train denoiser \(process \d+, since \d{4}-.*Z\); wait for its end or take another --out; if this process no longer exists, delete a\/run\.json$/m,
      );
      assert.is((await others[1]).code, 0);
      assert.is(first.code, 130, first.stderr);
      assert.not(existsSync(join(folder, 'a', 'run.json')));
      assert.is(json(folder, 'a', 'metrics.json').model.kind, 'denoiser');
    }));

  test('a run with fast convolutions records them, and a resumed run that differs warns', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      const fast = ['--convolutions', 'fast', '--quiet', '--out', 'a'];
      await ok([...TRAIN['denoiser --model conv'], '--epochs', '1', ...fast], folder);
      assert.is(json(folder, 'a', 'metrics.json').convolutions, 'fast');
      assert.match(await ok(['inspect', 'a'], folder), /convolutions +fast/);
      const resume = ['train', 'denoiser', '--resume', 'a', '--epochs', '2', '--threads', '1', '--json'];
      const events = (await ok(resume, folder))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const warnings = events.filter(({ type }) => type === 'warning').map(({ message }) => message);
      const message =
        'the arithmetic of the run changes from "strict, fast convolutions" to "strict": its bits will differ';
      assert.equal(warnings, [message]);
    }));

  test('a killed run in the folder of another run is not resumed as that other run', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      await ok([...TRAIN.denoiser, '--epochs', '1', '--quiet', '--out', 'a'], folder);
      const [old] = checkpoints(join(folder, 'a'));
      const kept = readFileSync(join(folder, 'a', 'model.safetensors'));
      const endless = [...TRAIN.denoiser, '--epochs', '1000000', '--seed', 'other', '--out', 'a'];
      assert.is((await killed(endless, folder, '"type":"epoch"')).signal, 'SIGKILL');
      assert.ok(existsSync(join(folder, 'a', 'run.json')), 'a killed run leaves its lock');
      assert.ok(kept.equals(readFileSync(join(folder, 'a', 'model.safetensors'))));
      const resume = (path: string) => langevin(['train', 'denoiser', '--resume', path, '--quiet'], folder);
      failed(
        await resume('a'),
        new RegExp(
          `^langevin: a: expected a checkpoint of the run that started here at .*; --resume a/${old} continues that run$`,
          'm',
        ),
      );
      assert.is((await resume(join('a', old))).code, 0);
      assert.not(existsSync(join(folder, 'a', 'run.json')));
      assert.is((await resume('a')).code, 0, 'the folder belongs to that run again');
    }));

  test('a run that fails before it writes does not take the folder from an earlier run, also not from a killed one', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      await ok([...TRAIN.diffusion, '--epochs', '1', '--quiet', '--out', 'a'], folder);
      const fails = [...TRAIN.diffusion, '--lr', '1e30', '--quiet', '--out', 'a'];
      failed(await langevin(fails, folder), /training diverged/);
      assert.not(existsSync(join(folder, 'a', 'run.json')));
      const pid = await deadPid();
      const run = { run: 'x', command: 'train diffusion', pid, host: hostname(), started: 'then' };
      writeFileSync(join(folder, 'a', 'run.json'), JSON.stringify(run));
      failed(await langevin(fails, folder), /training diverged/);
      assert.equal(json(folder, 'a', 'run.json'), run);
      const more = ['train', 'diffusion', '--resume', 'a', '--quiet'];
      failed(await langevin(more, folder), /expected a checkpoint of the run that started here at then/);
      await ok([...TRAIN.diffusion, '--epochs', '1', '--seed', 'new', '--quiet', '--out', 'a'], folder);
      await ok([...more, '--epochs', '2'], folder);
      assert.is(json(folder, 'a', 'metrics.json').seed, 'new');
    }));

  test('a process on another host cannot be seen, and counts as alive', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      mkdirSync(join(folder, 'a'));
      const run = { run: 'x', command: 'train lecture', pid: 7, host: 'elsewhere', started: 'then' };
      writeFileSync(join(folder, 'a', 'run.json'), JSON.stringify(run));
      failed(
        await langevin([...TRAIN.denoiser, '--quiet', '--out', 'a'], folder),
        /a: expected a free folder, got one of langevin train lecture \(process 7 on elsewhere, since then\); /,
      );
      assert.equal(readdirSync(join(folder, 'a')), ['run.json']);
    }));

  test('files of killed processes are removed; files that living processes write are not', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      const a = join(folder, 'a');
      mkdirSync(join(a, '.langevin-trial-aB3xyz'), { recursive: true });
      const part = (pid: number) => `.langevin-${pid}-0123456789ab.tmp`;
      const [dead, alive] = [part(await deadPid()), part(process.pid)];
      const others = [alive, '.langevin-notes', 'mine.tmp'];
      for (const file of [dead, ...others]) writeFileSync(join(a, file), '');
      await ok([...TRAIN.denoiser, '--epochs', '1', '--quiet', '--out', 'a'], folder);
      const left = readdirSync(a).filter((file) => file.endsWith('.tmp') || file.startsWith('.'));
      assert.equal(left.sort(), others.sort());
    }));

  test('a run that diverges keeps its last good epoch, unless the folder belongs to another run', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      // With this rate the loss stays finite for some epochs.
      const wreck = [...TRAIN.diffusion, '--lr', '1e9', '--epochs', '40', '--ema', '0', '--quiet'];
      failed(
        await langevin([...wreck, '--out', 'a'], folder),
        /training diverged in epoch \d+.*after epoch \d+/,
      );
      const { stopped, epochs } = json(folder, 'a', 'metrics.json');
      assert.is(stopped.signal, 'divergence');
      assert.ok(epochs.length > 0 && epochs.length < 40);
      assert.equal(checkpoints(join(folder, 'a')), []);

      await ok([...TRAIN.diffusion, '--epochs', '1', '--quiet', '--out', 'b'], folder);
      const all = () =>
        readdirSync(join(folder, 'b')).map((f) => readFileSync(join(folder, 'b', f), 'latin1'));
      const before = all();
      failed(await langevin([...wreck, '--out', 'b'], folder), /training diverged/);
      assert.equal(all(), before);
    }));

  test('a checkpoint that cannot be written in the middle of a run is a warning, and is tried again after the interval', async () => {
    const warnings: string[] = [];
    let time = 0;
    let saves = 0;
    const save = async () => {
      if (++saves === 1) throw new FileError('cannot write c: the disk is full (ENOSPC)');
      if (saves === 3) throw new Error('a bug');
    };
    const after = periodicSave(save, (message) => warnings.push(message), { every: 10, now: () => time });
    const savesAt = async (at: number) => {
      time = at;
      await after();
      return saves;
    };
    assert.is(await savesAt(10), 0, 'not before the interval has passed');
    assert.is(await savesAt(11), 1);
    assert.match(warnings[0]!, /the training continues: cannot write c: the disk is full/);
    assert.is(await savesAt(20), 1, 'not at once again');
    assert.is(await savesAt(22), 2);
    assert.is(warnings.length, 1);
    const bug = await savesAt(40).catch(String);
    assert.is(bug, 'Error: a bug');
  });
});
