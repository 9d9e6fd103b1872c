/** The documents: their links lead somewhere, and what they say of a file or a line is there. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from './suite.ts';

/** Every document that is committed. */
const documents = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');
const read = (path: string) => readFileSync(path, 'utf8');

/** The links of a document outside of its code blocks: their texts, and their targets within the project. */
function linksOf(document: string): { text: string; path: string; line: number | null }[] {
  const prose = read(document).replace(/^(`{3,}).*?^\1/gms, '');
  return [...prose.matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .filter(([, , target]) => !/^(https?:|#)/.test(target))
    .map(([, text, target]) => {
      const [path, anchor] = target.split('#');
      const line = /^L(\d+)$/.exec(anchor ?? '')?.[1];
      return { text, path: join(dirname(document), path), line: line === undefined ? null : Number(line) };
    });
}

suite('documents', (test) => {
  test('links within the project lead to files', () => {
    assert.ok(documents.length > 10);
    for (const document of documents) {
      for (const { path } of linksOf(document)) assert.ok(existsSync(path), `${document}: ${path}`);
    }
  });

  test('a link to a line has as its text a piece of that line', () => {
    const lines = documents.flatMap((document) => linksOf(document).map((link) => ({ document, ...link })));
    const numbered = lines.filter(({ line }) => line !== null);
    assert.ok(numbered.length > 5, `${numbered.length}`);
    for (const { document, text, path, line } of numbered) {
      const code = text.replace(/^`|`$/g, '');
      const found = read(path).split('\n')[line! - 1] ?? '';
      assert.ok(
        found.includes(code),
        `${document}: expected ${code} in line ${line} of ${path}, got ${found}`,
      );
    }
  });

  test('names that the reading path points to are in its files', () => {
    const stops = read('src/README.md')
      .split('\n')
      .filter((line) => /^\| *\d+ *\|/.test(line));
    assert.is(stops.length, 12);
    for (const stop of stops) {
      const [, , file, , notice] = stop.split('|');
      const path = join('src', /\(([^)]+)\)/.exec(file)![1]);
      const names = [...notice.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
      assert.ok(names.length > 0, stop);
      for (const name of names.filter((name) => name !== 'gemm'))
        assert.match(read(path), name, `${path}: ${name}`);
    }
  });
});
