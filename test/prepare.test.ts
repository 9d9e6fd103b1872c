/** MNIST's preparation of samples: what it accepts, how it moves a picture, and what sampling does with it. */
import * as assert from 'uvu/assert';
import { loadIdxFolder } from '../src/data/mnist.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { DiffusionPipeline } from '../src/models/pipeline.ts';
import { centre, hasMnistSize, MOST_ROUNDS } from '../src/models/prepare.ts';
import { sampleDiffusion, samplePictures } from '../src/models/sample.ts';
import { Rng } from '../src/random/rng.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const SIZE = 28 * 28;

/** A black picture with a white box. */
function box(left: number, top: number, width: number, height: number, grey = 1): Float64Array {
  return Float64Array.from({ length: SIZE }, (_, i) => {
    const [x, y] = [i % 28, Math.floor(i / 28)];
    return x >= left && x < left + width && y >= top && y < top + height ? grey : 0;
  });
}

const model = (side: number) => {
  const sizes = { height: side, width: side, classes: 2, hidden: 32, fine: 4, heads: 2, condition: 8 };
  const network = new UNet({ ...sizes, rng: new Rng(1) });
  return new DiffusionPipeline(network, { schedule: 'flow', steps: 10, predicts: 'flow' });
};

suite('prepare', (test) => {
  test('a box is accepted where its longer side is 20, and ink begins at the grey 1', () => {
    assert.ok(hasMnistSize(box(0, 0, 20, 3)) && hasMnistSize(box(8, 8, 5, 20)));
    for (const [width, height] of [
      [19, 19],
      [21, 4],
      [1, 28],
    ])
      assert.not(hasMnistSize(box(0, 0, width, height)));
    assert.not(hasMnistSize(new Float64Array(SIZE)));
    const speck = box(4, 4, 20, 20);
    speck[0] = 0.4 / 255;
    assert.ok(hasMnistSize(speck));
    speck[0] = 1 / 255;
    assert.not(hasMnistSize(speck));
  });

  test('a picture is moved by whole pixels until its mass is within half a pixel of the middle', () => {
    for (const [left, top] of [
      [0, 0],
      [3, 8],
      [8, 1],
    ]) {
      const picture = box(left, top, 20, 20);
      centre(picture);
      // The mass of columns 4 to 23 lies at 13.5, and half a pixel is rounded up.
      assert.equal([...picture], [...box(5, 5, 20, 20)], `${left} ${top}`);
    }
    const empty = new Float64Array(SIZE);
    centre(empty);
    assert.ok(empty.every((value) => value === 0));
  });

  const mnist = process.env.LANGEVIN_MNIST;
  test.when(mnist !== undefined, 'digits of MNIST are accepted and stay where they are', async () => {
    const { train } = await loadIdxFolder(mnist!);
    let others = 0;
    for (let i = 0; i < 2000; i++) {
      const digit = Float64Array.from(train.images.subarray(i * SIZE, (i + 1) * SIZE), (grey) => grey / 255);
      const moved = digit.slice();
      centre(moved);
      if (!hasMnistSize(digit)) others++;
      assert.equal(moved, digit, `${i}`);
    }
    assert.ok(others <= 2, `${others}`);
  });

  test('sampling draws refused pictures again, each round from a seed of its own, and gives up in the end', () => {
    // An untrained flow predicts 0: its samples are noise, whose box is the whole picture.
    const options = { labels: [0, 1], steps: 1, sampler: 'ddim', seed: 3, guidance: 1 } as const;
    const rounds: number[] = [];
    for (const { round, drawn } of sampleDiffusion(model(28), { ...options, prepare: 'mnist' })) {
      assert.is(drawn, 2);
      rounds.push(round);
    }
    assert.equal(
      rounds,
      Array.from({ length: MOST_ROUNDS + 1 }, (_, i) => i),
    );
    const last = samplePictures(model(28), { ...options, seed: `3, round ${MOST_ROUNDS}` });
    const prepared = samplePictures(model(28), { ...options, prepare: 'mnist' });
    for (const i of [0, 1]) centre(last.subarray(i * SIZE, (i + 1) * SIZE));
    assert.equal(prepared, last);
  });

  test('another size of picture and an unknown preparation are refused', () => {
    refused(
      () => samplePictures(model(8), { labels: [0], steps: 1, prepare: 'mnist' }),
      ShapeError,
      /^prepare mnist: expected a model of 28x28, got one of 8x8$/,
    );
    refused(
      () => samplePictures(model(8), { labels: [0], steps: 1, prepare: 'minst' as 'mnist' }),
      ValueError,
      /^prepare: expected none or mnist, got "minst"\. Did you mean "mnist"\?$/,
    );
  });
});
