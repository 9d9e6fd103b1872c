/**
 * A training that is killed (SIGKILL) again and again, at random moments, ends with the bits of one that was never stopped.
 *
 * The command writes a checkpoint each 30 seconds. Here its clock runs fast, so that it writes one after each batch. Half of
 * the kills come from outside, at a random time. The others come just before a random call of a file function, where a
 * file is half written, or written and not yet renamed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import * as assert from 'uvu/assert';
import { inFolder, langevin, npmRun, ok, ROOT } from './dist.ts';
import { Choices } from './fuzz/random.ts';
import { suite } from './suite.ts';

const KILLS = 10;
/** More epochs than ten killed runs train for, each until a few batches after its start. */
const EPOCHS = 150;
const TRAIN = [
  ...'train diffusion --data strokes --model mlp-tiny --limit 40 --batch-size 20 --threads 1'.split(' '),
  ...['--epochs', String(EPOCHS)],
];

/**
 * Writes a program that Node loads before the command. It makes the clock fast. With a number it kills the process before
 * that call of a function that writes, flushes or renames a file.
 */
async function preload(folder: string): Promise<string> {
  const outfile = join(folder, 'preload.mjs');
  await build({
    stdin: {
      contents: `
        import { observeFileCalls } from './helpers-file-calls.ts';
        const now = performance.now.bind(performance);
        performance.now = () => 1e6 * now();
        let left = Number(process.env.KILL_BEFORE_CALL);
        const counted = ['writeFileSync', 'fsyncSync', 'renameSync'];
        if (left > 0)
          observeFileCalls('run', ({ name, reads }) => {
            if (!reads && counted.includes(name) && --left === 0) process.kill(process.pid, 'SIGKILL');
          });
      `,
      resolveDir: join(ROOT, 'test'),
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  return outfile;
}

/**
 * The kills, in turns: after so many epochs and milliseconds, or before this call of a file function. The first call writes
 * run.json. After it come three for each checkpoint: write, flush and rename. Each of the three has its turn.
 */
function moments(seed: string): { epochs: number; delay: number; call: number }[] {
  const r = new Choices(seed);
  return Array.from({ length: KILLS }, (_, i) => ({
    epochs: 1 + r.below(3),
    delay: r.below(20),
    call: i % 2 === 0 ? 0 : 2 + 3 * r.below(12) + (((i - 1) / 2) % 3),
  }));
}

const hasCheckpoint = (run: string) =>
  existsSync(run) && readdirSync(run).some((file) => file.startsWith('checkpoint-'));

npmRun('build:node');

suite('cli: kills', (test) => {
  test('a training that is killed at ten random moments and resumed each time ends with the bits of one that was not', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--quiet', '--out', 'whole'], folder);
      const loaded = await preload(folder);
      const run = join(folder, 'run');
      const cli = join(ROOT, 'dist', 'cli.js');
      const next = () =>
        hasCheckpoint(run)
          ? ['train', 'diffusion', '--resume', 'run', '--threads', '1']
          : [...TRAIN, '--out', 'run'];
      let resumed = 0;
      for (const { epochs, delay, call } of moments('kill -9')) {
        resumed += hasCheckpoint(run) ? 1 : 0;
        let [heard, sent] = [0, false];
        const words = [cli, ...next(), '--json'];
        process.env.KILL_BEFORE_CALL = String(call);
        const end = await langevin(
          words,
          folder,
          (child, soFar) => {
            heard = soFar.split('"type":"epoch"').length - 1;
            if (call > 0 || sent || heard < epochs) return;
            sent = true;
            setTimeout(() => child.kill('SIGKILL'), delay);
          },
          `--import=${pathToFileURL(loaded)}`,
        ).finally(() => delete process.env.KILL_BEFORE_CALL);
        assert.equal([end.signal, end.stderr], ['SIGKILL', '']);
      }
      assert.ok(resumed >= KILLS / 2, `only ${resumed} runs resumed`);
      await ok([...next(), '--quiet'], folder);
      const file = (out: string) => readFileSync(join(folder, out, 'model.safetensors'));
      assert.ok(file('run').equals(file('whole')));
      const picture = (out: string) => readFileSync(join(folder, out, 'samples.png'));
      assert.ok(picture('run').equals(picture('whole')));
      const losses = (out: string) =>
        JSON.parse(readFileSync(join(folder, out, 'metrics.json'), 'utf8')).epochs.map(
          (e: Record<string, number>) => [e.epoch, e.trainLoss, e.testLoss],
        );
      assert.is(losses('run').length, EPOCHS);
      assert.equal(losses('run'), losses('whole'));
      const left = readdirSync(run).filter((name) => name.startsWith('.') || name === 'run.json');
      assert.equal(left, [], 'files of killed processes are removed');
    }));
});
