/** The command `export --to onnx`, run as a user runs it. test/onnx.test.ts runs the files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { failed, inFolder, langevin, npmRun, ok, ROOT } from './dist.ts';
import { suite } from './suite.ts';

npmRun('build:node');

/** The files of the build that a file imports when it is loaded, with itself. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(ROOT, 'dist', file), 'utf8');
  for (const [, name] of text.matchAll(
    /^(?:import|\} from|export .* from)\b[^;]*?"\.{1,2}\/([\w./-]+\.js)";$/gm,
  )) {
    loadedBy(name.startsWith('chunks/') || file === name ? name : join('chunks', name), found);
  }
  return found;
}

suite('cli: onnx', (test) => {
  test('a model is exported to one ONNX file, and options of other formats are refused', () =>
    inFolder(async (folder) => {
      const words = ['export', '--model', 'strokes-unet', '--to', 'onnx'];
      const stdout = await ok([...words, '--out', 'o'], folder);
      assert.match(stdout, /^wrote +o\/model\.onnx +the network, weights in float32$/m);
      assert.match(stdout, /^digest +[0-9a-f]{64}$/m);
      assert.equal(readdirSync(join(folder, 'o')), ['model.onnx']);
      const refused = async (more: string, message: RegExp) =>
        failed(await langevin([...words, ...more.split(' '), '--quiet'], folder), 2, message);
      await refused('--name a', /--name: expected --to langevin with it, got --to onnx/);
      await refused('--examples 3', /--examples: expected --to pytorch with it, got --to onnx/);
    }));

  test('protobufjs is loaded for this export only', () => {
    const chunks = readdirSync(join(ROOT, 'dist', 'chunks')).map((name) => join('chunks', name));
    const holders = chunks.filter((file) =>
      /node_modules\/protobufjs/.test(readFileSync(join(ROOT, 'dist', file), 'utf8')),
    );
    assert.is(holders.length, 1);
    for (const start of ['index.js', 'cli.js']) {
      const loaded = loadedBy(start);
      assert.ok(loaded.size > 3, `${start} loads chunks`);
      assert.not(loaded.has(holders[0]), start);
    }
  });
});
