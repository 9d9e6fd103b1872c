/**
 * The published models: each file is held against its card, the card's command against the settings in the file, and the
 * first 20 steps of the recipe are trained again. A kernel that changes bits breaks a recipe, and this test says which.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { decodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { tensorsDigest } from '../src/checkpoint/digest.ts';
import { decodeSafetensors } from '../src/checkpoint/safetensors.ts';
import { TRAIN_DIFFUSION } from '../src/cli/commands/train-diffusion.ts';
import { readSettings } from '../src/cli/options/arguments.ts';
import { commandOf, optionsOf, split } from '../src/cli/options/command.ts';
import { loadMnist } from '../src/data/mnist.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { UNet, type UNetSizes } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionOf, type ProcessSettings } from '../src/models/pipeline.ts';
import { DATA_TABLE, DIFFUSION_TABLE, DIFFUSION_UNETS } from '../src/models/settings.ts';
import { spreadTones } from '../src/models/tones.ts';
import { type DiffusionSettings, diffusionTrainer } from '../src/models/training/diffusion.ts';
import { encodeRun } from '../src/models/training/resume.ts';
import { Rng } from '../src/random/rng.ts';
import { inFolder, npmRun, ok, ROOT } from './dist.ts';
import { suite } from './suite.ts';

const FOLDER = join(ROOT, 'src', 'models', 'published');
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.safetensors'))
  .map((file) => basename(file, '.safetensors'));
const MOST_BYTES = 4 * 2 ** 20;
const STEPS = 20;
const { LANGEVIN_MNIST } = process.env;

const bytesOf = (name: string) => new Uint8Array(readFileSync(join(FOLDER, `${name}.safetensors`)));
const cardOf = (name: string) => readFileSync(join(FOLDER, `${name}.md`), 'utf8');
/** The 64 digits in the row of the card. */
const hashIn = (card: string, row: string) =>
  new RegExp(`^\\| ${row} +\\| \`([0-9a-f]{64})\` +\\|$`, 'm').exec(card)?.[1];

/** What the file says that it was trained with. */
function recipeOf(name: string) {
  const { settings, seed, sizes, numerics, backend } = decodeCheckpoint(bytesOf(name), name);
  const { data, sampling: _, ...rest } = settings as Record<string, unknown>;
  return {
    sizes,
    numerics,
    backend,
    data: data as { readonly data: string },
    settings: { ...rest, seed } as unknown as DiffusionSettings & ProcessSettings,
  };
}

/** The settings of the command in the card. */
function commandIn(card: string) {
  const [, line] = /^langevin (train diffusion .*)$/m.exec(card.replaceAll(/ \\\n +/g, ' '))!;
  const request = split([TRAIN_DIFFUSION], line.split(' '));
  const { command, rest } = commandOf([TRAIN_DIFFUSION], request.words)!;
  const options = optionsOf(command, rest, request.tokens);
  return { ...readSettings(DATA_TABLE, options), ...readSettings(DIFFUSION_TABLE, options) };
}

npmRun('build:node');

suite('published models', (test) => {
  test('there are models, each with its card', () => {
    for (const name of ['mnist-unet', 'strokes-unet']) assert.ok(NAMES.includes(name), `${NAMES}`);
    for (const name of NAMES) assert.ok(existsSync(join(FOLDER, `${name}.md`)), name);
  });

  for (const name of NAMES) {
    test(`${name}: the file has halves, at most 4 MiB of them, with the digest that its card states`, async () => {
      const bytes = bytesOf(name);
      assert.ok(bytes.length <= MOST_BYTES, `${bytes.length} bytes`);
      const { tensors, metadata } = decodeSafetensors(bytes);
      assert.equal([...new Set([...tensors.values()].map(({ dtype }) => dtype))], ['F16']);
      const digest = await tensorsDigest(bytes);
      assert.is(metadata.get('digest'), digest);
      assert.is(hashIn(cardOf(name), 'SHA-256 of the tensors'), digest);
      diffusionOf(decodeCheckpoint(bytes)).network.dispose();
    });

    test(`${name}: the card's command has the settings of the file, and counts in epochs`, () => {
      const { sizes, numerics, backend, data, settings } = recipeOf(name);
      const { model, tones, data: set, dataDir: _, limit, seconds, ...given } = commandIn(cardOf(name));
      assert.equal([numerics, backend, data], ['strict', 'wasm', { data: set }]);
      assert.equal([limit, seconds], [undefined, undefined]);
      const {
        tones: table,
        cuts: _cuts,
        kinds: _kinds,
        ...stated
      } = settings as typeof settings & Record<string, unknown>;
      // A file from before `--variance` and `--condition` says nothing of them.
      assert.equal({ variance: 'fixed', condition: 'label', ...stated }, given);
      assert.is(tones, (table as unknown[] | undefined)?.length ? 'spread' : 'linear');
      const named = new UNet({ ...DIFFUSION_UNETS[model as keyof typeof DIFFUSION_UNETS], classes: 10 });
      assert.equal(sizes, named.sizes);
      named.dispose();
    });

    const { data, settings, sizes } = recipeOf(name);
    const isHere = data.data === 'strokes' || LANGEVIN_MNIST !== undefined;
    test.when(
      isHere,
      `${name}: the first ${STEPS} steps of its training have the hash that its card states`,
      async () => {
        setBackend('wasm');
        const set = data.data === 'strokes' ? loadStrokes() : await loadMnist({ dataDir: LANGEVIN_MNIST! });
        assert.equal(settings.tones ?? [], settings.tones ? spreadTones(set.train) : []);
        const rng = new Rng(settings.seed).stream('initial values');
        const network = new UNet({ ...(sizes as unknown as UNetSizes), rng });
        const { cuts: _cuts, kinds: _kinds, ...recipe } = settings;
        const trainer = diffusionTrainer(new DiffusionPipeline(network, recipe), set, recipe);
        for (const _event of trainer.run()) if (trainer.progress.step === STEPS) break;
        assert.is(trainer.progress.step, STEPS);
        const hash = await tensorsDigest(encodeRun(trainer));
        trainer.dispose();
        assert.is(hashIn(cardOf(name), `SHA-256 after ${STEPS} steps`), hash);
      },
    );

    test(`${name}: the built command samples with it at once`, () =>
      inFolder(async (folder) => {
        const stdout = await ok(['sample', '--model', name, '--count', '10', '--threads', '2'], folder);
        assert.match(stdout, new RegExp(`^model +${name}: `));
        assert.match(stdout, /^10 pictures in /m);
        const [picture, ...others] = readdirSync(join(folder, 'out', name));
        assert.match(picture, /^samples-.*\.png$/);
        assert.equal(others, []);
      }));
  }
});
