/** The table of settings: the defaults of the library, how texts are read, and the command line that it gives back. */
import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { readSettings, UsageError } from '../src/cli/options/arguments.ts';
import { type Command, commandOf, optionsOf, split, tableOf } from '../src/cli/options/command.ts';
import { commandHelp, wrap } from '../src/cli/options/help.ts';
import { programName } from '../src/cli/options/program.ts';
import { counted } from '../src/cli/report/counted.ts';
import { timeLeft } from '../src/cli/report/text-reporter.ts';
import { sampleFileName } from '../src/cli/results/sample-files.ts';
import { ValueError } from '../src/errors.ts';
import { pictureGridFromBatch } from '../src/image/grid.ts';
import { commandLine, commandWords, quoted } from '../src/models/command-line.ts';
import { firstSamples, sampleColumns, sampleGrid } from '../src/models/sample-grid.ts';
import { readSetting, type Setting } from '../src/models/setting.ts';
import { RECIPES, type RecipeName, SAMPLING_TABLE, SCHEDULES_TABLE } from '../src/models/settings.ts';
import { DENOISER_SETTINGS } from '../src/models/training/denoiser.ts';
import { DIFFUSION_SETTINGS } from '../src/models/training/diffusion.ts';
import { LECTURE_SETTINGS } from '../src/models/training/lecture.ts';
import { TOY_SETTINGS } from '../src/models/training/toy.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const COMMANDS: Command[] = Object.entries(RECIPES).map(([name, groups]) => ({
  name,
  groups,
  summary: 'What it does',
  examples: [name],
  run: async () => 0,
}));

/** The settings that a command line gives. */
function parsed(words: readonly string[]) {
  const request = split(COMMANDS, words);
  const { command, rest } = commandOf(COMMANDS, request.words)!;
  return readSettings(tableOf(command), optionsOf(command, rest, request.tokens));
}

const NUMBERS = [1e-7, 0.25, 1, 2, 3, 128, 1e21, -2, 0];
const WORDS = ['a b', '-x', "it's", '$HOME `a`', '"', '--json', 'ä\\', '!x', 'x=1,2', '  ', 'out/x'];

/** Values that the setting takes. */
function valuesFor({ is }: Setting): fc.Arbitrary<unknown> {
  switch (is.kind) {
    case 'flag':
      return fc.boolean();
    case 'number':
      return fc.constantFrom(...NUMBERS.filter((x) => is.range.holds(x)));
    case 'choice':
      return fc.constantFrom(...is.names);
    case 'choices':
      return fc.subarray([...is.names], { minLength: 1 });
    case 'counts':
      return fc.array(fc.nat(20), { minLength: 1, maxLength: 4 });
    case 'assignments':
      return fc.constantFrom({ mu: -1 }, { x0: 0.5, sigma: 1e-9 });
    default:
      return fc.constantFrom(...WORDS);
  }
}

