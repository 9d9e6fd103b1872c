/**
 * Opens the files of earlier versions in test/files. The expected results are in the expected.json of each version. The
 * files are from real runs of a few steps on 40 drawn digits. The networks have hidden layers of 6 to 8 units. The layers
 * of a classifier have a fixed size: so all rows after the first eight are zero, except in the last layer, and the file
 * is gzipped.
 *
 * A new version adds a folder. Existing files are never written again.
 */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { DiffusionPipeline } from '../src/models/pipeline.ts';
import { diffusionTrainer } from '../src/models/training/diffusion.ts';
import { Rng } from '../src/random/rng.ts';
import { lossesOf } from './bits/training.ts';
import { inFolder, langevin, npmRun } from './dist.ts';
import { OPEN, type Opened } from './files/open.ts';
import { suite } from './suite.ts';

const FILES = join('test', 'files');
const json = (...path: string[]) => JSON.parse(readFileSync(join(FILES, ...path), 'utf8'));

npmRun('build:node');

suite('old files', (test) => {
  setBackend('wasm');

  test('each version that the changelog calls released has its files, and no other', () => {
    const released = [...readFileSync('CHANGELOG.md', 'utf8').matchAll(/^## \[(\d\S*)\] - /gm)];
    assert.ok(released.length > 0);
    assert.equal(
      readdirSync(FILES)
        .filter((name) => name.startsWith('v'))
        .sort(),
      released.map(([, version]) => `v${version}`).sort(),
    );
  });

  for (const version of readdirSync(FILES).filter((name) => name.startsWith('v'))) {
    const expected: Record<string, Opened> = json(version, 'expected.json');
    const files = readdirSync(join(FILES, version), { recursive: true }) as string[];

    test(`${version}: every stored model file opens`, () => {
      const models = files.filter((file) => file.includes('.safetensors'));
      assert.equal(Object.keys(expected).sort(), models.sort());
    });

    for (const [file, gives] of Object.entries(expected)) {
      test(`${version}/${file} gives the same parameters and outputs as when it was written`, async () => {
        assert.equal(await OPEN[file](join(FILES, version, file)), gives);
      });
    }

    test(`${version}: metrics.json has all settings of the run: a new training has the same losses`, () => {
      const { model, data, seed, step, epochs, ...run } = json(version, 'diffusion', 'metrics.json');
      const { weight, guidanceDropout, data: _data, ...others } = run.settings;
      const settings = { ...others, lossWeighting: weight, labelDropout: guidanceDropout };
      const { kind, ...sizes } = model;
      const network = new DiffusionMlp({ ...sizes, rng: new Rng(seed).stream('initial values') });
      const { name, ...counts } = data;
      assert.equal([kind, name], [DiffusionMlp.kind, 'strokes']);
      const trainer = diffusionTrainer(new DiffusionPipeline(network, settings), loadStrokes(counts), {
        ...settings,
        seed,
      });
      const told: object[] = [];
      for (const event of trainer.run()) {
        if ('testLoss' in event) told.push(event);
        if (trainer.progress.step === step) break;
      }
      assert.is(epochs.length, 2);
      assert.equal(lossesOf(told), lossesOf(epochs));
      trainer.dispose();
      network.dispose();
    });

    test(`${version}: the command resumes the run, and its model is that of the library`, () =>
      inFolder(async (folder) => {
        cpSync(join(FILES, version, 'diffusion'), join(folder, 'run'), { recursive: true });
        const { code, stderr } = await langevin(['train', 'diffusion', '--resume', 'run', '--quiet'], folder);
        assert.equal([code, stderr], [0, '']);
        const { parameters } = await OPEN['diffusion/model.safetensors'](
          join(folder, 'run', 'model.safetensors'),
        );
        assert.is(parameters, expected['diffusion/checkpoint-00000012.safetensors'].resumedModel);
      }));
  }
});
