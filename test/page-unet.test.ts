/** The page's lessons on sampling: their trajectories are those of the command, and what their figures say is true. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { noGrad, scope } from '../src/autograd/tape.ts';
import { setBackend } from '../src/backend/backend.ts';
import { toBytes } from '../src/image/bytes.ts';
import { loadDiffusion } from '../src/models/pipeline.ts';
import { layoutOf } from '../src/playground/draw/digits.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { download } from '../src/playground/engine/published-model.ts';
import type { Values } from '../src/playground/figure.ts';
import { meanDifference } from '../src/playground/lessons/labels/picture.ts';
import { CAPTIONS } from '../src/playground/lessons/unet/figure-captions.ts';
import { COMPLETING } from '../src/playground/lessons/unet/figure-completing.ts';
import { GROWING } from '../src/playground/lessons/unet/figure-growing.ts';
import { STUDENT } from '../src/playground/lessons/unet/figure-student.ts';
import { maskOf } from '../src/playground/lessons/unet/job-completing.ts';
import {
  type Trajectory,
  type TrajectorySettings,
  trajectoryOf,
} from '../src/playground/lessons/unet/trajectory.ts';
import { Rng } from '../src/random/rng.ts';
import { npmRun } from './dist.ts';
import { numbersOf, printedHash, runLive } from './helpers-page.ts';
import { suite } from './suite.ts';

npmRun('build:node');
// A page and a command compute on this backend, whichever the suite runs on.
setBackend('wasm');

const FILE = 'src/models/published/mnist-unet.safetensors';
const SMALL: TrajectorySettings = {
  model: 'mnist-unet',
  count: 2,
  sampler: 'ddim',
  steps: 3,
  guidance: 1,
  seed: 'a',
};

/** The settings of a figure with others in their place. */
const withValues = (initial: Values, more: Values): Values => ({ ...initial, ...more });