suite('settings', (test) => {
  for (const name of Object.keys(RECIPES) as RecipeName[]) {
    test(`${name}: the words for any settings give these settings back`, () => {
      const table = tableOf(COMMANDS.find((command) => command.name === name)!);
      const fields = Object.entries(table).map(([key, setting]) => [key, valuesFor(setting)]);
      const settings = fc.record(Object.fromEntries(fields), { requiredKeys: [] });
      fc.assert(
        fc.property(settings, (given) => {
          const words = commandWords(name, given);
          const back: Record<string, unknown> = parsed(words);
          for (const [key, value] of Object.entries(given)) {
            // A record is read into one without a prototype.
            const plain = (x: unknown) => JSON.parse(JSON.stringify(x));
            assert.equal(plain(back[key]), plain(value), `${key}: ${words}`);
          }
          assert.equal(commandWords(name, back), words, 'and the same words again');
        }),
        { numRuns: 200, seed: 1 },
      );
    });
  }

  test('only what differs from the defaults is on the line', () => {
    assert.is(commandLine('train denoiser', {}), 'langevin train denoiser');
    assert.is(commandLine('train denoiser', { epochs: 15, data: 'strokes' }), 'langevin train denoiser');
    assert.is(
      commandLine('train denoiser', { epochs: 15, data: 'mnist' }),
      'langevin train denoiser --data mnist --epochs 15',
    );
    assert.is(
      commandLine('sde', { drift: '-x', diffusion: 'a b', set: { x0: 3 }, twin: true }, 'npx langevin'),
      'npx langevin sde --drift=-x --diffusion "a b" --set x0=3 --twin',
    );
    assert.is(
      commandLine('toy', { set: 'moons', sampler: 'ddim', seed: "it's $5" }),
      "langevin toy moons --seed 'it'\\''s $5'",
    );
  });

  test.when(process.platform !== 'win32', 'a shell takes quoted words as they are', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...WORDS), fc.string())), (all) => {
        const words = all.filter((word) => !word.includes('\0'));
        const script = `printf '%s\\0' ${['begin', ...words].map(quoted).join(' ')}`;
        const said = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
        assert.equal(said.split('\0').slice(1, -1), words);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  test('the defaults of the library are those of the table', () => {
    assert.equal(DENOISER_SETTINGS, { epochs: 10, batchSize: 64, lr: 0.001, noise: 0.5, seed: '0' });
    const { schedule: times, carry, ...lecture } = LECTURE_SETTINGS;
    assert.equal(lecture, { epochs: 10, batchSize: 64, lr: 0.001, seed: '0' });
    assert.equal([times, carry], [[0, 0.25, 0.5, 0.75, 1], false]);
    assert.equal(TOY_SETTINGS, { steps: 3000, batchSize: 128, lr: 0.006, seed: '0' });
    const { steps, schedule, predicts, labelDropout, ...rest } = DIFFUSION_SETTINGS;
    assert.equal([steps, schedule, predicts, labelDropout], [1000, 'cosine', 'x0', 0.1]);
    const others = 'batchSize beta2 clip cuts ema epochs finalLr kinds lossWeighting lr seed times tones';
    assert.equal(Object.keys(rest).sort(), others.split(' '));
  });

  test('the U-Nets of train diffusion have defaults of their own', () => {
    const { command } = commandOf(COMMANDS, ['train', 'diffusion'])!;
    const table = tableOf(command);
    for (const model of ['unet', 'unet-small', 'unet-tiny']) {
      const { schedule, predicts, times, beta2, clip, finalLr, tones } = readSettings(table, { model });
      assert.equal([schedule, predicts, times, beta2, clip], ['flow', 'flow', 'logit-normal', 0.99, 1]);
      assert.equal([finalLr, tones], [0, 'spread']);
    }
    const { schedule, times, beta2, clip, finalLr, tones } = readSettings(table, { model: 'mlp-tiny' });
    assert.equal([schedule, times, beta2, clip], ['cosine', 'uniform', 0.999, 0]);
    assert.equal([finalLr, tones], [0.02, 'linear']);
  });

  test('names match in any case, and a wrong one is refused with the nearest', () => {
    assert.is(readSetting(SAMPLING_TABLE.sampler, 'DPM-Solver-2M'), 'dpm-solver-2m');
    assert.equal(readSetting(SCHEDULES_TABLE.schedule, 'Linear, VE'), ['linear', 've']);
    refused(
      () => readSetting(SAMPLING_TABLE.sampler, 'HEUM'),
      ValueError,
      /^--sampler: expected ddpm, .*, got "HEUM"\. Did you mean "heun"\?$/,
    );
    refused(
      () => readSetting(SAMPLING_TABLE.steps, ''),
      ValueError,
      /--steps: expected a value, got an empty/,
    );
  });

  test('old names of options are taken, and both at once are one option given twice', () => {
    const words = ['train', 'diffusion', '--weight', 'p2', '--guidance-dropout', '0.5'];
    const { lossWeighting, labelDropout } = parsed(words) as Record<string, unknown>;
    assert.equal([lossWeighting, labelDropout], ['p2', 0.5]);
    refused(
      () => parsed([...words, '--loss-weighting', 'p2']),
      UsageError,
      /--loss-weighting: expected one value, got several/,
    );
    const help = commandHelp(COMMANDS.find(({ name }) => name === 'train diffusion')!, 100);
    assert.match(help, /--loss-weighting <name> .*also --weight\)/s);
    assert.match(help, /--label-dropout <x> .*also --guidance-dropout\)/s);
  });

  test('help names every option with its default, and no line is wider than the terminal', () => {
    for (const command of COMMANDS) {
      for (const width of [50, 80, 100]) {
        const help = commandHelp(command, width);
        for (const { flag, argument } of Object.values(tableOf(command))) {
          assert.ok(help.includes(argument ? `<${flag}>` : `--${flag}`), flag);
        }
        for (const line of help.split('\n')) assert.ok(line.length <= width, line);
      }
    }
    assert.equal(wrap('one two three', 7), ['one two', 'three']);
  });

  test('the program is called as it was called, and what is counted has its number', () => {
    assert.is(programName('/usr/bin/langevin', {}), 'langevin');
    assert.is(programName('/x/node_modules/.bin/langevin', { npm_command: 'exec' }), 'npx langevin');
    assert.is(programName('/x/dist/cli.js', {}), 'npx langevin');
    assert.equal(
      [counted(0, 'path'), counted(1, 'path'), counted(2000, 'path')],
      ['0 paths', '1 path', '2,000 paths'],
    );
  });

  test('samples of other settings have another file, and none is that of training', () => {
    const names = [
      {},
      { label: [7] },
      { label: [3, 1] },
      { label: [31] },
      { label: [7], seed: '1' },
      { seed: 'a b' },
      { seed: 'a_b' },
      { sampler: 'ddpm' },
      { steps: 51 },
      { guidance: 3 },
      { count: 4 },
      { from: 'a/b.png' },
      { from: 'a_b.png' },
      { from: 'b.png', strength: 0.3 },
      { from: 'b.png', inpaint: 'm.png' },
      { from: 'b.png', inpaint: 'm.png', resamples: 3 },
      ...['x', 'y'].map((end) => ({
        from: 'f'.repeat(300),
        inpaint: 'm'.repeat(300),
        label: Array(99).fill(1),
        seed: 's'.repeat(99) + end,
      })),
    ].map(sampleFileName);
    for (const name of names) assert.ok(name.length < 220, name);
    assert.is(new Set([...names, 'samples']).size, names.length + 1);
    assert.is(names[0], 'samples-ddim-seed-0');
    assert.is(names[1], 'samples-label-7-ddim-seed-0');
    for (const name of names) assert.match(name, /^[\w.-]+$/);
  });

  test('a grid of samples says its labels: over columns, beside rows, or above all', () => {
    const grid = (labels: (number | null)[], columns?: number) =>
      sampleGrid({ pictures: new Float64Array(4 * labels.length), height: 2, width: 2, labels }, columns);
    const drawn = (count: number, columns: number, more: object) =>
      pictureGridFromBatch(new Float64Array(4 * count), { height: 2, width: 2, columns, scale: 28, ...more });
    assert.equal(grid([3, 1, 3, 1]), drawn(4, 2, { columnLabels: ['3', '1'] }));
    assert.equal(grid([3, 3, 1], 2), drawn(3, 2, { rowLabels: ['3', '1'] }));
    assert.equal(grid([7, 7, 7, 7]), drawn(4, 2, { title: 'label 7' }));
    assert.equal(grid([1, 2, 3, 4], 2), drawn(4, 2, { title: 'labels, row by row: 1 2 3 4' }));
    assert.equal(grid([null, null]), drawn(2, 2, {}));
    const many = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9];
    const captions = [many.slice(0, 7).map(String), many.slice(7).map(String)];
    assert.equal(grid(many, 7), drawn(13, 7, { captions }));
    const turn = (n: number, k: number) => Array.from({ length: n }, (_, i) => i % k);
    assert.equal(
      [sampleColumns(turn(100, 10)), sampleColumns(turn(100, 2)), sampleColumns(turn(6, 10))],
      [10, 10, 6],
    );
  });

  test('a sheet shows the first hundred of thousands', () => {
    const labels = Array.from({ length: 4000 }, (_, i) => i % 10);
    const pictures = Float64Array.from({ length: 4 * 4000 }, (_, i) => Math.floor(i / 4) / 4000);
    const first = firstSamples({ height: 2, width: 2, labels, pictures });
    assert.equal(first, {
      height: 2,
      width: 2,
      labels: labels.slice(0, 100),
      pictures: pictures.slice(0, 400),
    });
    assert.is(firstSamples(first), first);
    assert.ok(sampleGrid(first).height < 700);
  });

  test('the time left is in minutes and seconds', () => {
    assert.equal([0.2, 59.1, 61, 600].map(timeLeft), [
      '1 s left',
      '1 min 0 s left',
      '1 min 1 s left',
      '10 min 0 s left',
    ]);
  });
});
