/**
 * What runs in each engine: one line of JSON for every seed and number of threads. In Node the arguments are the
 * seeds' count and the thread counts; a page has them in its address, and collects the lines in `globalThis.lines`.
 */
import { backend, canShareMemory, setThreads } from '../../src/backend/backend.ts';
import { fingerprint, SEEDS } from './fingerprint.ts';

const inNode = typeof process !== 'undefined';
const [count, threads] = inNode ? process.argv.slice(2) : location.search.slice(1).split('&');
const lines: string[] = [];
const report = (line: string) => (inNode ? console.log(line) : lines.push(line));

for (const n of threads!.split(',').map(Number)) {
  setThreads(n);
  for (const seed of SEEDS.slice(0, Number(count))) {
    const hash = await fingerprint(seed);
    report(JSON.stringify({ seed, threads: backend().threads, asked: n, shared: canShareMemory(), hash }));
  }
}
if (!inNode) Object.assign(globalThis, { lines, finished: true });
