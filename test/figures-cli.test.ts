/** Commands print the hashes of the figures that the library computes from the same settings. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { denoisedFigure, pureNoiseFigure } from '../src/models/figures/denoiser.ts';
import { noisingFigure } from '../src/models/figures/noising.ts';
import { numbersHash } from '../src/models/figures/numbers-hash.ts';
import { schedulesFigures } from '../src/models/figures/schedules.ts';
import { loadDenoiser } from '../src/models/networks/registry.ts';
import { loadDiffusion } from '../src/models/pipeline.ts';
import { labelsInTurn, samplePictures } from '../src/models/sample.ts';
import { defaultsOf } from '../src/models/setting.ts';
import { NOISE_TABLE, SCHEDULES_TABLE, SDE_TABLE } from '../src/models/settings.ts';
import { endFigure, pathsFigure, simulate } from '../src/sde/figures.ts';
import { inFolder, langevin, npmRun } from './dist.ts';
import { suite } from './suite.ts';

npmRun('build:node');
// A command always computes on this backend, also if the suite runs on the other.
setBackend('wasm');

/** The hashes in the end event of a command. */
async function numbersOf(words: readonly string[], folder: string): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await langevin([...words, '--json'], folder);
  assert.equal([code, stderr], [0, ''], words.join(' '));
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal([events[0].type, events.at(-1).type], ['start', 'end'], words.join(' '));
  return events.at(-1).numbers;
}

/** The hash of each figure by its file. */
async function hashes(figures: Record<string, object>): Promise<Record<string, string>> {
  const entries = Object.entries(figures).map(async ([name, figure]) => [name, await numbersHash(figure)]);
  return Object.fromEntries(await Promise.all(entries));
}

suite('cli: figures', (test) => {
  test('sde, schedules and noise show the numbers of the library', () =>
    inFolder(async (folder) => {
      const simulation = simulate({
        ...defaultsOf(SDE_TABLE),
        process: 'heston',
        paths: 60,
        steps: 10,
        seed: 's',
      });
      assert.equal(
        await numbersOf(['sde', 'heston', '--paths', '60', '--steps', '10', '--seed', 's'], folder),
        await hashes({
          'heston.svg': pathsFigure(simulation, 0),
          'heston-2.svg': pathsFigure(simulation, 1),
          'heston-end.svg': endFigure(simulation)!,
        }),
      );
      const { alphaBar, snr } = schedulesFigures({ ...defaultsOf(SCHEDULES_TABLE), steps: 50 });
      assert.equal(
        await numbersOf(['schedules', '--steps', '50'], folder),
        await hashes({ 'alpha-bar.svg': alphaBar, 'snr.svg': snr }),
      );
      const { test: digits } = await loadStrokes({ train: 1, test: 1 });
      const figure = noisingFigure(digits, { ...defaultsOf(NOISE_TABLE), pictures: 1, steps: 48 });
      assert.equal(
        await numbersOf(['noise', '--steps', '48'], folder),
        await hashes({ 'noise-all.png': figure, 'noise-all.gif': figure }),
      );
    }));

  test('a toy and measured orders have a hash for each file, the same on one and two threads', () =>
    inFolder(async (folder) => {
      const toy = ['toy', 'eight', '--train-steps', '3', '--steps', '3'];
      const orders = ['sde', 'orders', '--solver', 'milstein', '--paths', '200', '--seed', '3'];
      for (const words of [toy, orders]) {
        const one = await numbersOf([...words, '--threads', '1', '--out', 'one'], folder);
        const files = readdirSync(join(folder, 'one')).filter((file) => file.endsWith('.svg'));
        assert.equal(
          Object.keys(one).sort(),
          files.filter((file) => file in one),
        );
        assert.is(new Set(Object.values(one)).size, 6);
        assert.equal(await numbersOf([...words, '--threads', '2'], folder), one);
      }
    }));

  test('figures of a denoiser and of samples are those of the model in the file', () =>
    inFolder(async (folder) => {
      const few = ['--limit', '40', '--epochs', '1', '--seed', 'p'];
      const numbers = await numbersOf(['train', 'denoiser', ...few], folder);
      const model = await loadDenoiser(join(folder, 'out', 'model.safetensors'));
      const { test: digits } = await loadStrokes({ train: 40, test: 40 });
      const noise = { noise: 0.5, seed: 'p' };
      const { 'loss.svg': loss, ...pictured } = numbers;
      assert.match(loss, /^[0-9a-f]{64}$/);
      assert.equal(
        pictured,
        await hashes({
          'denoised.png': denoisedFigure(model, digits, noise),
          'pure-noise.png': pureNoiseFigure(model, digits, noise, 1),
          'pure-noise-5x.png': pureNoiseFigure(model, digits, noise, 5),
        }),
      );
      const lecture = ['train', 'lecture', ...few];
      const twice = [
        await numbersOf(lecture, folder),
        await numbersOf([...lecture, '--threads', '1'], folder),
      ];
      assert.equal(Object.keys(twice[0]).sort(), ['index.html', 'loss.svg', 'sampled.png', 'seen.png']);
      assert.equal(twice[1], twice[0]);

      const tiny = ['train', 'diffusion', '--model', 'mlp-tiny', '--out', 'm'];
      const trained = await numbersOf([...tiny, ...few], folder);
      assert.equal(Object.keys(trained).sort(), ['loss.svg', 'samples.png']);
      const pipeline = await loadDiffusion(join(folder, 'm', 'model.safetensors'));
      const sampling = { labels: labelsInTurn(pipeline, 3), guidance: 2, steps: 2, seed: 's' };
      const { height, width } = pipeline.network.sizes;
      const samples = await numbersOf(
        ['sample', '--model', 'm', '--count', '3', '--steps', '2', '--seed', 's', '--gif'],
        folder,
      );
      const [png, gif, ...more] = Object.keys(samples);
      assert.equal(more, []);
      assert.match(`${png} ${gif}`, /^samples-\S+\.png samples-\S+\.gif$/);
      const pictures = samplePictures(pipeline, sampling);
      const { labels } = sampling;
      assert.is(samples[png], await numbersHash({ height, width, labels, pictures }));
    }));

  test('--quiet prints nothing, and more pictures than a strip can show are refused before any work', () =>
    inFolder(async (folder) => {
      for (const words of [
        ['sde', 'ou', '--paths', '3', '--steps', '3'],
        ['sde', 'orders', '--solver', 'milstein', '--paths', '200'],
        ['schedules', '--steps', '50'],
        ['noise', '--steps', '48'],
        ['toy', 'eight', '--train-steps', '3', '--steps', '3'],
      ]) {
        const { stdout, stderr } = await langevin([...words, '--quiet', '--out', 'quiet'], folder);
        assert.equal([stdout, stderr], ['', ''], words.join(' '));
      }
      const { code, stderr } = await langevin(['noise', '--pictures', '1000'], folder);
      assert.is(code, 2);
      assert.is(stderr, 'langevin: --pictures: expected a whole number from 1 to 64, got "1000"\n');
      assert.not(existsSync(join(folder, 'out')));
    }));
});
