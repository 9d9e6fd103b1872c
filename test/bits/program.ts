/**
 * The program that runs in each engine. It writes one line of JSON for every number of threads, subject and seed. In
 * Node the arguments are the number of seeds, the numbers of threads, and the beginning of the subjects' names. A page
 * has them in its address, and collects the lines in `globalThis.lines`.
 */
import { backend, canShareMemory, setThreads } from '../../src/backend/backend.ts';
import { SEEDS, SUBJECTS } from './fingerprint.ts';

const inNode = typeof process !== 'undefined';
const [count, threads, begin = ''] = inNode
  ? process.argv.slice(2)
  : location.search.slice(1).split('&').map(decodeURIComponent);
const lines: string[] = [];
const report = (line: string) => (inNode ? console.log(line) : lines.push(line));

for (const n of threads.split(',').map(Number)) {
  setThreads(n);
  for (const { name: subject, fingerprint } of SUBJECTS.filter(({ name }) => name.startsWith(begin))) {
    for (const seed of SEEDS.slice(0, Number(count))) {
      const hash = await fingerprint(seed);
      const at = { threads: backend().threads, asked: n, shared: canShareMemory() };
      report(JSON.stringify({ subject, seed, ...at, hash }));
    }
  }
}
if (!inNode) Object.assign(globalThis, { lines, finished: true });
