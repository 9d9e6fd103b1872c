/** The commands that train diffusion models and sample from them, run as a user runs them. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { decodePng } from '../src/image/png.ts';
import { loadDiffusion } from '../src/models/pipeline.ts';
import { labelsInTurn, samplePictures } from '../src/models/sample.ts';
import { failed, inFolder, langevin, npmRun, ok, TRAIN_TINY as TRAIN, tinyData } from './dist.ts';
import { suite } from './suite.ts';

const LECTURE = ['train', 'lecture', '--limit', '128', '--threads', '1'];

/** An NPY file of bytes, read by the rules of its format. */
function readNpy(path: string) {
  const file = readFileSync(path);
  assert.equal([...file.subarray(0, 8)], [0x93, ...Buffer.from('NUMPY'), 1, 0]);
  const end = 10 + file.readUInt16LE(8);
  assert.is(end % 64, 0);
  const header = file.subarray(10, end).toString('latin1');
  const [, descr, tuple] = /^\{'descr': '(\S+)', 'fortran_order': False, 'shape': \((.*)\), \} *\n$/.exec(
    header,
  )!;
  const shape = tuple.split(',').filter((side) => side.trim() !== '');
  return { descr, shape: shape.map(Number), bytes: [...file.subarray(end)] };
}

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const checkpoints = (folder: string) => readdirSync(folder).filter((file) => file.startsWith('checkpoint-'));

npmRun('build:node');

