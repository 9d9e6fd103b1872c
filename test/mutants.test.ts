/** The mutations of `npm run mutants`: which faults are planted where, and which suites should notice them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { inFolder } from './dist.ts';
import { changedLines, draw, mutantsOf } from './mutants/draw.ts';
import { EQUIVALENT, reasonOf } from './mutants/equivalent.ts';
import { lineOf, mutated, mutations } from './mutants/mutations.ts';
import { suitesFor } from './mutants/suites.ts';
import { suite } from './suite.ts';

/** The sources with one fault each. */
const faultsOf = async (source: string) =>
  (await mutations(source)).map((mutation) => mutated(source, mutation)).sort();

suite('mutants', (test) => {
  test('signs, bounds, conditions, dropped sums, operands and functions are mutated', async () => {
    const cases: Readonly<Record<string, readonly string[]>> = {
      'a + b': ['a - b'],
      'a - b': ['((b) - (a))', 'a + b'],
      'a < b': ['a <= b'],
      'a && !b': ['a && (b)', 'a || !b'],
      '-x': ['(x)'],
      'a = 2': ['a = (2 + 1)'],
      'a = true': ['a = false'],
      'a += b': ['a = b'],
      'a ? b : c': ['((a) ? (c) : (b))'],
      'if (a) b = c': ['if (!(a)) b = c'],
      'f(a);': [';'],
      'a = Math.min(b, c)': ['a = Math.max(b, c)'],
      'a = f32x4.sub(b, c)': ['a = f32x4.add(b, c)', 'a = f32x4.sub(c, b)'],
    };
    for (const [source, faults] of Object.entries(cases))
      assert.equal(await faultsOf(source), [...faults].sort());
  });

  test('types, imports, names of fields, messages of errors and samples of ops are not', async () => {
    for (const source of [
      "import { a } from 'a';",
      'type A = 1 | 2;',
      'interface A { f(a: 1): true }',
      'const a = { 1: b };',
      'const op = { samples: () => [sample([2, 3])] };',
      "throw new Error('got ' + a);",
      "const e = new ValueError('got ' + a);",
    ])
      assert.equal(await faultsOf(source), []);
    assert.equal(await faultsOf('const a = b as 1 | 2;'), []);
    assert.equal(await faultsOf('const a = (b + c) as 1;'), ['const a = (b - c) as 1;']);
  });

  test('decorators of AssemblyScript do not disturb the parser, and every source has places for faults', async () => {
    const source = '// @ts-ignore: decorator\n@inline\nfunction f(a: i32): i32 {\n  return a + a;\n}\n';
    const [mutation] = await mutations(source);
    assert.equal(
      [mutated(source, mutation), lineOf(source, mutation)],
      [source.replace('a + a', 'a - a'), 4],
    );
    for (const file of ['assembly/gemm/gemm.ts', 'assembly/random/philox.ts', 'src/tensor/tensor.ts']) {
      const text = readFileSync(file, 'utf8');
      const all = await mutations(text);
      assert.ok(all.length > 20, `${file}: ${all.length}`);
      assert.ok(all.every((one) => mutated(text, one) !== text));
    }
  });

  test('a sample is a function of the seed, and with changed lines it has faults only there', async () => {
    const files = ['src/math.ts', 'src/sde/law.ts'];
    const places = async (seed: string, lines?: Map<string, Set<number>>) =>
      (await draw(files, 5, seed, lines)).map((one) => `${one.file}:${one.line}:${one.text}`);
    const sample = await places('a');
    assert.is(new Set(sample).size, 5);
    assert.equal(await places('a'), sample);
    assert.is.not((await places('b')).join(), sample.join());
    const [file, line] = sample[0].split(':');
    const lines = new Map(files.map((name) => [name, new Set(name === file ? [Number(line)] : [])]));
    const near = await places('a', lines);
    assert.ok(near.length >= 1);
    assert.ok(near.every((place) => place.startsWith(`${file}:${line}:`)));
  });

  test('a line that is added or moved leaves the other mutants of a sample as they are', async () =>
    inFolder(async (folder) => {
      const file = join(folder, 'a.ts');
      const lines = ['a = b + c;', 'd = e * f;', 'g = h < 7;', 'a = b + c;', 'i = j && k;', 'l -= m;'];
      const sample = async (text: readonly string[]) => {
        writeFileSync(file, text.join('\n'));
        return (await draw([file], 4, 'a')).map(({ right, wrong }) => `${right} ${wrong}`);
      };
      const first = await sample(lines);
      assert.is(first.length, 4);
      assert.equal(await sample([...lines].reverse()), first);
      const more = await sample(['n = o / p;', ...lines, 'q = r >> s;']);
      const added = more.filter((one) => /^[nq] = /.test(one));
      assert.equal(
        more.filter((one) => !added.includes(one)),
        first.slice(0, 4 - added.length),
      );
    }));

  test('each mutant that is listed as equivalent exists, and has its reason', async () => {
    for (const { file, right, wrong, reason } of EQUIVALENT) {
      const all = await mutantsOf(file);
      assert.ok(
        all.some((one) => one.right === right && one.wrong === wrong),
        `${file}: ${wrong}`,
      );
      assert.ok(reason.length > 20, `${file}: ${wrong} has no reason`);
      assert.is(reasonOf({ file, right, wrong }), reason);
    }
    assert.is(reasonOf({ file: 'src/math.ts', right: 'a', wrong: 'b' }), null);
  });

  test('changed lines are read from a diff', () => {
    const diff = [
      '+++ b/src/a.ts',
      '@@ -3,2 +4,3 @@ f',
      '+x',
      '@@ -9 +11 @@',
      '+++ b/src/b.ts',
      '@@ -1,2 +0,0 @@',
    ];
    const lines = changedLines(diff.join('\n'));
    assert.equal([...lines.get('src/a.ts')!], [4, 5, 6, 11]);
    assert.equal([...lines.get('src/b.ts')!], []);
  });

  test('the suites of a file are the nearest ones, those of its words first; kernels have those of their folder', () => {
    const graph = new Map([
      ['test/a.test.ts', ['src/x/y-z.ts']],
      ['test/x.test.ts', ['src/x/y-z.ts']],
      ['test/x-z.test.ts', ['src/x/y-z.ts']],
      ['test/y.test.ts', ['test/a.test.ts']],
      ['test/y-z.test.ts', ['test/y.test.ts']],
      ['test/other.test.ts', []],
    ]);
    const suites = ['a', 'other', 'x', 'x-z', 'y', 'y-z'].map((name) => `${name}.test.ts`);
    assert.equal(suitesFor('src/x/y-z.ts', suites, graph), [
      'x-z.test.ts',
      'x.test.ts',
      'a.test.ts',
      'y.test.ts',
    ]);
    assert.equal(suitesFor('src/x/y-z.ts', ['other.test.ts', 'y.test.ts'], graph), ['y.test.ts']);
    const all = readdirSync('test').filter((file) => file.endsWith('.test.ts'));
    const ofConvolutions = all.filter((name) => /^(conv-kernels|winograd)/.test(name));
    assert.ok(ofConvolutions.length > 1);
    assert.equal(suitesFor('assembly/conv/direct.ts', all, graph).sort(), ofConvolutions.sort());
    for (const folder of readdirSync('assembly')) {
      assert.ok(suitesFor(`assembly/${folder}/x.ts`, all, graph).length > 0, folder);
    }
  });
});
