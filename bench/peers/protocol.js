/**
 * The common code of the JavaScript peers. Requests and answers are those of protocol.py. The first argument of a peer
 * is the folder of `--peers-dir`.
 */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const SLICE = 1;
const FEW = 12;

/** A `require` that searches for packages in the peers' folder. */
export const requirePeer = createRequire(join(resolve(process.argv[2] ?? '.'), 'package.json'));

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

async function timed(run, times = 1) {
  const start = performance.now();
  for (let i = 0; i < times; i++) await run();
  return performance.now() - start;
}

/** Best and median time of a run in milliseconds, from about `budget` milliseconds of runs. */
async function measure(run, budget) {
  await run();
  const runs = Math.max(1, Math.round(SLICE / (await timed(run))));
  const samples = [];
  const start = performance.now();
  while (samples.length < 3 || performance.now() - start < budget) {
    samples.push((await timed(run, runs)) / runs);
  }
  samples.sort((a, b) => a - b);
  return { ms: samples[samples.length > FEW ? 2 : 0], msMedian: samples[samples.length >> 1] };
}

/**
 * Answers requests until the input ends. `works` has a function for each name of a task. The function takes a shape and
 * returns the work.
 */
export async function serve(peer, works) {
  say({ peer });
  let made = {};
  for await (const line of createInterface({ input: process.stdin })) {
    const { name, shape, budget } = JSON.parse(line);
    const key = `${name} ${shape}`;
    if (works[name]) made = made.key === key ? made : { key, run: await works[name](...shape) };
    say(works[name] ? await measure(made.run, budget) : { skip: `no ${name}` });
  }
}
