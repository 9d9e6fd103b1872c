/** The commands `export --to pytorch` and `import`, run as a user runs them. test/pytorch.test.ts runs the Python files. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { decodeSafetensors, encodeSafetensors } from '../src/checkpoint/safetensors.ts';
import { decodeNpy } from '../src/data/npy.ts';
import { failed, inFolder, langevin, npmRun, ok, TRAIN_TINY as TRAIN } from './dist.ts';
import { suite } from './suite.ts';

npmRun('build:node');

suite('cli: pytorch', (test) => {
  test('a model is exported to PyTorch with its pictures, and its state dict is imported again', () =>
    inFolder(async (folder) => {
      await ok([...TRAIN, '--epochs', '2', '--quiet', '--out', 'm'], folder);
      const run = 'm/checkpoint-00000006.safetensors';
      const stdout = await ok(
        ['export', '--model', run, '--to', 'pytorch', '--examples', '60', '--out', 'p'],
        folder,
      );
      assert.match(stdout, /^wrote +p\/model\.py +the network as a PyTorch module$/m);
      assert.match(stdout, /^ +p\/pictures\.npy +60 training pictures$/m);
      assert.equal(readdirSync(join(folder, 'p')).sort(), [
        'labels.npy',
        'model.py',
        'pictures.npy',
        'process.py',
        'sample.py',
        'train.py',
        'weights.safetensors',
      ]);
      const bytes = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
      assert.equal(decodeNpy(bytes('p/pictures.npy')).shape, [60, 28, 28]);
      assert.equal(decodeNpy(bytes('p/labels.npy')).shape, [60]);
      // The run of the checkpoint goes on here too.
      const more = [
        '--resume',
        '../p/weights.safetensors',
        '--epochs',
        '3',
        '--threads',
        '1',
        '--out',
        '../r',
      ];
      await ok(['train', 'diffusion', ...more, '--quiet'], join(folder, 'm'));

      const { tensors } = decodeSafetensors(bytes('p/weights.safetensors'));
      const state = [...tensors].filter(([name]) => !name.startsWith('training.'));
      writeFileSync(join(folder, 'state.st'), encodeSafetensors([...state, ['extra', state[0][1]]]));
      const said = await ok(['import', '--weights', 'state.st', '--model', 'm', '--out', 'i'], folder);
      assert.match(
        said,
        /^weights +state\.st: 15 tensors, F32\nmodel +m\/model\.safetensors: diffusion-mlp\n/,
      );
      assert.match(said, /^matched +14 of 14 tensors\nignored +extra$/m);
      const [model, back] = [
        await loadCheckpoint(join(folder, 'm/model.safetensors')),
        await loadCheckpoint(join(folder, 'i/model.safetensors')),
      ];
      assert.equal(back.parameters, model.parameters);
      assert.equal(back.settings, model.settings);

      const plain = await ok(['export', '--model', 'm', '--to', 'pytorch', '--out', 'q'], folder);
      assert.not.match(plain, /pictures/);
      const refused = async (words: string, code: number, message: RegExp) =>
        failed(await langevin([...words.split(' '), '--quiet'], folder), code, message);
      await refused(
        'export --model m --to pytorch --name a',
        2,
        /--name: expected --to langevin with it, got --to/,
      );
      await refused(
        'export --model m --examples 3',
        2,
        /--examples: expected --to pytorch with it, got --to lang/,
      );
      await refused('import --model m', 2, /--weights: expected a safetensors file, got none/);
      await refused(
        'import --weights state.st',
        2,
        /--model: expected a model with the architecture .*, got none/,
      );
      await refused('import --weights none.st --model m', 1, /cannot read none\.st/);
      await refused(
        'import --weights state.st --model strokes-unet',
        1,
        /state\.st: expected the weights of the model/,
      );
    }));
});
