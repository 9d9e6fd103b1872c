/**
 * `npm run page:frames [-- SLUG …]`: computes the first pictures of the live figures of these lessons, or of all, and
 * writes them into files that are committed (still.ts).
 */
import { setThreads } from '../../backend/backend.ts';
import { figuresOf } from '../lesson.ts';
import { LESSONS } from '../lessons/index.ts';
import { writeStill } from './still.ts';

const slugs = process.argv.slice(2);
const unknown = slugs.filter((slug) => !LESSONS.some((lesson) => lesson.slug === slug));
if (unknown.length > 0) {
  throw new Error(`expected ${LESSONS.map(({ slug }) => slug).join(', ')}, got ${unknown.join(', ')}`);
}
for (const lesson of LESSONS.filter(({ slug }) => slugs.length === 0 || slugs.includes(slug))) {
  for (const figure of figuresOf(lesson).filter(({ live }) => live)) {
    console.log(`${lesson.slug}: ${figure.id}`);
    await writeStill(lesson, figure);
  }
}
setThreads(1);
