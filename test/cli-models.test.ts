/**
 * `langevin models`, and the cards that it prints. Each card's numbers are held against the model's file, so a card
 * cannot say something else than the file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { FormatError } from '../src/errors.ts';
import { type ModelCard, readCard } from '../src/models/card.ts';
import { readOwnSampling } from '../src/models/sampling-defaults.ts';
import { inFolder, npmRun, ok, ROOT } from './dist.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const FOLDER = join(ROOT, 'src', 'models', 'published');
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.safetensors'))
  .map((file) => basename(file, '.safetensors'));
const cardOf = (name: string) => readCard(readFileSync(join(FOLDER, `${name}.md`), 'utf8'), name);
const inWords = (count: number) => count.toLocaleString('en');

const CARD = `# tiny

A model of
\`dots\`.

|      |                |
| ---- | -------------- |
| data | \`dots\`, a\\|b |

## Figures

As measured.

| figure | samples | real |
| ------ | ------- | ---- |
| right  | 1 %     |      |

| another | table |
| ------- | ----- |
| more    | 2     |

## What is wrong with it

Everything.
`;

npmRun('build:node');

suite('cli: models', (test) => {
  test('a card is read: its name, its paragraph, its rows and its first figures', () => {
    const read: ModelCard = {
      name: 'tiny',
      summary: 'A model of dots.',
      rows: { data: 'dots, a|b' },
      figures: [
        ['figure', 'samples', 'real'],
        ['right', '1 %', ''],
      ],
    };
    assert.equal(readCard(CARD, 'tiny.md'), read);
    assert.equal(readCard(CARD.replaceAll('\n', '\r\n'), 'tiny.md'), read);
  });

  test('a card without one of its parts is refused, and the error names the part', () => {
    const without = (part: string | RegExp, message: string) =>
      refused(() => readCard(CARD.replace(part, ''), 'tiny.md'), FormatError, message);
    without('# tiny', 'tiny.md: expected a title and a paragraph, got neither');
    without(/^\| data.*$/m, 'tiny.md: expected a table of rows and values below the title, got none');
    without('## Figures', 'tiny.md: expected a table in the section Figures, got none');
    without(' 1 %     |', 'tiny.md: expected a table in the section Figures, got none');
  });

  for (const name of NAMES) {
    test(`${name}: the card has the parameters, the bytes and the sampling of the file`, () => {
      const { name: stated, rows, figures } = cardOf(name);
      const bytes = new Uint8Array(readFileSync(join(FOLDER, `${name}.safetensors`)));
      const { parameters, settings } = decodeCheckpoint(bytes, name);
      const count = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
      assert.is(stated, name);
      assert.match(rows.network, `${inWords(count)} parameters`);
      assert.match(rows.network, `${inWords(bytes.length)} bytes`);
      const { student } = (settings ?? {}) as { student?: number };
      const { sampler, steps = student, guidance } = readOwnSampling(settings ?? {}, name);
      if (sampler !== undefined) assert.match(rows.sampling, sampler);
      if (steps) assert.match(rows.sampling, new RegExp(`\\b${steps} steps?\\b`));
      if (guidance !== undefined) assert.match(rows.sampling, `guidance ${guidance}`);
      assert.ok(rows.data.length > 0 && figures.length > 1);
    });
  }

  test('the command prints each card with its first figures, and all of it as JSON', () =>
    inFolder(async (folder) => {
      const [text, json] = [await ok(['models'], folder), await ok(['models', '--json'], folder)];
      const objects = json
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.equal(objects, NAMES.map(cardOf));
      for (const { name, rows, figures } of NAMES.map(cardOf)) {
        assert.match(text, new RegExp(`^${name}$`, 'm'));
        assert.match(text.replace(/\s+/g, ' '), rows.network);
        const [figure, value] = figures[1];
        assert.match(text, new RegExp(`^ {2}${figure} +${value.replaceAll('.', '\\.')}`, 'm'));
      }
      for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
    }));
});
