/** The job `courses`: several samplings from the same noise, a step of each in turn, each as `langevin sample --gif`. */

import { publishedModel } from '../../engine/published-model.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';
import { type Course, type CourseSettings, copyOfCourse, courseOf } from '../unet/course.ts';
import { hashKeys } from './picture.ts';

export interface CoursesSettings {
  /** One or more, all of the same published model. */
  readonly variants: readonly CourseSettings[];
}

export interface CoursesResult extends Hashed {
  /** One for each variant. */
  readonly courses: readonly Course[];
}

export type CoursesJob = Job<CoursesSettings, CoursesResult, CoursesResult | string>;

export const compute: Compute<CoursesJob> = async function* ({ variants }) {
  // Once, and not by each run.
  yield* publishedModel(variants[0].model);
  const runs = variants.map((settings) => courseOf(settings));
  /** What makes a copy of each course so far. */
  const latest: (() => Course | string)[] = [];
  const courses: Course[] = [];
  const hashes: Record<string, string> = {};
  try {
    for (let open = runs.length; open > 0; ) {
      for (const [i, run] of runs.entries()) {
        if (courses[i]) continue;
        const { done, value } = await run.next();
        if (!done) {
          latest[i] = value;
          continue;
        }
        const { course, hashes: own } = value;
        const keys = hashKeys(i);
        [hashes[keys['.png']], hashes[keys['.gif']]] = [own.png, own.gif];
        courses[i] = course;
        latest[i] = () => copyOfCourse(course);
        open--;
      }
      yield () => {
        const made = latest.map((make) => make());
        const all = made.filter((course): course is Course => typeof course !== 'string');
        return { courses: all, hashes: {} };
      };
    }
    return { courses, hashes };
  } finally {
    for (const run of runs) await run.return(undefined as never);
  }
};
