/** Captions at the command line: a model draws captions, and refuses what it cannot draw. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { setBackend } from '../src/backend/backend.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { decodeNpy } from '../src/data/npy.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { runToEnd } from '../src/generators.ts';
import { digitCaptions } from '../src/models/captions/by-row.ts';
import { matchGreys } from '../src/models/match-greys.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import type { DiffusionNetwork } from '../src/models/networks/diffusion-network.ts';
import { TEXT_SIZES, UNet } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionInfo, diffusionOf } from '../src/models/pipeline.ts';
import type { SampleOptions } from '../src/models/sample.ts';
import { DIFFUSION_UNETS } from '../src/models/settings.ts';
import { Rng } from '../src/random/rng.ts';
import { langevin, npmRun } from './dist.ts';
import { suite } from './suite.ts';

npmRun('build:node');
// The command computes on this backend, whichever the suite runs on.
setBackend('wasm');
const folder = mkdtempSync(join(tmpdir(), 'langevin-captions-'));

const run = async (...words: string[]) => langevin(words, folder);
/** Writes a network that is not trained. The suite readme trains one at the command line. */
function write(name: string, network: DiffusionNetwork): void {
  const pipeline = new DiffusionPipeline(network, { schedule: 'flow', steps: 1000, predicts: 'flow' });
  mkdirSync(join(folder, 'out', name), { recursive: true });
  writeFileSync(
    join(folder, 'out', name, 'model.safetensors'),
    encodeCheckpoint(network, diffusionInfo(pipeline)),
  );
}
write('captions', new UNet({ ...DIFFUSION_UNETS['unet-tiny'], classes: 0, ...TEXT_SIZES, rng: new Rng(1) }));
write('labels', new DiffusionMlp({ hidden: 8, inner: 8, depth: 1, condition: 8, rng: new Rng(1) }));

suite('cli: captions', (test) => {
  test('a model draws captions with their attention, and saves their digits as labels', async () => {
    const caption = 'a thin slanted three|A thick 7, leaning left';
    const drawn = await run(
      ...'sample --model out/captions --count 4 --steps 2 --threads 1 --attention --save s.npy'.split(' '),
      ...['--caption', caption],
    );
    assert.is(drawn.code, 0, drawn.stderr);
    assert.match(drawn.stdout, /guidance 2/);
    const files = readdirSync(join(folder, 'out/captions')).filter((file) =>
      file.startsWith('samples-caption'),
    );
    assert.is(files.length, 2, files.join());
    assert.ok(files.some((file) => file.endsWith('-attention.png')));
    const labels = decodeNpy(readFileSync(join(folder, 's.labels.npy')), 's').values;
    assert.equal(Array.from(labels as Uint8Array), [3, 7, 3, 7]);
  });

  test('export matches the greys to samples of a caption for each digit', async () => {
    const rng = new Rng(2);
    const network = new UNet({ ...DIFFUSION_UNETS['unet-tiny'], classes: 0, ...TEXT_SIZES, rng });
    // An untrained network predicts 0, whatever the caption says.
    scope(() =>
      network.parameters().forEach((p) => void p.set(p.add(rng.normal(p.shape).mul(0.03)).toTypedArray())),
    );
    write('any', network);
    const sampling = { steps: 2, guidance: 2, guidanceAbove: 1 };
    const exported = await run(
      ...'export --model out/any --name any --match-greys 100 --steps 2 --sampler ddim --data strokes --threads 1'.split(
        ' ',
      ),
    );
    assert.is(exported.code, 0, exported.stderr);
    const { settings } = decodeCheckpoint(readFileSync(join(folder, 'out/export/any.safetensors')));
    const model = diffusionOf(decodeCheckpoint(readFileSync(join(folder, 'out/any/model.safetensors'))));
    const captions = Array.from({ length: 100 }, (_, i) => digitCaptions()[i % 10]!);
    const cutsOf = (given: Partial<SampleOptions>) =>
      runToEnd(
        matchGreys(model, loadStrokes().train, { ...sampling, labels: captions.map(() => null), ...given }),
      ).cuts;
    assert.equal(settings!.cuts, cutsOf({ captions }));
    assert.not.equal(settings!.cuts, cutsOf({}));
  });

  test('captions and labels that do not fit are refused in one line', async () => {
    const sample = (model: string, ...words: string[]) =>
      run('sample', '--model', model, '--count', '2', '--steps', '1', '--threads', '1', ...words);
    const cases: readonly [readonly string[], RegExp][] = [
      [
        ['out/captions', '--caption', 'a thicc seven'],
        /--caption: expected known words, got "thicc"\. Did you mean "thick"\?/,
      ],
      [['out/captions', '--caption', ''], /--caption: expected a value, got an empty one/],
      [
        ['out/captions', '--caption', 'a 3| '],
        /--caption: expected words, such as "a thin slanted three", got an empty caption/,
      ],
      [['out/captions', '--caption', 'thin '.repeat(13)], /--caption: expected at most 12 words, got 13/],
      [
        ['out/captions', '--caption', 'a 3|thin thick 4'],
        /--caption: expected one thickness, got "thin" and "thick"/,
      ],
      [
        ['out/captions', '--label', '3'],
        /--label: expected a model with labels, got one with captions; use --caption/,
      ],
      [
        ['out/labels', '--caption', 'a 3'],
        /--caption: expected a model with captions, got one with labels from 0 to 9; use --label/,
      ],
      [['out/labels', '--attention'], /--attention: expected a model with captions, got one without/],
      [
        ['out/captions', '--caption', 'a 3', '--label', '3'],
        /--caption: expected no --label with it, got both/,
      ],
      [
        ['out/captions', '--classifier-guidance', '2'],
        /--classifier-guidance: expected a model without captions/,
      ],
    ];
    for (const [[model, ...words], message] of cases) {
      const { code, stderr } = await sample(model, ...words);
      assert.is(code, 2, `${words}: ${stderr}`);
      assert.match(stderr, message);
      assert.is(stderr.trim().split('\n').length, 1, stderr);
    }
    const mlp = await run(...'train diffusion --model mlp-tiny --condition caption --out out/x'.split(' '));
    assert.match(
      mlp.stderr,
      /--condition caption: expected a model of unet, unet-small, unet-tiny, got mlp-tiny/,
    );
    rmSync(folder, { recursive: true });
  });
});
