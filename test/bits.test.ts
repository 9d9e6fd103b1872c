/** The published fingerprints, on one to four threads; `npm run verify-bits` holds them on other engines too. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { setBackend, setThreads } from '../src/backend/backend.ts';
import { fingerprint, SEEDS } from './bits/fingerprint.ts';
import { suite } from './suite.ts';

const published: Record<string, string> = JSON.parse(readFileSync('test/bits/published.json', 'utf8'));

suite('bits', (test) => {
  setBackend('wasm');

  test('every named seed is published', () => {
    assert.equal(Object.keys(published).sort(), SEEDS.map(String).sort());
  });

  for (const threads of [1, 2, 3, 4]) {
    test(`200 steps of the denoiser leave the published bits on ${threads} threads`, async () => {
      setThreads(threads);
      assert.is(await fingerprint('langevin'), published.langevin);
    });
  }

  test('another seed leaves other bits', () => {
    assert.is(new Set(Object.values(published)).size, SEEDS.length);
  });
});
