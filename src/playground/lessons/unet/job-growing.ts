/** The job `growing`: digits that grow out of noise, as `langevin sample --gif` samples them. */
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';
import { type Course, type CourseSettings, courseOf } from './course.ts';

export interface GrowingResult extends Hashed {
  readonly course: Course;
}

export type GrowingJob = Job<CourseSettings, GrowingResult, GrowingResult | string>;

export const compute: Compute<GrowingJob> = async function* (settings) {
  const run = courseOf(settings);
  try {
    for (;;) {
      const { done, value } = await run.next();
      if (done) {
        const { course, hashes } = value;
        return { course, hashes: { 'samples.png': hashes.png, 'samples.gif': hashes.gif } };
      }
      yield () => {
        const course = value();
        return typeof course === 'string' ? course : { course, hashes: {} };
      };
    }
  } finally {
    await run.return(undefined as never);
  }
};
