/**
 * The published models: each file is held against its card, the card's command against the settings in the file, and the
 * first steps of the recipe are trained again. A kernel that changes bits breaks a recipe, and this test says which. A
 * training is held for 20 steps. A distillation is held for 2 steps, because its teacher draws 128 paths for each of them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { decodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { tensorsDigest } from '../src/checkpoint/digest.ts';
import { decodeSafetensors } from '../src/checkpoint/safetensors.ts';
import { DISTILL } from '../src/cli/commands/distill.ts';
import { TRAIN_DIFFUSION } from '../src/cli/commands/train-diffusion.ts';
import { readSettings } from '../src/cli/options/arguments.ts';
import { commandOf, optionsOf, split } from '../src/cli/options/command.ts';
import { loadMnist } from '../src/data/mnist.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { TEXT_SIZES, UNet, type UNetSizes } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionOf, type ProcessSettings } from '../src/models/pipeline.ts';
import { DATA_TABLE, DIFFUSION_TABLE, DIFFUSION_UNETS, DISTILL_TABLE } from '../src/models/settings.ts';
import { spreadTones } from '../src/models/tones.ts';
import { type DiffusionSettings, diffusionTrainer } from '../src/models/training/diffusion.ts';
import { DISTILL_SETTINGS, distillTrainer, teacherSampling } from '../src/models/training/distill.ts';
import type { Trainer } from '../src/models/training/loop.ts';
import { encodeRun, filledSettings } from '../src/models/training/resume.ts';
import { Rng } from '../src/random/rng.ts';
import { inFolder, npmRun, ok, ROOT } from './dist.ts';
import { suite } from './suite.ts';

const FOLDER = join(ROOT, 'src', 'models', 'published');
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.safetensors'))
  .map((file) => basename(file, '.safetensors'));
const MOST_BYTES = 4 * 2 ** 20;
const { LANGEVIN_MNIST } = process.env;

const bytesOf = (name: string) => new Uint8Array(readFileSync(join(FOLDER, `${name}.safetensors`)));
const cardOf = (name: string) => readFileSync(join(FOLDER, `${name}.md`), 'utf8');
/** The 64 digits in the row of the card. */
const hashIn = (card: string, row: string) =>
  new RegExp(`^\\| ${row} +\\| \`([0-9a-f]{64})\` +\\|$`, 'm').exec(card)?.[1];

/** The steps of training that the card has a hash of. */
const stepsOf = (isStudent: boolean) => (isStudent ? 2 : 20);

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

/** The options of the command in the card that trains. */
function commandIn(card: string) {
  const [, line] = /^langevin ((?:train diffusion|distill) .*)$/m.exec(card.replaceAll(/ \\\n +/g, ' '))!;
  const commands = [TRAIN_DIFFUSION, DISTILL];
  const request = split(commands, line.split(' '));
  const { command, rest } = commandOf(commands, request.words)!;
  return optionsOf(command, rest, request.tokens);
}

/** The settings of the training in the card. */
function trainingIn(card: string) {
  const options = commandIn(card);
  const { size: _s, colour: _c, testShare: _t, ...data } = readSettings(DATA_TABLE, options);
  return { ...data, ...readSettings(DIFFUSION_TABLE, options) };
}

/** The teacher of a student, twice, and the settings of the distillation in the student's card. */
function distillationIn(card: string) {
  const { model, ...settings } = readSettings(DISTILL_TABLE, commandIn(card));
  const [teacher, student] = [0, 1].map(() => diffusionOf(decodeCheckpoint(bytesOf(model), model)));
  return { model, teacher, student, settings: { ...settings, ...teacherSampling(teacher, settings) } };
}

/** The training in the card, with the settings in the file. */
async function trainerOf(name: string): Promise<Trainer> {
  const { data, settings, sizes } = recipeOf(name);
  if (settings.student) {
    const { model, teacher, student } = distillationIn(cardOf(name));
    const { teacher: note } = settings as unknown as { readonly teacher: { readonly model: string } };
    assert.is(note.model, model);
    const own = filledSettings(decodeCheckpoint(bytesOf(name), name), DISTILL_SETTINGS);
    return distillTrainer(teacher, student, own, { teacher: note, data });
  }
  const set = data.data === 'strokes' ? loadStrokes() : await loadMnist({ dataDir: LANGEVIN_MNIST! });
  assert.equal(settings.tones ?? [], settings.tones ? spreadTones(set.train) : []);
  const rng = new Rng(settings.seed).stream('initial values');
  const network = new UNet({ ...(sizes as unknown as UNetSizes), rng });
  const { cuts: _cuts, kinds: _kinds, ...recipe } = settings;
  return diffusionTrainer(new DiffusionPipeline(network, recipe), set, recipe);
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

    const { data, settings, sizes, numerics, backend } = recipeOf(name);
    const isStudent = (settings.student ?? 0) > 0;
    test(`${name}: the card's command has the settings of the file, and counts in epochs`, () => {
      assert.equal([numerics, backend], ['strict', 'wasm']);
      if (isStudent) {
        const { settings: given, teacher, student } = distillationIn(cardOf(name));
        const { seconds, ...stated } = given;
        assert.is(seconds, undefined);
        for (const [key, value] of Object.entries(stated))
          assert.equal(settings[key as keyof typeof settings], value, key);
        assert.equal(sizes, teacher.network.sizes);
        for (const { network } of [teacher, student]) network.dispose();
        return;
      }
      const { model, tones, data: set, dataDir: _, limit, seconds, ...given } = trainingIn(cardOf(name));
      assert.equal(data, { data: set });
      assert.equal([limit, seconds], [undefined, undefined]);
      const {
        tones: table,
        cuts: _cuts,
        kinds: _kinds,
        ...stated
      } = settings as typeof settings & Record<string, unknown>;
      // The sizes of a network say its condition. A file says nothing of a fixed variance.
      const condition = (sizes as Partial<UNetSizes>).words ? 'caption' : 'label';
      assert.equal({ variance: 'fixed', condition, ...stated }, given);
      assert.is(tones, (table as unknown[] | undefined)?.length ? 'spread' : 'linear');
      const classes = given.condition === 'label' ? 10 : 0;
      const text = given.condition === 'caption' ? TEXT_SIZES : {};
      const named = new UNet({ ...DIFFUSION_UNETS[model as keyof typeof DIFFUSION_UNETS], classes, ...text });
      assert.equal({ ...named.sizes, ...sizes }, named.sizes);
      named.dispose();
    });

    // A student learns from its teacher's samples, and needs no pictures.
    const isHere = isStudent || data.data === 'strokes' || LANGEVIN_MNIST !== undefined;
    const steps = stepsOf(isStudent);
    test.when(
      isHere,
      `${name}: the first ${steps} steps of its training have the hash that its card states`,
      async () => {
        setBackend('wasm');
        const trainer = await trainerOf(name);
        for (const _event of trainer.run()) if (trainer.progress.step === steps) break;
        assert.is(trainer.progress.step, steps);
        const hash = await tensorsDigest(encodeRun(trainer));
        trainer.dispose();
        assert.is(hashIn(cardOf(name), `SHA-256 after ${steps} steps`), hash);
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
