/**
 * The examples as programs of a user: types from the package, and runs in a folder in which langevin is installed. The
 * oracles are the truth table, exact laws, and the same work in this process.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transformSync } from 'esbuild';
import * as assert from 'uvu/assert';
import { decodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { diffusionOf } from '../src/models/pipeline.ts';
import { samplePictures } from '../src/models/sample.ts';
import { asConsumer, npmRun, ROOT } from './dist.ts';
import { hasChromium, RESOLUTIONS, read, resultOf, typeErrors } from './helpers-package.ts';
import { suite } from './suite.ts';

npmRun('build:node', 'build:browser', 'build:modules', 'build:types');

const EXAMPLES = join(ROOT, 'test', 'examples');
const PROGRAMS = readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts'));
const MODEL = 'mnist-unet-4step.safetensors';

/** What an example prints. @param files are then in its folder */
function printed(name: string, files: readonly string[] = []): Promise<string> {
  return asConsumer(async (folder) => {
    const { code } = transformSync(readFileSync(join(EXAMPLES, `${name}.ts`), 'utf8'), { loader: 'ts' });
    writeFileSync(join(folder, 'program.js'), code);
    const text = execFileSync(process.execPath, ['program.js'], { cwd: folder, encoding: 'utf8' });
    for (const file of files) assert.ok(existsSync(join(folder, file)), file);
    return text;
  });
}

/** The numbers that a text has at the groups of a pattern. */
function numbersIn(text: string, pattern: RegExp): number[] {
  const found = pattern.exec(text);
  assert.ok(found, text);
  return found!.slice(1).map(Number);
}

suite('examples as a user runs them', (test) => {
  for (const resolution of Object.keys(RESOLUTIONS) as (keyof typeof RESOLUTIONS)[]) {
    test(`they have no type errors with the types of the package, under ${resolution}`, () =>
      asConsumer(async (folder) => {
        for (const name of PROGRAMS) copyFileSync(join(EXAMPLES, name), join(folder, name));
        assert.is(typeErrors(folder, resolution, PROGRAMS), '');
        writeFileSync(join(folder, 'wrong.ts'), "import { Linear } from 'langevin';\nnew Linear('1', 2);\n");
        assert.match(typeErrors(folder, resolution, ['wrong.ts']), /TS2345/);
      }));
  }

  test('xor learns the truth table', async () => {
    const lines = (await printed('xor')).trimEnd().split('\n');
    assert.is(lines.length, 4);
    for (const line of lines) {
      const [a, b, p] = numbersIn(line, /^(\d) xor (\d) = (\d\.\d\d)$/);
      assert.ok(Math.abs(p! - (a! ^ b!)) < 0.1, line);
    }
  });

  test('classifier reads most new digits after three epochs', async () => {
    const text = await printed('classifier');
    const [first, last] = [1, 3].map((n) => numbersIn(text, new RegExp(`epoch ${n}: loss (\\S+)`))[0]!);
    assert.ok(last! < first! / 2, text);
    const [right] = numbersIn(text, /(\d+\.\d) % of new digits are right/);
    assert.ok(right! > 90 && right! <= 100, text);
  });

  test('own-network comes back from its file with the same outputs', async () => {
    const text = await printed('own-network', ['residual.safetensors']);
    assert.is(text, 'parameters: scale, a.weight, a.bias, b.weight, b.bias\nlargest difference: 0\n');
  });

  test('own-sde has the mean of the gamma distribution', async () => {
    const [mean, exact] = numbersIn(await printed('own-sde'), /populations: (\S+)\nexact: (\S+)\n/);
    assert.is(exact, 87.5);
    // The standard error is 87.5·√(1/7)/√20000 = 0.23.
    assert.ok(Math.abs(mean! - exact!) < 1, `${mean}`);
  });

  test('own-sampler draws the mixture, and is DDIM without fresh noise', async () => {
    const text = await printed('own-sampler');
    for (const name of ['share 0', 'share 0\\.5', 'DDIM']) {
      const [left, right, mean] = numbersIn(
        text,
        new RegExp(`${name}: (\\S+) near -1, (\\S+) near 2, mean (\\S+)`),
      );
      assert.ok(Math.abs(left! - 0.7) < 0.04 && Math.abs(right! - 0.3) < 0.04, text);
      assert.ok(Math.abs(mean! + 0.1) < 0.1, text);
    }
    const [apart] = numbersIn(text, /share 0 and DDIM differ by (\S+) on average/);
    assert.ok(apart! < 5e-4, text);
  });

  test.when(
    hasChromium,
    'page.html draws the digits that Node samples, in at most thirty lines',
    async () => {
      const html = read('test', 'examples', 'page.html');
      assert.ok(html.trimEnd().split('\n').length <= 30);
      const bytes = readFileSync(join(ROOT, 'dist', 'published', MODEL));
      const { result } = await resultOf({
        files: { '': html, 'browser.js': read('dist', 'browser.js'), [MODEL]: bytes },
        isolated: false,
        result: `document.querySelector('#status').textContent.startsWith('Ten')
        ? [...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 280, 28).data] : undefined`,
      });
      const drawn = result as number[];
      const pictures = samplePictures(diffusionOf(decodeCheckpoint(bytes, MODEL)), {
        labels: Array.from({ length: 10 }, (_, i) => i),
        seed: 1,
      });
      for (const [i, white] of pictures.entries()) {
        const [digit, row, column] = [Math.floor(i / 784), Math.floor((i % 784) / 28), i % 28];
        const grey = drawn[4 * (280 * row + 28 * digit + column)]!;
        assert.ok(Math.abs(grey - 255 * white) < 1.01, `pixel ${i}: ${grey}, ${255 * white}`);
      }
    },
  );

  test.when(hasChromium, 'off-thread trains in a worker, and the page uses the model', async () => {
    const { outputFiles } = await build({
      entryPoints: ['off-thread', 'off-thread-worker'].map((name) => join(EXAMPLES, `${name}.ts`)),
      outdir: 'out',
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2022',
      tsconfigRaw: '{}', // ours leads the package's name to its sources
      logLevel: 'error',
    });
    const [page, worker] = outputFiles.map(({ text }) => text);
    const { result, complaints } = await resultOf({
      files: {
        '': '<!doctype html><p id="status"></p><button id="stop"></button><script type="module" src="off-thread.js"></script>',
        'off-thread.js': page!,
        'off-thread-worker.js': worker!,
      },
      isolated: true,
      result:
        "/^(trained|stopped)/.test(document.querySelector('#status').textContent) ? document.querySelector('#status').textContent : undefined",
    });
    assert.equal(complaints, []);
    const [before, after] = numbersIn(String(result), /^trained: the error fell from (\S+) to (\S+)$/);
    assert.ok(after! < before! / 3, String(result));
  });
});
