/** `langevin sample` from a given picture, run as a person runs it. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodePng, encodePng, type Picture } from '../src/image/png.ts';
import { inFolder, langevin, npmRun, type Outcome } from './dist.ts';
import { suite } from './suite.ts';

const TRAIN =
  'train diffusion --model mlp-tiny --limit 60 --batch-size 20 --threads 1 --epochs 2 --quiet'.split(' ');
const SIDE = 28;

/** A digit of sorts: a grey ramp. */
const DIGIT = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (37 * i) % 256);
/** White in its lower half; greys count as the nearer of black and white. */
const MASK = Uint8Array.from({ length: SIDE * SIDE }, (_, i) =>
  i < 392 ? (i % 2) * 127 : 128 + (i % 2) * 127,
);

const png = (pixels: Uint8Array, more: Partial<Picture> = {}) =>
  encodePng({ width: SIDE, height: SIDE, channels: 1, pixels, ...more });

async function ok(words: readonly string[], folder: string): Promise<string> {
  const { code, stdout, stderr } = await langevin(words, folder);
  assert.equal([code, stderr], [0, ''], words.join(' '));
  return stdout;
}

/** Asserts an error of one line, and the exit code. */
function failed({ code, stdout, stderr }: Outcome, expected: number, message: RegExp): void {
  assert.match(stderr, message);
  assert.is(code, expected, stderr);
  assert.match(stderr, /^langevin: [^\n]+\n$/, 'one line');
  assert.is(stdout, '');
}

/** The pictures of an NPY file of bytes. */
function pictures(path: string): Uint8Array[] {
  const file = readFileSync(path);
  const bytes = file.subarray(10 + file.readUInt16LE(8));
  return Array.from({ length: bytes.length / DIGIT.length }, (_, i) =>
    Uint8Array.from(bytes.subarray(i * DIGIT.length, (i + 1) * DIGIT.length)),
  );
}

npmRun('build:node');