suite('page: the U-Net', (test) => {
  test('a trajectory has the hashes of the command that is shown, with the model’s own sampling', async () => {
    const values = withValues(GROWING.initial, { count: 2, label: [7], seed: 'unet' });
    const { hashes, trajectory } = await runJob('growing', GROWING.request(values));
    const [{ line, numbers }] = GROWING.commands(values);
    const printed = await numbersOf(line);
    for (const [name, key] of Object.entries(numbers)) {
      assert.match(hashes[key]!, /^[0-9a-f]{64}$/);
      assert.is(printedHash(printed, name), hashes[key], `${line}: ${name}`);
    }
    assert.equal(trajectory.labels, [7, 7]);
  });

  test('samples of captions, and the attention to their words, have the hashes of the command', async () => {
    const values = withValues(CAPTIONS.initial, {
      caption: 'a thin two | 7',
      count: 3,
      steps: 3,
      seed: 'say',
    });
    const result = await runJob('growing', CAPTIONS.request(values));
    const [{ line, numbers }] = CAPTIONS.commands(values);
    const printed = await numbersOf(line);
    for (const [name, key] of Object.entries(numbers)) {
      assert.match(result.hashes[key]!, /^[0-9a-f]{64}$/);
      assert.is(printedHash(printed, name), result.hashes[key], `${line}: ${name}`);
    }
    assert.is(new Set(Object.values(result.hashes)).size, 3);
    const { labels, captions, attention } = result.trajectory;
    assert.equal(
      [labels, captions],
      [
        [2, 7, 2],
        ['a thin two', '7', 'a thin two'],
      ],
    );
    assert.equal(
      attention!.rows.map(({ words }) => words),
      [['a', 'thin', 'two'], ['7']],
    );
    // The words stand below the finished digits only.
    const drawn = (frame: number) => [...CAPTIONS.draw(result, frame, 656).matchAll(/>(thin|two)</g)].length;
    assert.equal([drawn(0), drawn(CAPTIONS.frames(result) - 1)], [0, 2]);
  });

  test('captions that the model cannot draw are refused in a line', async () => {
    for (const [caption, message] of [
      ['a fat two', /^caption: expected known words, got "fat"/],
      ['a thin thick two', /^caption: expected one thickness, got "thin" and "thick"$/],
      ['', /^caption: expected words/],
    ] as const) {
      const values = withValues(CAPTIONS.initial, { caption });
      const error = await runJob('growing', CAPTIONS.request(values)).catch((error) => error);
      assert.match(error.message, message);
    }
  });

  test('a student is finished after four steps, and draws nearly the same as its teacher from the same noise', async () => {
    const values = withValues(STUDENT.initial, { count: 4, seed: 'both' });
    const { trajectories } = await runJob('trajectories', STUDENT.request(values));
    const [teacher, student] = trajectories as [Trajectory, Trajectory];
    assert.equal([student.steps, student.frames.length, student.guidance], [4, 5, 1]);
    const [a, b] = [teacher, student].map(({ frames }) => frames[frames.length - 1]!.pictures) as [
      Uint8Array,
      Uint8Array,
    ];
    const moved = [...b.subarray(784), ...b.subarray(0, 784)];
    const [same, other] = [meanDifference(a, b), meanDifference(a, moved)];
    assert.ok(same < 0.5 * other, `${same} from its teacher's, ${other} from others`);
  });

  test('completions have the hashes of the command on the files that are saved, and keep what is given', async () => {
    const drawing = new Uint8Array(784).map((_, i) => (i % 28 === 12 && i > 112 && i < 560 ? 200 : 0));
    const values = withValues(COMPLETING.initial, {
      half: 'right',
      label: [1],
      count: 2,
      steps: 3,
      resamples: 2,
    });
    const { hashes, files, trajectory, given } = await runJob('completing', {
      ...COMPLETING.request(values),
      drawing,
    });
    const [{ line, numbers }] = COMPLETING.commands(values);
    const contents = new Map(Object.entries(files!).map(([name, bytes]) => [name, Buffer.from(bytes)]));
    const printed = await numbersOf(line, 1, contents);
    for (const [name, key] of Object.entries(numbers)) {
      assert.match(hashes[key]!, /^[0-9a-f]{64}$/);
      assert.is(printedHash(printed, name), hashes[key], `${line}: ${name}`);
    }
    const { pictures } = trajectory.frames[trajectory.frames.length - 1]!;
    assert.equal(given.picture, drawing);
    for (const [i, byte] of pictures.entries()) {
      if (given.mask[i % 784] === 0) assert.is(byte, drawing[i % 784], `pixel ${i}`);
    }
    assert.ok(
      pictures.some((byte, i) => byte > 128 && given.mask[i % 784] !== 0),
      'the other half has ink',
    );
  });

  test('a mask is half of the picture, on the side that it is named by', () => {
    const at = (x: number, y: number) => 28 * y + x;
    for (const [half, inside, outside] of [
      ['lower', at(3, 14), at(3, 13)],
      ['upper', at(3, 13), at(3, 14)],
      ['left', at(13, 3), at(14, 3)],
      ['right', at(14, 3), at(13, 3)],
    ] as const) {
      const mask = maskOf(half);
      assert.is(mask.filter((byte) => byte === 255).length, 392, half);
      assert.equal([mask[inside], mask[outside]], [255, 0], half);
    }
  });

  test('the first state is the noise of the seed, and below it stands x - t·v of the network', async () => {
    const { trajectory } = await runLive(trajectoryOf(SMALL));
    const [{ pictures, predicted, t }] = trajectory.frames;
    const model = await loadDiffusion(FILE);
    const expected = scope(() =>
      noGrad(() => {
        const x = new Rng(SMALL.seed).stream('samples').normal([2, 28, 28, 1]);
        assert.equal(pictures, toBytes(model.decode(x.toTypedArray())));
        const x0 = x.sub(model.predict(x, t, [0, 1]).mul(t)).toTypedArray();
        return toBytes(model.decode(x0.map((value) => Math.min(1, Math.max(-1, value)))));
      }),
    );
    model.network.dispose();
    // The sampler rounds in another order, which can move a pixel over a cut between two greys.
    const far = expected.filter((byte, i) => Math.abs(byte - predicted![i]!) > 2).length;
    assert.ok(far <= 4, `${far} of ${expected.length} pixels differ`);
    assert.ok(
      expected.some((byte) => byte > 100),
      'there is ink',
    );
  });

  test('progress is in copies, a frame more each step; the last frame is done', async () => {
    const run = trajectoryOf(SMALL);
    const made: Trajectory[] = [];
    let trajectory: Trajectory;
    for (;;) {
      const { done, value } = await run.next();
      if (done) {
        trajectory = value.trajectory;
        break;
      }
      // The worker makes a progress at once, or not at all.
      for (const progress of [value(), value()]) if (typeof progress !== 'string') made.push(progress);
    }
    const [one, same, next] = made as [Trajectory, Trajectory, Trajectory];
    assert.ok(one.frames[0]!.pictures.buffer !== same.frames[0]!.pictures.buffer);
    assert.equal(one.frames[0]!.pictures, next.frames[0]!.pictures);
    assert.is(next.frames.length, one.frames.length + 1);
    assert.equal(
      trajectory.frames.map(({ step, predicted }) => [step, predicted === null]),
      [
        [0, false],
        [1, false],
        [2, false],
        [3, true],
      ],
    );
  });

  test('what a page should not compute is refused in a line', async () => {
    for (const [more, message] of [
      [{ count: 41 }, /^--count: expected at most 40 pictures on this page, got 41$/],
      [{ steps: 1e9 }, /^--steps: expected at most 1000 on this page, got 1000000000$/],
      [{ label: [3, 12] }, /^--label: expected labels from 0 to 9, got 12$/],
      [{ model: 'none' }, /^cannot read .*none\.safetensors/],
    ] as const) {
      const error = await runLive(trajectoryOf({ ...SMALL, ...more })).catch((error) => error);
      assert.match(error.message, message);
    }
    const many = { ...COMPLETING.request(COMPLETING.initial), resamples: 101 };
    const error = await runJob('completing', many).catch((error) => error);
    assert.match(error.message, /^--resamples: expected at most 100 on this page, got 101$/);
  });

  test('a model that cannot be loaded, or is too large, is refused in a line', async () => {
    const server = createServer(({ url }, response) => {
      if (url === '/model') response.end('bytes');
      else if (url === '/large') {
        const more = () => void (response.destroyed || response.write(Buffer.alloc(1e6), more));
        more();
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const load = (path: string) => runLive(download(new URL(path, origin), path.slice(1)));
    try {
      assert.is(Buffer.from(await load('/model')).toString(), 'bytes');
      const missing = await load('/models/x').catch((error) => error);
      assert.is(missing.message, 'cannot load models/x from this site: HTTP 404 Not Found');
      const large = await load('/large').catch((error) => error);
      assert.is(large.message, 'large: expected at most 8000000 bytes, got more');
    } finally {
      server.closeAllConnections();
      server.close();
    }
    const gone = await load('/model').catch((error) => error);
    assert.match(gone.message, /^cannot load model from this site: .*with a network\.$/);
  });

  test('a pixel of a digit is a whole number of the screen’s, and rows fit the width', () => {
    for (const width of [328, 656, 720, 1000]) {
      for (let count = 1; count <= 40; count++) {
        const { across, scale, pitch, width: used } = layoutOf(count, 28, width);
        assert.ok(Number.isInteger(scale) && scale >= 2, `${scale} at ${width}`);
        assert.ok(used <= width && across * pitch >= used, `${used} of ${width}`);
      }
    }
  });
});
