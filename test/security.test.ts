/** SECURITY.md states the limits of the decoders. The numbers there are those of the code. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { MOST_METADATA, MOST_TEXT } from '../src/checkpoint/checkpoint.ts';
import { LARGEST_HEADER } from '../src/checkpoint/safetensors-header.ts';
import { MOST_BYTES } from '../src/data/bytes.ts';
import { LONGEST_HEADER, MOST_AXES } from '../src/data/npy.ts';
import { MOST_PIXELS } from '../src/image/png.ts';
import { MOST_WORDS } from '../src/models/captions/words.ts';
import * as sizes from '../src/models/networks/limits.ts';
import { LONGEST } from '../src/sde/expression.ts';
import { suite } from './suite.ts';

/** By the first words of a row in the table: its numbers, in their order. */
const LIMITS: Readonly<Record<string, readonly number[]>> = {
  safetensors: [LARGEST_HEADER],
  'metadata of a model': [
    ...[MOST_METADATA, MOST_TEXT, sizes.MOST_WIDTH, sizes.MOST_DEPTH, sizes.MOST_STEPS],
    ...[sizes.MOST_SIDE, sizes.MOST_SIDE, sizes.MOST_CHANNELS, sizes.MOST_CLASSES],
  ],
  'gzip and downloads': [MOST_BYTES],
  NPY: [LONGEST_HEADER, MOST_AXES],
  PNG: [MOST_PIXELS],
  'formulas of an SDE': [LONGEST],
  captions: [MOST_WORDS],
};

suite('security', (test) => {
  const rows = readFileSync('SECURITY.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '));
  for (const [name, numbers] of Object.entries(LIMITS)) {
    test(`the limits of ${name} in SECURITY.md are those of the code`, () => {
      const row = rows.find((line) => line.startsWith(`| ${name}`)) ?? '';
      const [, , , limits = ''] = row.split('|');
      const stated = (limits.match(/\d[\d,]*\d|\d/g) ?? []).map((text) => Number(text.replaceAll(',', '')));
      assert.equal(stated, numbers);
    });
  }
});
