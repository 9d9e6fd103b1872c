import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type BackendName, backend, setBackend } from '../src/backend/backend.ts';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  requireKind,
  restoreParameters,
  saveCheckpoint,
} from '../src/checkpoint/checkpoint.ts';
import type { TensorData } from '../src/checkpoint/dtype.ts';
import { decodeSafetensors, encodeSafetensors } from '../src/checkpoint/safetensors.ts';
import { FileError, FormatError, type LangevinError } from '../src/errors.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { loadDenoiser } from '../src/models/networks/registry.ts';
import type { Module } from '../src/nn/module.ts';
import { Rng, randn, sharedRng } from '../src/random/rng.ts';
import { VERSION } from '../src/version.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const SIZES = { inputs: 12, hidden: 5, code: 3 };
const denoiser = (seed = 0, sizes = SIZES) => new Denoiser({ ...sizes, rng: new Rng(seed) });
const info = { kind: 'denoiser', sizes: SIZES };
const values = (model: Module) => model.parameters().map((p) => [...p.toTypedArray()]);

const dtypeOf = (data: TensorData) =>
  data instanceof Int32Array ? 'I32' : data instanceof Float64Array ? 'F64' : 'F32';

/** The bytes of a checkpoint with its metadata or its tensors changed. */
function tampered(change: {
  metadata?: Record<string, string | undefined>;
  tensors?: (
    name: string,
    data: TensorData,
    shape: readonly number[],
  ) => [string, readonly number[], TensorData][];
}): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(encodeCheckpoint(denoiser(), info));
  const changed = Object.entries({ ...Object.fromEntries(metadata), ...change.metadata }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const kept = [...tensors].flatMap(([name, { data, shape }]) =>
    (change.tensors?.(name, data, shape) ?? [[name, shape, data] as const]).map(
      ([name, shape, data]) => [name, { dtype: dtypeOf(data), shape, data }] as const,
    ),
  );
  return encodeSafetensors(kept, Object.fromEntries(changed));
}

function on<T>(name: BackendName, body: () => T): T {
  const before = backend().name;
  setBackend(name);
  try {
    return body();
  } finally {
    setBackend(before);
  }
}

/** Asserts that `action` rejects with an error of one line that matches. */
async function rejected(
  action: Promise<unknown>,
  type: typeof LangevinError,
  message: RegExp,
): Promise<void> {
  const error = await action.then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  assert.instance(error, type);
  assert.match(error!.message, message);
  assert.not.match(error!.message, /\n/);
}

