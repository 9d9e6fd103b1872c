/** The suites that `npm run watch` runs after a change. */
import { existsSync, readdirSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { affectedBy, type Graph, importGraph } from './affected.ts';
import { suite } from './suite.ts';

/** Two suites: a imports x, which imports y; b imports y and z. */
const GRAPH: Graph = new Map([
  ['test/a.test.ts', ['src/x.ts']],
  ['test/b.test.ts', ['src/y.ts', 'src/z.ts']],
  ['src/x.ts', ['src/y.ts', 'src/x.ts']],
  ['src/y.ts', ['src/x.ts']],
  ['src/z.ts', []],
]);
const SUITES = ['a.test.ts', 'b.test.ts'];

suite('watch', (test) => {
  test('a change affects the suites with the shortest chain of imports to the file', () => {
    assert.equal(affectedBy('src/x.ts', SUITES, GRAPH), ['a.test.ts']);
    assert.equal(affectedBy('src/y.ts', SUITES, GRAPH), ['b.test.ts']);
    assert.equal(affectedBy('src/z.ts', SUITES, GRAPH), ['b.test.ts']);
    assert.equal(affectedBy('test/a.test.ts', SUITES, GRAPH), ['a.test.ts']);
  });

  test('a file that no suite imports affects none', () => {
    assert.equal(affectedBy('src/unknown.ts', SUITES, GRAPH), []);
  });

  test('a kernel affects the suites of kernels that there are', () => {
    const suites = readdirSync('test').filter((file) => file.endsWith('.test.ts'));
    const affected = affectedBy('assembly/copy.ts', suites, new Map());
    assert.equal(affected, ['abi.test.ts', 'kernels.test.ts', 'parity-kernels.test.ts', 'parity.test.ts']);
  });

  test("the project's own imports are found: einsum affects its suite, and a helper all suites that import it", async () => {
    const suites = ['einsum.test.ts', 'math.test.ts', 'watch.test.ts'];
    const graph = await importGraph(process.cwd(), suites);
    assert.equal(affectedBy('src/tensor/einsum.ts', suites, graph), ['einsum.test.ts']);
    assert.equal(affectedBy('test/suite.ts', suites, graph), suites);
    assert.not(existsSync('unwritten'));
  });
});
