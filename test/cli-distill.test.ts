/** The command `distill`, run as a user runs it: a student, its samples, resuming, and wrong command lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { failed, inFolder, langevin, npmRun, ok, TRAIN_TINY as TRAIN } from './dist.ts';
import { suite } from './suite.ts';

const DISTILL = 'distill --paths 40 --batch-size 20 --teacher-steps 8 --threads 1'.split(' ');
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

npmRun('build:node');

suite('cli: distill', (test) => {
  test('distill makes a student, which samples in its steps, is judged and exported, and teaches another student', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--epochs', '2', '--quiet', '--out', 't'], folder);
      const stdout = await ok([...DISTILL, '--model', 't', '--epochs', '2', '--out', 's'], folder);
      assert.match(stdout, /^student +4 steps, 1 residual block of 32-32-32, [\d,]+ parameters\n/);
      assert.match(stdout, /\nteacher +8 steps of heun, guidance 2\n/);
      assert.match(
        stdout,
        /\ndata +paths of t\/model\.safetensors: 40 training pictures, 20 test pictures\n/,
      );
      assert.equal(readdirSync(join(folder, 's')).sort(), [
        'checkpoint-00000004.safetensors',
        'loss.svg',
        'metrics.json',
        'model.safetensors',
        'samples.png',
      ]);
      const { settings } = await loadCheckpoint(join(folder, 's', 'model.safetensors'));
      const { student, teacherSteps, guidance, sampling, data, teacher } = settings as Record<
        string,
        unknown
      >;
      assert.equal([student, teacherSteps, guidance], [4, 8, 2]);
      assert.equal(sampling, { sampler: 'euler', steps: 4, guidance: 1 });
      assert.equal(data, { data: 'strokes', limit: 60 });
      assert.is((teacher as { model: string }).model, 't/model.safetensors');

      const sampled = await ok(['sample', '--model', 's', '--count', '10', '--threads', '1'], folder);
      assert.match(sampled, /\nsampler +euler, 4 steps, guidance 1\n/);
      assert.match(sampled, /\n10 pictures in /);
      await ok(['export', '--model', 's', '--name', 'small', '--out', 'e', '--threads', '1'], folder);
      await ok(
        ['sample', '--model', 'e/small.safetensors', '--steps', '4', '--count', '2', '--quiet'],
        folder,
      );
      const one = await ok(
        ['distill', '--model', 's', '--steps', '1', '--paths', '20', '--epochs', '1', '--out', 'o'],
        folder,
      );
      assert.match(one, /^student +1 step, .*\nteacher +4 steps of a student, guidance 1\n/);
      await ok(['sample', '--model', 'o', '--count', '10', '--quiet'], folder);

      const refused = async (words: string, message: RegExp) =>
        failed(await langevin([...words.split(' '), '--quiet'], folder), 2, message);
      await refused(
        'sample --model s --steps 8',
        /--steps: expected 4, the steps that this student was made for, got 8/,
      );
      await refused(
        'sample --model s --sampler ddim',
        /--sampler: expected euler, as for every student, got ddim/,
      );
      await refused('sample --model s --guidance 2', /--guidance: expected 1, because a student has learned/);
      await refused(
        'evaluate --model s --steps 50',
        /--steps: expected 4, the steps that this student was made/,
      );
      await refused(
        'export --model s --steps 2',
        /--steps: expected 4, the steps that this student was made for/,
      );
      await refused('distill --model t --steps 9', /--steps: expected a whole number from 1 to 8, got "9"/);
      await refused(
        'distill --model t --steps 8',
        /--teacher-steps: expected a multiple of the student's 8, .*got 8/,
      );
      await refused('distill --model s --steps 8', /--teacher-steps: expected a multiple of the student's 8/);
      await refused(
        'distill --model s --steps 1 --guidance 2',
        /--guidance: expected 1 for a teacher that is a student/,
      );
    }));

  test('a distillation that resumes ends with the same bytes, needs its teacher, and keeps its settings', () =>
    inFolder(async (folder) => {
      for (const seed of ['0', '1'])
        await ok([...TRAIN, '--epochs', '1', '--seed', seed, '--quiet', '--out', `t${seed}`], folder);
      const words = [...DISTILL, '--model', 't0', '--quiet'];
      await ok([...words, '--epochs', '30', '--out', 'whole'], folder);
      let sent = false;
      const first = await langevin(
        [...DISTILL, '--model', 't0', '--epochs', '30', '--json', '--out', 'parts'],
        folder,
        (child, soFar) => {
          if (!sent && soFar.includes('"type":"epoch","epoch":3')) sent = child.kill('SIGINT');
        },
      );
      assert.is(first.code, 130, first.stderr);
      const { step } = json(join(folder, 'parts', 'metrics.json'));
      assert.ok(step >= 6 && step < 60, `stopped at step ${step}`);
      const resume = (...more: string[]) =>
        langevin(['distill', '--resume', 'parts', '--quiet', '--threads', '2', ...more], folder);
      failed(
        await resume('--model', 't1'),
        1,
        /t1\/model\.safetensors: expected the teacher of this run, .*--model/,
      );
      failed(await resume('--steps', '2'), 2, /--steps: expected a new run, got --resume parts/);
      failed(
        await langevin(['distill', '--resume', 't0', '--quiet'], folder),
        1,
        /expected a run of distill, got a model that is not a student/,
      );
      failed(
        await langevin(['train', 'diffusion', '--resume', 'parts', '--quiet'], folder),
        1,
        /expected a model that is not a student/,
      );
      assert.is((await resume()).code, 0);
      const [whole, parts] = ['whole', 'parts'].map((name) =>
        readFileSync(join(folder, name, 'model.safetensors')),
      );
      assert.ok(whole.equals(parts));
    }));
});