suite('cli: diffusion', (test) => {
  test('train diffusion writes a model, a checkpoint, metrics and pictures', () =>
    inFolder(async (folder) => {
      const stdout = await ok([...TRAIN, '--epochs', '2', '--seed', 'a b'], folder);
      assert.match(
        stdout,
        /^network +1 residual block of 32-32-32, 10 classes, [\d,]+ parameters\nprocess +cosine, 1,000 steps, predicts x0/,
      );
      assert.match(stdout, /epoch 2\/2 +train \d\.\d{4} +test \d\.\d{4}/);
      const out = join(folder, 'out', 'diffusion');
      assert.equal(readdirSync(out).sort(), [
        'checkpoint-00000006.safetensors',
        'loss.svg',
        'metrics.json',
        'model.safetensors',
        'samples.png',
      ]);
      const metrics = json(join(out, 'metrics.json'));
      assert.equal([metrics.seed, metrics.step, metrics.stopped, metrics.epochs.length], ['a b', 6, null, 2]);
      assert.equal(
        [metrics.settings.predicts, metrics.settings.batchSize, metrics.model.classes],
        ['x0', 20, 10],
      );
      assert.ok(decodePng(readFileSync(join(out, 'samples.png'))).height > 10 * 56);
      const [model, checkpoint] = await Promise.all(
        ['model', 'checkpoint-00000006'].map((name) => loadCheckpoint(join(out, `${name}.safetensors`))),
      );
      assert.equal([model.training, checkpoint.training !== undefined], [undefined, true]);
      assert.equal(model.parameters, checkpoint.parameters, 'both hold the moving average');
    }));

  test('a resumed run ends with the same file as an uninterrupted run, byte for byte', () =>
    inFolder(async (folder) => {
      const words = [...TRAIN, '--epochs', '30', '--quiet'];
      await ok([...words, '--out', 'whole'], folder);
      const events = [...TRAIN, '--epochs', '30', '--json', '--out', 'parts'];
      let sent = false;
      const first = await langevin(events, folder, (child, soFar) => {
        if (!sent && soFar.includes('"type":"epoch","epoch":3')) sent = child.kill('SIGINT');
      });
      assert.is(first.code, 130, first.stderr);
      const { step, stopped } = json(join(folder, 'parts', 'metrics.json'));
      assert.ok(step >= 9 && step < 90 && stopped.signal === 'SIGINT', `stopped at step ${step}`);
      await ok(['train', 'diffusion', '--resume', 'parts', '--threads', '2', '--quiet'], folder);
      const [whole, parts] = ['whole', 'parts'].map((name) =>
        readFileSync(join(folder, name, 'model.safetensors')),
      );
      assert.ok(whole.equals(parts));
      assert.is(json(join(folder, 'parts', 'metrics.json')).step, 90);
      assert.is(checkpoints(join(folder, 'parts')).length, 2, 'the last two are kept');
    }));

  test('a damaged checkpoint is refused, and the line names the older checkpoint, which can be resumed', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--epochs', '1', '--quiet', '--out', 'a'], folder);
      await ok(['train', 'diffusion', '--resume', 'a', '--epochs', '2', '--quiet'], folder);
      const [older, newest] = checkpoints(join(folder, 'a')).sort();
      truncateSync(join(folder, 'a', newest), 9000);
      const resume = (path: string) =>
        langevin(['train', 'diffusion', '--resume', path, '--epochs', '2', '--quiet'], folder);
      failed(
        await resume('a'),
        1,
        new RegExp(`${newest}: .*; an older checkpoint exists: --resume a/${older}`),
      );
      failed(await resume(join('a', newest)), 1, new RegExp(`--resume a/${older}`));
      assert.is((await resume(join('a', older))).code, 0);
      assert.equal(
        checkpoints(join(folder, 'a')).sort(),
        [older, newest],
        'the damaged one was written anew',
      );
      assert.is((await resume('a')).code, 0);
    }));

  test('a time limit ends a run', () =>
    inFolder(async (folder) => {
      const stdout = await ok([...TRAIN, '--epochs', '100000', '--seconds', '0.2'], folder);
      assert.match(stdout, /reached the time limit in epoch \d+ of 100000/);
      assert.match(stdout, /langevin train diffusion --resume/);
      const { seconds } = json(join(folder, 'out', 'diffusion', 'metrics.json'));
      assert.ok(seconds >= 0.2 && seconds < 2, `${seconds} s`);
    }));

  test('sample draws a grid and an animation; one seed is one picture', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--epochs', '20', '--lr', '0.02', '--ema', '0', '--quiet', '--out', 'm'], folder);
      const sample = ['sample', '--steps', '4', '--count', '6', '--threads', '1'];
      const LABELS = 'samples-label-3-1-ddim-steps-4-count-6-seed-0';
      const stdout = await ok([...sample, '--model', 'm', '--label', '3,1', '--gif', '--out', 'p'], folder);
      assert.match(stdout, /sampler +ddim, 4 steps, guidance 2 above sigma\/alpha 1\n/);
      assert.match(stdout, /6 pictures in [\d.]+ s/);
      const picture = readFileSync(join(folder, 'p', `${LABELS}.png`));
      const { width, height } = decodePng(picture);
      assert.ok(width > 2 * 56 && height > 3 * 56 && height < 4 * 56, `${width}x${height}`);
      assert.is(
        readFileSync(join(folder, 'p', `${LABELS}.gif`))
          .subarray(0, 6)
          .toString(),
        'GIF89a',
      );
      const trained = readFileSync(join(folder, 'm', 'samples.png'));
      for (const label of ['3', '1'])
        await ok([...sample, '--model', 'm', '--label', label, '--quiet'], folder);
      assert.ok(readFileSync(join(folder, 'm', 'samples.png')).equals(trained), "training's picture stays");
      assert.equal(
        readdirSync(join(folder, 'm')).filter((file) => file.startsWith('samples-')),
        ['1', '3'].map((label) => `samples-label-${label}-ddim-steps-4-count-6-seed-0.png`),
      );
      const again = async (model: string, ...words: string[]) => {
        rmSync(join(folder, 'q'), { recursive: true, force: true });
        await ok([...sample, '--quiet', '--out', 'q', '--model', model, ...words], folder);
        const [file, ...others] = readdirSync(join(folder, 'q'));
        assert.equal(others, []);
        return readFileSync(join(folder, 'q', file));
      };
      assert.ok(picture.equals(await again(join('m', 'model.safetensors'), '--label', '3,1')));
      assert.not(picture.equals(await again('m', '--label', '3,1', '--seed', '1')));
      assert.not(picture.equals(await again('m', '--label', '1,3')));
      assert.not(picture.equals(await again('m', '--label', '3,1', '--guidance', '0')));
    }));

  test('sample saves its pictures as bytes, and their labels beside them; the sheet shows the first hundred', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--epochs', '20', '--lr', '0.02', '--ema', '0', '--quiet', '--out', 'm'], folder);
      await ok([...TRAIN, '--epochs', '1', '--quiet', '--guidance-dropout', '1', '--out', 'u'], folder);
      const sample = ['sample', '--steps', '2', '--threads', '1', '--seed', 's', '--out', 'p', '--model'];
      const stdout = await ok([...sample, 'm', '--count', '253', '--save', 'n/s.npy', '--quiet'], folder);
      assert.is(stdout, '');
      const model = await loadDiffusion(join(folder, 'm', 'model.safetensors'));
      const labels = labelsInTurn(model, 253);
      const pictures = samplePictures(model, { labels, guidance: 2, steps: 2, seed: 's' });
      const saved = readNpy(join(folder, 'n', 's.npy'));
      assert.equal([saved.descr, saved.shape], ['|u1', [253, 28, 28]]);
      const wrong = [...pictures].filter((x, i) => Math.round(255 * x) !== saved.bytes[i]);
      assert.equal([saved.bytes.length, wrong.length], [pictures.length, 0]);
      const { bytes, ...header } = readNpy(join(folder, 'n', 's.labels.npy'));
      assert.equal(header, { descr: '|u1', shape: [253] });
      assert.equal(bytes, labels);
      const [sheet] = readdirSync(join(folder, 'p'));
      const { width, height } = decodePng(readFileSync(join(folder, 'p', sheet)));
      assert.ok(width < 11 * 60 && height < 11 * 60, `${width}x${height}`);

      const events = await ok([...sample, 'u', '--count', '3', '--save', 'u.npy', '--json'], folder);
      const { files } = JSON.parse(events.trim().split('\n').at(-1)!);
      assert.equal(files.slice(1), ['u.npy']);
      assert.equal(readNpy(join(folder, 'u.npy')).shape, [3, 28, 28]);
      assert.not(existsSync(join(folder, 'u.labels.npy')), 'there are no labels');

      const refused = async (save: string, code: number, message: RegExp) =>
        failed(await langevin([...sample, 'm', '--save', save, '--quiet'], folder), code, message);
      await refused('s.npz', 2, /--save: expected a \.npy file, got "s\.npz"/);
      await refused('m/model.safetensors/s.npy', 1, /cannot write to the folder m\/model\.safetensors/);
      mkdirSync(join(folder, 'd.npy'));
      await refused('d.npy', 1, /cannot write d\.npy: it is a folder, not a file/);
    }));

  test('train lecture writes its page with the figures of the run', () =>
    inFolder(async (folder) => {
      const stdout = await ok([...LECTURE, '--epochs', '2'], folder);
      assert.match(stdout, /^lecture +785-400-400-784 with ReLU, T = 5, 789,184 parameters\n/);
      assert.match(
        stdout,
        /test loss [\d.]+; a network that predicts 0 has 80\.00, any network of this width at least 39\.18\n/,
      );
      const out = join(folder, 'out', 'lecture');
      assert.equal(readdirSync(out).sort(), [
        'checkpoint-00000004.safetensors',
        'index.html',
        'loss.svg',
        'metrics.json',
        'model.safetensors',
        'sampled.png',
        'seen.png',
      ]);
      const { figures, epochs } = json(join(out, 'metrics.json'));
      assert.equal(
        figures.times.map(({ time, variance }: { time: number; variance: number }) => [time, variance]),
        [
          [0.75, 1.25],
          [0.5, 1.25],
          [0.25, 1.25],
          [0, 1.25],
        ],
      );
      assert.ok(
        figures.measured < epochs[0].testLoss && figures.measured > figures.width,
        `${figures.measured}`,
      );
      const parts = figures.times.reduce(
        (sum: number, { measured }: { measured: number }) => sum + measured,
        0,
      );
      assert.ok(Math.abs(parts / figures.measured - 1) < 0.03, `${parts} is not ${figures.measured}`);
      const html = readFileSync(join(out, 'index.html'), 'utf8');
      for (const figure of [figures.zero, figures.width, figures.linear, figures.byHeart, figures.measured]) {
        assert.ok(html.includes(`<td>${figure.toFixed(2)}</td>`), figure.toFixed(2));
      }
      for (const [, file] of html.matchAll(/src="([^"]+)"/g)) assert.ok(existsSync(join(out, file)), file);
    }));

  test('evaluate trains its classifier once, and states the floor of every figure', () =>
    inFolder(async (folder) => {
      process.env.XDG_CACHE_HOME = join(folder, 'cache');
      const train = TRAIN.map((word) => (word === '60' ? '150' : word));
      await ok([...train, '--epochs', '1', '--quiet', '--out', 'm'], folder);
      const evaluate = ['evaluate', '--model', 'm', '--count', '100', '--steps', '4', '--threads', '1'];
      const words = [...evaluate, '--judge', 'mlp'];
      const stdout = await ok(words, folder);
      for (const name of [
        'classifier',
        'by label',
        '  per class',
        'predicted',
        'Fréchet',
        'precision',
        'recall',
        'density',
        'coverage',
        'nearest',
        'bound',
        'plain bound',
        'ODE',
      ]) {
        assert.match(stdout, new RegExp(`^${name} +\\S`, 'm'));
      }
      const figures = readFileSync(join(folder, 'm', 'evaluation.json'), 'utf8');
      const { conditionalAccuracy, found, frechet, classifier, likelihood } = JSON.parse(figures);
      assert.ok(conditionalAccuracy >= 0 && conditionalAccuracy <= 1);
      assert.ok(frechet.samples > frechet.real && classifier.accuracy > 0.5);
      assert.is(
        found.reduce((a: number, b: number) => a + b),
        100,
      );
      assert.ok(likelihood.bound.bitsPerDimension > 0 && likelihood.ode > 0);
      assert.ok(decodePng(readFileSync(join(folder, 'm', 'neighbours.png'))).width > 800);
      const [file] = readdirSync(join(folder, 'cache', 'langevin', 'classifiers'));
      truncateSync(join(folder, 'cache', 'langevin', 'classifiers', file), 100);
      const again = await ok([...words, '--quiet'], folder);
      assert.equal([again, readFileSync(join(folder, 'm', 'evaluation.json'), 'utf8')], ['', figures]);
      failed(
        await langevin(['evaluate', '--count', '99'], folder),
        2,
        /--count: expected a whole number >= 100, got "99"/,
      );
    }));

  test('evaluate uses a trained classifier, and refuses one of other data', () =>
    inFolder(async (folder) => {
      process.env.XDG_CACHE_HOME = join(folder, 'cache');
      const train = TRAIN.map((word) => (word === '60' ? '100' : word));
      await ok([...train, '--epochs', '1', '--quiet', '--out', 'm'], folder);
      const classifier = ['train', 'classifier', '--epochs', '3', '--threads', '1', '--quiet'];
      await ok([...classifier, '--limit', '100', '--out', 'c'], folder);
      const words = ['evaluate', '--model', 'm', '--count', '100', '--steps', '2', '--threads', '1'];
      await ok([...words, '--judge', 'c', '--quiet'], folder);
      const { figures } = json(join(folder, 'c', 'metrics.json'));
      const { classifier: judge, judge: path } = json(join(folder, 'm', 'evaluation.json'));
      assert.equal([judge.accuracy, path], [figures.accuracy, 'c']);
      assert.not(existsSync(join(folder, 'cache')), 'none was trained');
      const refused = async (given: string, code: number, message: RegExp) =>
        failed(await langevin([...words, '--judge', given, '--quiet'], folder), code, message);
      await refused(
        'convv',
        2,
        /--judge: expected conv, mlp, or the file .*, got "convv"\. Did you mean "conv"\?/,
      );
      await refused('m', 1, /expected a model "classifier" or "conv-classifier", got "diffusion-mlp"/);
      tinyData(folder);
      await ok([...classifier, '--data', 'tiny', '--out', 't'], folder);
      await refused(
        't',
        2,
        /--judge: expected a classifier of 28x28 in 10 classes, got one of 8x8 in 10 classes/,
      );
    }));

  test('train classifier writes a model, its confusion matrix, a sheet of its mistakes and a page', () =>
    inFolder(async (folder) => {
      const words = ['train', 'classifier', '--limit', '100', '--epochs', '2', '--threads', '1'];
      const stdout = await ok(words, folder);
      const out = join(folder, 'out', 'classifier');
      const { model, figures, epochs } = json(join(out, 'metrics.json'));
      assert.is(model.kind, 'conv-classifier');
      assert.ok(epochs.every(({ testLoss }: { testLoss: number }) => testLoss > 0));
      const { confusion, mistakes, accuracy } = figures as {
        readonly confusion: readonly number[][];
        readonly mistakes: readonly { readonly given: number; readonly predicted: number }[];
        readonly accuracy: number;
      };
      const right = confusion.reduce((sum, row, label) => sum + row[label], 0);
      assert.equal([right / 100, 100 - right], [accuracy, mistakes.length]);
      for (const [label, row] of confusion.entries()) {
        for (const [predicted, n] of row.entries()) {
          const named = mistakes.filter((m) => m.given === label && m.predicted === predicted);
          if (label !== predicted) assert.is(named.length, n, `${label} as ${predicted}`);
        }
        const line = row.map((n) => ` +${n}`).join('');
        assert.match(stdout, new RegExp(`^ +${label}${line}$`, 'm'));
      }
      assert.match(stdout, new RegExp(`^${(100 * accuracy).toFixed(2)} % of 100 test pictures right, `, 'm'));
      assert.ok(decodePng(readFileSync(join(out, 'mistakes.png'))).width > 800);
      const html = readFileSync(join(out, 'index.html'), 'utf8');
      for (const [label, row] of confusion.entries()) {
        assert.ok(
          html.includes(`<tr>${[label, ...row].map((n) => `<td>${n}</td>`).join('')}`),
          `row ${label}`,
        );
      }
      for (const [, file] of html.matchAll(/src="([^"]+)"/g)) assert.ok(existsSync(join(out, file)), file);
      failed(
        await langevin(['train', 'classifier', '--model', 'cnn'], folder),
        2,
        /--model: expected conv, mlp, got "cnn"/,
      );
    }));

  test('sample trains a classifier once for guidance, and can guide a model without labels', () =>
    inFolder(async (folder) => {
      process.env.XDG_CACHE_HOME = join(folder, 'cache');
      const train = [...TRAIN, '--epochs', '1', '--quiet', '--guidance-dropout', '1', '--out', 'u'];
      await ok(train, folder);
      const sample = ['sample', '--model', 'u', '--steps', '3', '--count', '4', '--threads', '1'];
      const guided = [...sample, '--label', '7', '--classifier-guidance', '3'];
      const stdout = await ok([...guided, '--out', 'a'], folder);
      assert.match(stdout, /sampler +ddim, 3 steps, guidance 1, classifier guidance 3\n/);
      assert.match(
        stdout,
        /accuracy of the guiding classifier on noisy test pictures: [\d.]+ % at t = 0, .* at t = 250, .* at t = 500/,
      );
      await ok([...guided, '--quiet', '--out', 'b'], folder);
      await ok([...sample, '--quiet', '--out', 'c'], folder);
      const [a, b, c] = ['a', 'b', 'c'].map((name) =>
        readFileSync(join(folder, name, readdirSync(join(folder, name))[0])),
      );
      assert.ok(a.equals(b) && !a.equals(c));
      assert.is(readdirSync(join(folder, 'cache', 'langevin', 'classifiers')).length, 1);
      failed(
        await langevin([...guided, '--label', '10', '--quiet'], folder),
        2,
        /--label: expected one value, got several/,
      );
      const wrong = [...sample, '--label', '10', '--classifier-guidance', '3', '--quiet', '--out', 'd'];
      failed(await langevin(wrong, folder), 2, /--label: expected labels from 0 to 9, got 10/);
      failed(
        await langevin([...sample, '--data-dir', 'x', '--quiet'], folder),
        2,
        /--data-dir: expected --classifier-guidance with it, got none/,
      );
      assert.not(existsSync(join(folder, 'd')), 'no folder is left');
    }));

  test('schedules and toys draw what they name', () =>
    inFolder(async (folder) => {
      await ok(['schedules', '--schedule', 'linear,ve,karras', '--zero-snr', '--steps', '50'], folder);
      for (const file of ['alpha-bar.svg', 'snr.svg']) {
        const svg = readFileSync(join(folder, 'out', file), 'utf8');
        for (const name of ['>linear<', '>linear, zero SNR<', '>ve<', '>karras<'])
          assert.ok(svg.includes(name), name);
      }
      const stdout = await ok(['toy', 'eight', '--train-steps', '30', '--steps', '6'], folder);
      assert.match(stdout, /^Eight Gaussians +error of the learned score \d+ %, \d+ %, \d+ %, \d+ %/);
      const html = readFileSync(join(folder, 'out', 'toy', 'index.html'), 'utf8');
      const pictures = [...html.matchAll(/src="([^"]+)"/g)].map(([, file]) => file);
      assert.is(pictures.length, 6);
      for (const file of pictures) assert.ok(existsSync(join(folder, 'out', 'toy', file)), file);
    }));

  test('tour runs the commands in order, and its page has every picture and every command', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      const stdout = await ok(['tour', '--data', 'tiny', '--seconds', '0.1', '--threads', '1'], folder);
      const out = join(folder, 'out', 'tour');
      const html = readFileSync(join(out, 'index.html'), 'utf8');
      const pictures = [...html.matchAll(/src="([^"]+)"/g)].map(([, file]) => file);
      assert.is(pictures.length, 18);
      for (const file of pictures) assert.ok(existsSync(join(out, file)), file);
      const commands = [...html.matchAll(/<pre>\$ (.*)<\/pre>/g)].map(([, line]) => line);
      assert.equal(
        commands.map((line) => line.split(' ').slice(2, 4).join(' ')),
        [
          'sde brownian',
          'sde drift',
          'sde gbm',
          'noise --data',
          'train denoiser',
          'train lecture',
          'train diffusion',
          'schedules --schedule',
          'sample --count',
          'sample --count',
        ],
      );
      for (const line of commands) assert.ok(stdout.includes(line), line);
      const drift = commands.find((line) => line.includes('sde drift'))!;
      const shown = readFileSync(join(out, 'sde', 'drift.svg'), 'utf8');
      await ok(
        drift
          .replace(/^npx langevin /, '')
          .replace('out/tour', 'again')
          .split(' '),
        folder,
      );
      assert.is(readFileSync(join(folder, 'again', 'sde', 'drift.svg'), 'utf8'), shown);
      for (const [, page] of html.matchAll(/href="([^"]+)"/g)) assert.ok(existsSync(join(out, page)), page);
      assert.match(stdout, /the tour took \d+ s: open out\/tour\/index\.html\n$/);
    }));

  // util-linux's script(1) gives the command a terminal.
  test.when(existsSync('/usr/bin/script'), 'on a terminal the tour shows how far its trainings are', () =>
    inFolder(async (folder) => {
      tinyData(folder);
      const words = 'tour --data tiny --seconds 0.5 --threads 1';
      const command = `"${process.execPath}" "${join(process.cwd(), 'dist', 'cli.js')}" ${words}`;
      const shown = execFileSync('/usr/bin/script', ['-qec', command, '/dev/null'], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      assert.match(shown, /epoch 1\/6 +█+ +train \d/, 'of the denoiser');
      assert.match(shown, /epoch +\d+\/60 +█+ +train \d/, 'of the diffusion model');
      assert.not.match(shown, /\nwrote .*model\.safetensors/, 'and nothing else of theirs');
      assert.match(shown, /npx langevin train denoiser --data tiny --limit 10000 --epochs 6/);
    }),
  );

  test('a command line that cannot be understood: exit code 2, one line, the nearest name, nothing written', () =>
    inFolder(async (folder) => {
      const cases: [string[], RegExp][] = [
        [['train', 'difusion'], /Did you mean "train diffusion"\?/],
        [
          [...TRAIN, '--schedule', 'cosin'],
          /--schedule: expected linear, .*, got "cosin"\. Did you mean "cosine"\?/,
        ],
        [[...TRAIN, '--predict', 'x1'], /--predict: expected eps, x0, .*, got "x1"\. Did you mean "x0"\?/],
        [[...TRAIN, '--weight', 'minsnr'], /Did you mean "min-snr"\?/],
        [
          ['train', 'diffusion', '--model', 'mlp-smal'],
          /--model: .* got "mlp-smal"\. Did you mean "mlp-small"\?/,
        ],
        [[...TRAIN, '--steps', '0'], /--steps: expected a whole number >= 2, got "0"/],
        [[...TRAIN, '--steps', '1'], /--steps: expected a whole number >= 2, got "1"/],
        [[...TRAIN, '--steps', 'NaN'], /--steps: expected a whole number >= 2, got "NaN"/],
        [
          [...TRAIN, '--steps', '5', '--schedule', 'linear'],
          /schedule linear, 5 steps: expected betas in \(0, 1\)/,
        ],
        [[...TRAIN, '--ema', '1'], /--ema: expected a number from 0 to below 1, got "1"/],
        [
          [...TRAIN, '--guidance-dropout', '1.1'],
          /--label-dropout: expected a number from 0 to 1, got "1\.1"/,
        ],
        [
          [...TRAIN, '--weight', 'vlb', '--schedule', 'VP'],
          /weight vlb: expected a discrete schedule, got vp/,
        ],
        [[...TRAIN, '--seconds', '0'], /--seconds: expected a number > 0, got "0"/],
        [['train', 'diffusion', '--resume', 'x', '--lr', '1'], /--lr: expected a new run, got --resume x/],
        [['train', 'lecture', '--noise', '1'], /unknown option --noise/],
        [['sample', '--sampler', 'heum'], /--sampler: expected ddpm, ddim, .*Did you mean "heun"\?/],
        [['sample', '--label', 'seven'], /--label: expected whole numbers, such as 3,1,4, got "seven"/],
        [['sample', '--label', '-1'], /--label: expected whole numbers, such as 3,1,4, got "-1"/],
        [['sample', '--json', '--quiet'], /--json: expected no --quiet with it, got both/],
        [['schedules', '--schedule', 'linear,cosin'], /got "cosin"\. Did you mean "cosine"\?/],
        [['schedules', '--steps', '1'], /--steps: expected a whole number >= 2, got "1"/],
        [
          ['schedules', '--schedule', 'linear', '--steps', '5'],
          /--steps: schedule linear, 5 steps: expected betas/,
        ],
        [
          ['toy', 'moon'],
          /^langevin: set: expected moons, swirl, eight, all, got "moon"\. Did you mean "moons"\?/,
        ],
        [
          ['toy', '--steps', '1001'],
          /--steps: expected at most the 1000 steps of the training schedule, got 1001/,
        ],
        [['toy', '--train-steps', '0'], /--train-steps: expected a whole number >= 1, got "0"/],
      ];
      const outcomes = await Promise.all(cases.map(([words]) => langevin(words, folder)));
      for (const [i, [, message]] of cases.entries()) failed(outcomes[i], 2, message);
      assert.equal(readdirSync(folder), []);
    }));

  test('an option that the model does not support, or a wrong file, is refused in one line', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--epochs', '1', '--quiet', '--steps', '30', '--out', 'm'], folder);
      await ok([...TRAIN, '--epochs', '1', '--quiet', '--guidance-dropout', '1', '--out', 'u'], folder);
      const sample = (...words: string[]) => langevin(['sample', '--quiet', '--out', 'p', ...words], folder);
      failed(
        await sample('--model', 'm', '--label', '10'),
        2,
        /--label: expected labels from 0 to 9, got 10/,
      );
      failed(await sample('--model', 'm', '--steps', '31'), 2, /--steps: expected at most the 30 .*, got 31/);
      failed(
        await sample('--model', 'm', '--count', '0'),
        2,
        /--count: expected a whole number >= 1, got "0"/,
      );
      failed(
        await sample('--model', 'm', '--guidance', '-1'),
        2,
        /--guidance: expected a number >= 0, got "-1"/,
      );
      failed(
        await sample('--model', 'u', '--guidance', '2'),
        2,
        /--guidance: .* got an unconditional one with scale 2/,
      );
      failed(
        await sample('--model', 'u', '--label', '2'),
        2,
        /--label: expected a model with labels, got an unconditional one/,
      );
      tinyData(folder);
      failed(
        await langevin(['evaluate', '--model', 'm', '--data', 'tiny', '--quiet'], folder),
        2,
        /--data: expected pictures of 28x28 in 10 classes, got 8x8 in 10 classes/,
      );
      assert.is((await sample('--model', 'u', '--count', '2', '--steps', '3')).code, 0);
      assert.is((await loadDiffusion(join(folder, 'u', 'model.safetensors'))).classes, 0);
      failed(
        await sample('--model', 'none'),
        1,
        /cannot read none: no such file or folder; train a model with "npx langevin train diffusion"/,
      );
      mkdirSync(join(folder, 'd'));
      failed(await sample('--model', 'd'), 1, /cannot read d\/model\.safetensors: no such file/);
      copyFileSync(join(folder, 'm', 'model.safetensors'), join(folder, 'd', 'model.safetensors'));
      truncateSync(join(folder, 'd', 'model.safetensors'), 20_000);
      failed(await sample('--model', 'd'), 1, /model\.safetensors: /);
      writeFileSync(join(folder, 'd', 'model.safetensors'), 'no model');
      failed(await sample('--model', 'd'), 1, /model\.safetensors: /);
      await ok([...LECTURE, '--epochs', '1', '--quiet', '--out', 'l'], folder);
      failed(
        await sample('--model', 'l'),
        1,
        /l\/model\.safetensors: expected a model "diffusion-mlp" or "unet", got "lecture"/,
      );
      const resume = (...words: string[]) =>
        langevin(['train', 'diffusion', '--quiet', '--resume', ...words], folder);
      failed(
        await resume('m/model.safetensors'),
        1,
        /expected a run that can be resumed, got a model without its training state/,
      );
      failed(await resume('p'), 1, /p: expected a checkpoint of langevin train, found none/);
      failed(
        await resume('m', '--limit', '50'),
        1,
        /expected the run's data, 60 pictures of "strokes train", got 50/,
      );
      // If a run fails after a good beginning, the existing files do not change.
      const of = (name: string) => (file: string) => [
        file,
        readFileSync(join(folder, name, file)).toString('base64'),
      ];
      const before = readdirSync(join(folder, 'm')).map(of('m'));
      const wreck = await langevin(
        [...TRAIN, '--lr', '1e9', '--epochs', '40', '--ema', '0', '--quiet', '--out', 'm'],
        folder,
      );
      failed(wreck, 1, /training diverged in epoch \d+/);
      assert.equal(readdirSync(join(folder, 'm')).map(of('m')), before);
      const diverged = await langevin([...TRAIN, '--lr', '1e30', '--quiet', '--out', 'n'], folder);
      failed(
        diverged,
        1,
        /training diverged in epoch 1, batch \d of 3: expected a finite loss, got .*; take a smaller learning rate/,
      );
      assert.not(existsSync(join(folder, 'n')), 'no folder is left');
    }));
});