suite('checkpoint', (test) => {
  test('a model comes back from its file bit for bit, with all that was said of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'langevin-checkpoint-'));
    try {
      const path = join(folder, 'deep', 'model.safetensors');
      const model = denoiser(1);
      await saveCheckpoint(path, model, { ...info, settings: { lr: 0.001, note: 'é "x"' }, seed: 'abc' });
      assert.equal(readdirSync(join(folder, 'deep')), ['model.safetensors'], 'and nothing beside it');
      const { parameters, source, ...rest } = await loadCheckpoint(path);
      assert.is(source, path);
      assert.equal(rest, {
        ...info,
        settings: { lr: 0.001, note: 'é "x"' },
        seed: 'abc',
        version: VERSION,
        backend: backend().name,
        numerics: backend().numerics,
      });
      assert.equal([...parameters.keys()].sort(), [...model.stateDict().keys()].sort());
      const loaded = await loadDenoiser(path);
      assert.equal(loaded.sizes, SIZES);
      assert.equal(values(loaded), values(model));
      const x = randn([2, 12]);
      assert.equal(loaded.forward(x).toArray(), model.forward(x).toArray());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a seed is the same string or number after the way through the file', () => {
    for (const seed of ['7', 7, '', -0.5]) {
      assert.is(decodeCheckpoint(encodeCheckpoint(denoiser(), { ...info, seed })).seed, seed);
    }
    assert.is(decodeCheckpoint(encodeCheckpoint(denoiser(), info)).seed, undefined);
  });

  test('to load a model moves no other generator', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'langevin-checkpoint-'));
    try {
      const path = join(folder, 'model.safetensors');
      await saveCheckpoint(path, denoiser(), info);
      const before = sharedRng().state;
      await loadDenoiser(path);
      assert.equal(sharedRng().state, before);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("each backend writes its own precision, and reads the other's", () => {
    const reference = on('reference', () => encodeCheckpoint(denoiser(2), info));
    const wasm = on('wasm', () => encodeCheckpoint(denoiser(2), info));
    const types = (bytes: Uint8Array) => [
      ...new Set([...decodeSafetensors(bytes).tensors.values()].map((t) => t.dtype)),
    ];
    assert.equal([types(reference), types(wasm)], [['F64'], ['F32']]);
    assert.equal([decodeCheckpoint(reference).numerics, decodeCheckpoint(wasm).backend], ['float64', 'wasm']);
    const read = (name: BackendName, bytes: Uint8Array) =>
      on(name, () => {
        const model = denoiser();
        restoreParameters(model, decodeCheckpoint(bytes));
        return values(model);
      });
    assert.equal(
      read('wasm', reference),
      read('reference', reference).map((p) => p.map(Math.fround)),
    );
    assert.equal(read('reference', wasm), read('wasm', wasm));
  });

  test('PyTorch can read it: the file says format = pt, and half precision written there is read here', () => {
    assert.is(decodeSafetensors(encodeCheckpoint(denoiser(), info)).metadata.get('format'), 'pt');
    // One parameter as bfloat16, by hand: 1, -2 and 0.5 are the upper halves of their float32.
    const header = JSON.stringify({
      __metadata__: { model: 'm', sizes: '{}' },
      w: { dtype: 'BF16', shape: [3], data_offsets: [0, 6] },
    });
    const bytes = new Uint8Array(8 + header.length + 6);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(new TextEncoder().encode(header), 8);
    for (const [i, half] of [0x3f80, 0xc000, 0x3f00].entries()) {
      new DataView(bytes.buffer).setUint16(8 + header.length + 2 * i, half, true);
    }
    assert.equal([...decodeCheckpoint(bytes).parameters.get('w')!.data], [1, -2, 0.5]);
  });

  test('a file that is no model of langevin is refused, with its name', () => {
    const cases: [Parameters<typeof tampered>[0], RegExp][] = [
      [
        { metadata: { model: undefined } },
        /^a\.st: expected a model of langevin, got safetensors that name no model$/,
      ],
      [
        { metadata: { sizes: undefined } },
        /^a\.st: expected metadata "sizes" with whole numbers >= 1, got nothing$/,
      ],
      [{ metadata: { sizes: '[1]' } }, /^a\.st: expected metadata "sizes" to be an object, got a list$/],
      [{ metadata: { sizes: '{"inputs":-1}' } }, /^a\.st: .*got -1 for "inputs"$/],
      [{ metadata: { sizes: '{' } }, /^a\.st: expected metadata "sizes" to be JSON, got "\{"$/],
      [{ metadata: { seed: 'x y' } }, /^a\.st: expected metadata "seed" to be JSON, got "x y"$/],
      [
        { tensors: (name, _, shape) => [[name, shape, new Int32Array(shape.reduce((a, b) => a * b, 1))]] },
        /^a\.st: encoder\.0\.weight: expected one of F64 F32 F16 BF16, got I32$/,
      ],
    ];
    for (const [change, message] of cases) {
      refused(() => decodeCheckpoint(tampered(change), 'a.st'), FormatError, message);
    }
    const bytes = encodeCheckpoint(denoiser(), info);
    refused(() => decodeCheckpoint(bytes.subarray(0, bytes.length - 1), 'a.st'), FormatError, /^a\.st: /);
  });

  test('parameters that do not fit change nothing: another shape, one missing, one too many, another kind', () => {
    const model = denoiser(5);
    const before = values(model);
    const restore = (change: Parameters<typeof tampered>[0]) => () =>
      restoreParameters(model, decodeCheckpoint(tampered(change), 'a.st'));
    refused(
      restore({ tensors: (name, data, shape) => [[name, name === 'decoder.2.bias' ? [3, 4] : shape, data]] }),
      FormatError,
      /^a\.st: .*decoder\.2\.bias of shape \[12\], got \[3,4\]$/,
    );
    refused(
      restore({ tensors: (name, data, shape) => (name === 'decoder.2.bias' ? [] : [[name, shape, data]]) }),
      FormatError,
      /^a\.st: .*expected a parameter "decoder\.2\.bias", got none$/,
    );
    refused(
      restore({
        tensors: (name, data, shape) => [
          [name, shape, data],
          [`${name}s`, shape, data],
        ],
      }),
      FormatError,
      /^a\.st: .*unknown parameter "encoder\.0\.weights"\. Did you mean "encoder\.0\.weight"\?$/,
    );
    assert.equal(values(model), before);
    const checkpoint = decodeCheckpoint(encodeCheckpoint(model, { kind: 'unet', sizes: {} }), 'a.st');
    refused(
      () => requireKind(checkpoint, 'denoiser'),
      FormatError,
      'a.st: expected a model "denoiser", got "unet"',
    );
  });

  test('a denoiser is not made from a missing file, another model, or sizes that are not its own', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'langevin-checkpoint-'));
    try {
      const path = join(folder, 'model.safetensors');
      await rejected(loadDenoiser(path), FileError, /^cannot read .*model\.safetensors: no such file/);
      await saveCheckpoint(path, denoiser(), { kind: 'unet', sizes: SIZES });
      await rejected(loadDenoiser(path), FormatError, /model "denoiser" or "conv-denoiser", got "unet"$/);
      await saveCheckpoint(path, denoiser(), { kind: 'denoiser', sizes: { inputs: 12 } });
      await rejected(
        loadDenoiser(path),
        FormatError,
        /sizes: expected hidden to be a whole number from 1 to 65536, got nothing$/,
      );
      await saveCheckpoint(path, denoiser(), { kind: 'denoiser', sizes: { ...SIZES, hidden: 6 } });
      await rejected(
        loadDenoiser(path),
        FormatError,
        /"encoder\.0\.weight" of shape \[6,12\], got \[5,12\]$/,
      );
      writeFileSync(path, 'not a model');
      await rejected(loadDenoiser(path), FormatError, /model\.safetensors: /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
