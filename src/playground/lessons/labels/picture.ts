/** Courses from the same noise, at the same moment. */
import type { Course, CourseFrame } from '../unet/course.ts';
import { courseColumns } from '../unet/course-picture.ts';

/** The keys of a variant's picture and animation among the hashes. */
export const hashKeys = (variant: number) => ({
  '.png': `samples-${variant + 1}.png`,
  '.gif': `samples-${variant + 1}.gif`,
});

/** A course's frame at a moment. A course that has fewer frames stays at its last one. */
export const frameAt = ({ frames }: Course, frame: number): CourseFrame =>
  frames[Math.min(frame, frames.length - 1)];

/** The longest course, which names the moments. */
export const longest = (courses: readonly Course[]): Course =>
  courses.reduce((one, other) => (other.frames.length > one.frames.length ? other : one));

/** The mean difference of two pictures' greys, as a share of white. */
export function meanDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / (255 * a.length);
}

/** The last pictures of all courses as columns of greys. @param names one for each course */
export function coursesColumns(
  courses: readonly Course[],
  names: readonly string[],
): { head: string[]; columns: Uint8Array[] } {
  const parts = courses.map((course, i) => {
    const { head, columns } = courseColumns(course);
    return { head: head.map((words) => `${names[i]}, ${words}`), columns };
  });
  return { head: parts.flatMap(({ head }) => head), columns: parts.flatMap(({ columns }) => columns) };
}