suite('cli: sample from a picture', (test) => {
  for (const process of ['', '--schedule flow --predict flow --tones spread']) {
    test(`strength and masks keep what they should, trained ${process || 'as by default'}`, () =>
      inFolder(async (folder) => {
        await ok([...TRAIN, ...process.split(' ').filter(Boolean), '--out', 'm'], folder);
        writeFileSync(join(folder, 'digit.png'), png(DIGIT));
        writeFileSync(join(folder, 'mask.png'), png(MASK));
        const sample = async (words: string, file: string) => {
          const common = `sample --model m --steps 4 --count 3 --label 7 --seed s --threads 1 --out p --save ${file}`;
          const stdout = await ok([...common.split(' '), ...words.split(' ').filter(Boolean)], folder);
          return { stdout, made: pictures(join(folder, file)) };
        };
        const noise = await sample('', 'n.npy');
        const whole = await sample('--from digit.png --strength 1', 'w.npy');
        assert.equal(whole.made, noise.made, 'strength 1 is noise alone');
        const same = await sample('--from digit.png --strength 0 --gif', '0.npy');
        assert.equal(same.made, [DIGIT, DIGIT, DIGIT]);
        assert.match(same.stdout, /\nfrom +digit\.png, strength 0\n/);
        const half = await sample('--from digit.png', 'h.npy');
        assert.match(half.stdout, /\nfrom +digit\.png, strength 0\.5\n/);
        assert.not.equal(half.made, noise.made);

        const words = '--from digit.png --inpaint mask.png --resamples 3 --gif';
        const painted = await sample(words, 'i.npy');
        assert.match(
          painted.stdout,
          /\nfrom +digit\.png, strength 1, inpainting with mask\.png, 3 resamples\n/,
        );
        for (const made of painted.made) {
          assert.equal(made.slice(0, 392), DIGIT.slice(0, 392), 'what is black in the mask stays');
          assert.not.equal(made.slice(392), DIGIT.slice(392));
        }
        assert.not.equal(painted.made[0], painted.made[1]);
        const name =
          'samples-label-7-ddim-steps-4-from-digit.png-inpaint-mask.png-resamples-3-count-3-seed-s';
        const files = readdirSync(join(folder, 'p'));
        for (const end of ['png', 'gif']) assert.ok(files.includes(`${name}.${end}`), `${files}`);
        assert.is(files.length, 7, 'no two runs write one file');
        const sheet = decodePng(readFileSync(join(folder, 'p', `${name}.png`)));
        assert.ok(
          sheet.height > 3 * 56 && sheet.width < 4 * 56,
          `${sheet.width}x${sheet.height}: a row more`,
        );
      }));
  }

  test('what was made from a picture is in the record of the run', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--out', 'm'], folder);
      writeFileSync(join(folder, 'd.png'), png(DIGIT));
      writeFileSync(join(folder, 'k.png'), png(MASK));
      const run = async (...words: string[]) => {
        const common = ['sample', '--model', 'm', '--steps', '2', '--count', '1', '--out', 'p', '--json'];
        const [start, ...others] = (await ok([...common, ...words], folder)).trim().split('\n');
        return { start: JSON.parse(start!), end: JSON.parse(others.at(-1)!) };
      };
      const { start, end } = await run('--from', 'd.png', '--inpaint', 'k.png');
      const { from, inpaint, strength, resamples } = start;
      assert.equal(
        { from, inpaint, strength, resamples },
        { from: 'd.png', inpaint: 'k.png', strength: 1, resamples: 10 },
      );
      const plain = await run();
      assert.not(
        Object.keys(plain.start).some((key) => ['from', 'strength', 'inpaint', 'resamples'].includes(key)),
      );
      assert.not.equal(Object.values(plain.end.numbers), Object.values(end.numbers));
    }));

  test('a picture or a mask that does not fit, and options without the ones they belong to: one line, nothing written', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--out', 'm'], folder);
      const write = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes);
      write('d.png', png(DIGIT));
      write('k.png', png(MASK));
      write('black.png', png(DIGIT.map(() => 127)));
      write('small.png', png(new Uint8Array(14 * 28), { height: 14 }));
      write('colour.png', png(new Uint8Array(3 * 784), { channels: 3 }));
      write('text.png', new TextEncoder().encode('no picture'));
      write('cut.png', png(DIGIT).slice(0, 100));
      const cases: [string, number, RegExp][] = [
        ['--inpaint k.png', 2, /--inpaint: expected --from with it, got none/],
        ['--strength 0.5', 2, /--strength: expected --from with it, got none/],
        ['--resamples 3', 2, /--resamples: expected --inpaint with it, got none/],
        ['--from d.png --resamples 3', 2, /--resamples: expected --inpaint with it, got none/],
        ['--from d.png --strength 1.5', 2, /--strength: expected a number from 0 to 1, got "1\.5"/],
        ['--from d.png --strength -1', 2, /--strength: expected a number from 0 to 1, got "-1"/],
        [
          '--from d.png --inpaint k.png --resamples 0',
          2,
          /--resamples: expected a whole number >= 1, got "0"/,
        ],
        ['--from small.png', 2, /--from: expected a picture of 28x28, got 14x28/],
        ['--from colour.png', 2, /--from: expected a picture of 28x28, got 28x28x3/],
        ['--from d.png --inpaint small.png', 2, /--inpaint: expected a picture of 28x28, got 14x28/],
        ['--from d.png --inpaint colour.png', 2, /--inpaint: expected a picture of 28x28, got 28x28x3/],
        ['--from d.png --inpaint black.png', 2, /--inpaint: expected white pixels in the mask, got none/],
        ['--from text.png', 1, /text\.png: expected a PNG signature, got other bytes/],
        ['--from cut.png', 1, /cut\.png: expected a whole PNG, got a truncated one/],
        ['--from d.png --inpaint none.png', 1, /cannot read none\.png: no such file or folder/],
        ['--from d.png --inpaint k.png --prepare mnist', 2, /prepare mnist: expected no mask, got one/],
      ];
      for (const [words, code, message] of cases) {
        const common = ['sample', '--model', 'm', '--steps', '2', '--quiet', '--out', 'p'];
        failed(await langevin([...common, ...words.split(' ')], folder), code, message);
      }
      assert.not(existsSync(join(folder, 'p')));
    }));
});
