/** The page's lesson on sampling by label: several samplings in turn are each the sampling alone, from the same noise. */
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { hashKeys, meanDifference } from '../src/playground/lessons/labels/picture.ts';
import type { Course, CourseSettings } from '../src/playground/lessons/unet/course.ts';
import { suite } from './suite.ts';

// A page and a command compute on this backend, whichever the suite runs on.
setBackend('wasm');

const SETTINGS: CourseSettings = {
  model: 'mnist-unet',
  count: 3,
  label: [2, 3, 9],
  steps: 10,
  prepare: 'none',
  seed: 'labels',
};
const by = (sampler: CourseSettings['sampler']): CourseSettings => ({ ...SETTINGS, sampler });
const first = ({ frames }: Course) => frames[0]!;
const last = ({ frames }: Course) => frames[frames.length - 1]!.pictures;

suite('page: by label', (test) => {
  test('each of several samplings has the bits of the sampling alone, and all begin with the same noise', async () => {
    const variants = [by('ddim'), by('ddpm'), by('heun')];
    const { courses, hashes } = await runJob('courses', { variants });
    for (const [i, { sampler }] of variants.entries()) {
      const alone = await runJob('growing', by(sampler));
      assert.is(hashes[hashKeys(i)['.gif']], alone.hashes['samples.gif'], sampler);
      assert.is(hashes[hashKeys(i)['.png']], alone.hashes['samples.png'], sampler);
      assert.is(courses[i]!.sampler, sampler);
      assert.equal(first(courses[i]!).pictures, first(courses[0]!).pictures);
      assert.equal(first(courses[i]!).predicted, first(courses[0]!).predicted);
    }
    const [ddim, ddpm, heun] = courses.map(last);
    const [same, other] = [meanDifference(ddim!, heun!), meanDifference(ddim!, ddpm!)];
    assert.ok(same < 0.5 * other, `heun is ${same} from ddim, ddpm ${other}`);
  });

  test('without guidance by the label all labels give the same pictures, and with it they differ', async () => {
    const pictures = async (guidance: number) => {
      const variants = [[1], [4]].map((label) => ({ ...by('ddim'), steps: 4, guidance, label }));
      return (await runJob('courses', { variants })).courses.map(last);
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
