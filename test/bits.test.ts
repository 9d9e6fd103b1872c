/** Compares the fingerprints of one seed with the published ones. `npm run verify-bits` checks all seeds. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { setBackend, setThreads } from '../src/backend/backend.ts';
import { type Published, SEEDS, SUBJECTS } from './bits/fingerprint.ts';
import { suite } from './suite.ts';

const published: Published = JSON.parse(readFileSync('test/bits/published.json', 'utf8'));
const [long] = SUBJECTS;

suite('bits', (test) => {
  setBackend('wasm');

  test('every subject and every named seed is published, and no other', () => {
    assert.equal(Object.keys(published).sort(), SUBJECTS.map(({ name }) => name).sort());
    for (const table of Object.values(published)) {
      assert.equal(Object.keys(table).sort(), SEEDS.map(String).sort());
    }
  });

  for (const threads of [1, 2, 3, 4]) {
    for (const { name, fingerprint } of threads > 2 ? [long] : SUBJECTS) {
      test(`${name}: the published bits on ${threads} threads`, async () => {
        setThreads(threads);
        assert.is(await fingerprint('langevin'), published[name].langevin);
      });
    }
  }

  test('another subject or another seed leaves other bits', () => {
    const all = Object.values(published).flatMap((table) => Object.values(table));
    assert.is(new Set(all).size, SUBJECTS.length * SEEDS.length);
  });
});
