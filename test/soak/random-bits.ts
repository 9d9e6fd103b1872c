/**
 * `npm run random-bits -- [seed] [megabytes]`: writes raw words of the random number generator to standard output, for
 * external statistical tests. Without a limit it writes until the reader closes.
 *
 *   npm run --silent random-bits -- langevin | RNG_test stdin32          (PractRand)
 *   npm run --silent random-bits -- langevin | dieharder -g 200 -a
 */
import { once } from 'node:events';
import { Rng } from '../../src/random/rng.ts';

const WORDS = 1 << 18;
const [seed = 'langevin', megabytes] = process.argv.slice(2);
const rng = new Rng(seed);
const limit = megabytes === undefined ? Number.POSITIVE_INFINITY : Number(megabytes);

process.stdout.on('error', () => process.exit(0)); // the reader has closed the pipe
for (let sent = 0; sent < limit; sent += (WORDS * 4) / 2 ** 20) {
  const bytes = new Uint8Array(rng.bits(WORDS).buffer);
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
}
