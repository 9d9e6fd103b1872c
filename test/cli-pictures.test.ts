/** Own pictures in the command: `langevin data`, and everything that takes `--data`, as a user runs it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeNpy } from '../src/data/npy.ts';
import { decodePng } from '../src/image/png.ts';
import { failed, inFolder, langevin, npmRun, ok } from './dist.ts';
import { disc, hostileFolder, writeClasses } from './helpers-pictures.ts';
import { suite } from './suite.ts';

npmRun('build:node');

const SHORT = ['--threads', '1', '--quiet', '--epochs', '1', '--batch-size', '20'];
const pictureIn = (...path: string[]) => decodePng(readFileSync(join(...path)));
/** Two classes of 20x20 in colour, 120 pictures each. */
const writeColour = (folder: string) =>
  writeClasses(join(folder, 'hues'), ['red', 'blue'], 120, (i, label) => disc(3 * i + label, 20, 20, 3));

suite('cli: own pictures', (test) => {
  test('data shows the classes and sizes, warns of each file that is no picture, and draws a sheet', () =>
    inFolder(async (folder) => {
      hostileFolder(folder);
      const { code, stdout, stderr } = await langevin(['data', 'mixed'], folder);
      assert.is(code, 0, stderr);
      assert.match(stdout, /^data +mixed: 176 training pictures, 20 test pictures, 28x28$/m);
      assert.match(stdout, /^sizes +28x28 \(41\), /m);
      assert.match(stdout, /^note +117 pictures not square/m);
      assert.match(stdout, /^ +0 +59 +7 +cats\n +1 +59 +7 +dogs\n +2 +58 +6 +eels$/m);
      const warnings = stderr.trim().split('\n');
      for (const name of ['cats/0.png', 'dogs/0.png', 'eels/0.png', 'eels/1.png', 'eels/drawing.jpg']) {
        assert.is(warnings.filter((line) => line.includes(`mixed/${name}`)).length, 1, name);
      }
      for (const line of warnings) assert.match(line, /^langevin: left out: /);
      assert.is(pictureIn(folder, 'out', 'data.png').channels, 1);
    }));

  test('data prints one object as JSON, and takes named data sets too', () =>
    inFolder(async (folder) => {
      writeColour(folder);
      const [start] = (await ok(['data', 'hues', '--size', '8', '--json'], folder)).split('\n');
      const { classes, sizes, channels, width, data, size } = JSON.parse(start);
      assert.equal([channels, width, data, size, sizes], [3, 8, 'hues', 8, { '20x20': 240 }]);
      assert.equal(classes[1], { label: 1, name: 'red', train: 108, test: 12 });
      assert.is(pictureIn(folder, 'out', 'data.png').channels, 3);
      assert.match(
        await ok(['data', 'strokes', '--limit', '50'], folder),
        /^data +strokes: 50 training pictures/m,
      );
    }));

  test('options that do not fit the data are errors of one line', () =>
    inFolder(async (folder) => {
      writeClasses(folder, ['odd/a', 'odd/b', 'one'], 12, (i) => disc(i, 15, 15));
      const refused = async (words: string, message: RegExp, code = 2) =>
        failed(await langevin(words.split(' '), folder), code, message);
      await refused(
        'data nope',
        /data: expected strokes, mnist or a folder of PNG or IDX files or an \.npy or \.npz file, got "nope"/,
      );
      await refused('noise --size 32', /--size: expected your own pictures with it, got strokes/);
      await refused('data odd --colour blue', /--colour: expected keep, grey, got "blue"/);
      await refused(
        'data odd --test-share 1',
        /--test-share: expected a number above 0 and below 1, got "1"/,
      );
      const unet = 'train diffusion --data odd --model unet-tiny';
      await refused(unet, /unet: expected a height and width that are multiples of 4, got 15 and 15/, 1);
      await refused(
        `${unet} --size 16 --condition caption`,
        /captions: expected grey pictures of 10 digits/,
        1,
      );
      await refused(
        'train classifier --data one',
        /classifier: expected pictures of two classes or more, got 1/,
        1,
      );
      await refused('evaluate --data odd --samples x.npy', /cannot read x\.npy/, 1);
    }));

  test('a diffusion model of colours trains, resumes, samples, edits, is distilled and evaluated', () =>
    inFolder(async (folder) => {
      writeColour(folder);
      const half = ['--data', 'hues', '--test-share', '0.5'];
      await ok(['train', 'diffusion', '--model', 'unet-tiny', ...half, ...SHORT, '--out', 'm'], folder);
      await ok(['train', 'diffusion', '--resume', 'm', '--epochs', '2', '--quiet', '--threads', '1'], folder);
      assert.is(pictureIn(folder, 'm', 'samples.png').channels, 3);
      const sample = ['sample', '--model', 'm', '--steps', '1', '--threads', '1', '--quiet'];
      await ok([...sample, '--count', '100', '--save', 's.npy', '--gif', '--out', 's'], folder);
      assert.equal(decodeNpy(new Uint8Array(readFileSync(join(folder, 's.npy')))).shape, [100, 20, 20, 3]);
      const [gif, png] = readdirSync(join(folder, 's')).sort();
      assert.is(pictureIn(folder, 's', png).channels, 3);
      assert.match(gif, /\.gif$/);
      // The saved samples are a data set themselves.
      const [, sizes] = (await ok(['data', 's.npy'], folder)).split('\n');
      assert.is(sizes, 'sizes    20x20 (100)');
      await ok([...sample, '--from', 'hues/red/1.png', '--count', '4', '--out', 'e'], folder);
      const paths = ['--paths', '4', '--batch-size', '4', '--epochs', '1', '--teacher-steps', '2'];
      await ok(['distill', '--model', 'm', '--steps', '1', ...paths, '--out', 'd', '--quiet'], folder);
      await ok(['train', 'classifier', ...half, ...SHORT, '--out', 'c'], folder);
      const judged = ['evaluate', '--judge', 'c', '--threads', '1', '--quiet', '--quiz'];
      await ok([...judged, ...half, '--samples', 's.npy', '--out', 'v'], folder);
      // A model's file has the options of its data, so the same split is used.
      await ok([...judged, '--model', 'm', '--steps', '1', '--count', '100', '--out', 'w'], folder);
      assert.is(pictureIn(folder, 'w', 'neighbours.png').channels, 3);
    }));

  test('denoisers, classifiers, the lecture and noise take sides that are odd, and colours', () =>
    inFolder(async (folder) => {
      writeColour(folder);
      writeClasses(folder, ['odd/a', 'odd/b'], 12, (i, label) => disc(i + label, 15, 13));
      for (const data of ['hues', 'odd']) {
        const out = `${data}-results`;
        const rest = ['--data', data, '--limit', '20', ...SHORT, '--out', out];
        for (const model of ['mlp', 'conv']) {
          await ok(['train', 'denoiser', '--model', model, ...rest], folder);
          await ok(['train', 'classifier', '--model', model, ...rest], folder);
        }
        const channels = data === 'hues' ? 3 : 1;
        assert.is(pictureIn(folder, out, 'denoised.png').channels, channels);
        await ok(['train', 'lecture', ...rest], folder);
        await ok(['train', 'diffusion', '--model', 'mlp-tiny', ...rest], folder);
        await ok(['noise', '--data', data, '--quiet', '--out', out], folder);
        assert.is(pictureIn(folder, out, 'noise-all.png').channels, channels);
        assert.ok(existsSync(join(folder, out, 'noise-all.gif')));
      }
    }));

  test('pictures of a single class train a model without labels', () =>
    inFolder(async (folder) => {
      writeClasses(folder, ['one'], 20, (i) => disc(i, 16, 16));
      await ok(
        ['train', 'diffusion', '--data', 'one', '--model', 'unet-tiny', ...SHORT, '--out', 'm'],
        folder,
      );
      const sample = ['sample', '--model', 'm', '--steps', '1', '--count', '4', '--threads', '1'];
      await ok(sample, folder);
      failed(await langevin([...sample, '--label', '0'], folder), 2, /--label: expected a model with labels/);
    }));
});
