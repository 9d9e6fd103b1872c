/** The page's lesson on sampling by label: several samplings in turn are each the sampling alone, from the same noise. */
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { hashKeys } from '../src/playground/lessons/labels/names.ts';
import { meanDifference } from '../src/playground/lessons/labels/picture.ts';
import type { Trajectory, TrajectorySettings } from '../src/playground/lessons/unet/trajectory.ts';
import { suite } from './suite.ts';

// A page and a command compute on this backend, whichever the suite runs on.
setBackend('wasm');

const SETTINGS: TrajectorySettings = {
  model: 'mnist-unet',
  count: 3,
  label: [2, 3, 9],
  steps: 10,
  prepare: 'none',
  seed: 'labels',
};
const by = (sampler: TrajectorySettings['sampler']): TrajectorySettings => ({ ...SETTINGS, sampler });
const first = ({ frames }: Trajectory) => frames[0]!;
const last = ({ frames }: Trajectory) => frames[frames.length - 1]!.pictures;

suite('page: by label', (test) => {
  test('each of several samplings has the bits of the sampling alone, and all begin with the same noise', async () => {
    const variants = [by('ddim'), by('ddpm'), by('heun')];
    const { trajectories, hashes } = await runJob('trajectories', { variants });
    for (const [i, { sampler }] of variants.entries()) {
      const alone = await runJob('growing', by(sampler));
      assert.is(hashes[hashKeys(i)['.gif']], alone.hashes['samples.gif'], sampler);
      assert.is(hashes[hashKeys(i)['.png']], alone.hashes['samples.png'], sampler);
      assert.is(trajectories[i]!.sampler, sampler);
      assert.equal(first(trajectories[i]!).pictures, first(trajectories[0]!).pictures);
      assert.equal(first(trajectories[i]!).predicted, first(trajectories[0]!).predicted);
    }
    const [ddim, ddpm, heun] = trajectories.map(last);
    const [same, other] = [meanDifference(ddim!, heun!), meanDifference(ddim!, ddpm!)];
    assert.ok(same < 0.5 * other, `heun is ${same} from ddim, ddpm ${other}`);
  });

  test('without guidance by the label all labels give the same pictures, and with it they differ', async () => {
    const pictures = async (guidance: number) => {
      const variants = [[1], [4]].map((label) => ({ ...by('ddim'), steps: 4, guidance, label }));
      return (await runJob('trajectories', { variants })).trajectories.map(last);
    };
    const [ofOne, ofFour] = await pictures(0);
    assert.equal(ofOne, ofFour);
    const [one, four] = await pictures(1);
    assert.ok(meanDifference(one!, four!) > 0.02);
  });

  test('the mean difference is a share of white', () => {
    assert.is(meanDifference(new Uint8Array([0, 255]), new Uint8Array([255, 255])), 0.5);
    assert.is(meanDifference(new Uint8Array([3, 4]), new Uint8Array([3, 4])), 0);
  });
});
