import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type BackendName, backend, setBackend } from '../src/backend/backend.ts';
import {
  convertCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  requireKind,
  restoreParameters,
  saveCheckpoint,
} from '../src/checkpoint/checkpoint.ts';
import { requireDigest, tensorsDigest } from '../src/checkpoint/digest.ts';
import type { TensorData } from '../src/checkpoint/dtype.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../src/checkpoint/safetensors.ts';
import { FileError, FormatError, type LangevinError, ValueError } from '../src/errors.ts';
import { ConvDenoiser } from '../src/models/networks/conv-denoiser.ts';
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
  test('a model and its description are read back from its file bit for bit', async () => {
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
        convolutions: 'standard',
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

  test('a seed has the same type and value after it is written and read', () => {
    for (const seed of ['7', 7, '', -0.5]) {
      assert.is(decodeCheckpoint(encodeCheckpoint(denoiser(), { ...info, seed })).seed, seed);
    }
    assert.is(decodeCheckpoint(encodeCheckpoint(denoiser(), info)).seed, undefined);
  });

  test('loading a model advances no generator', async () => {
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

  test('a file in float16 has two bytes a parameter, and opens with the parameters rounded to halves', () => {
    const model = denoiser(3);
    const whole = encodeCheckpoint(model, info);
    const half = encodeCheckpoint(model, info, undefined, { dtype: 'float16' });
    const { tensors, metadata } = decodeSafetensors(half);
    assert.is(metadata.get('dtype'), 'float16');
    assert.equal([...new Set([...tensors.values()].map((t) => t.dtype))], ['F16']);
    const opened = denoiser();
    restoreParameters(opened, decodeCheckpoint(half));
    const errors = values(opened).flatMap((p, i) => p.map((x, j) => Math.abs(x - values(model)[i][j])));
    const largest = Math.max(...values(model).flat().map(Math.abs));
    assert.ok(Math.max(...errors) <= largest * 2 ** -11, `${Math.max(...errors)}`);
    assert.ok(
      errors.some((e) => e > 0),
      'some are rounded',
    );
    const f32 = decodeSafetensors(encodeCheckpoint(model, info, undefined, { dtype: 'float32' })).tensors;
    for (const [name, { dtype, data }] of f32) {
      const own = decodeSafetensors(whole).tensors.get(name)!.data as Float32Array;
      assert.equal([dtype, data], ['F32', Float32Array.from(own)]);
    }
    const wrong = { dtype: 'floats16' as 'float16' };
    refused(
      () => encodeCheckpoint(model, info, undefined, wrong),
      ValueError,
      'dtype: expected float32 or float16, got "floats16". Did you mean "float16"?',
    );
  });

  test('a converted file has the same metadata, without the state of its run', () => {
    const moment: StoredTensor = { dtype: 'F32', shape: [1], data: Float32Array.of(7) };
    const training = { tensors: new Map([['m', moment]]), progress: { step: 3 } };
    const said = { ...info, settings: { lr: 0.1, note: 'é' }, seed: 'abc' };
    const read = decodeCheckpoint(encodeCheckpoint(denoiser(4), said, training), 'a.st');
    assert.ok(read.training);
    const {
      parameters,
      source: _,
      ...rest
    } = decodeCheckpoint(convertCheckpoint(read, { dtype: 'float16' }));
    const { parameters: before, source: __, training: ___, ...expected } = read;
    assert.equal(rest, expected);
    assert.equal([...parameters.keys()].sort(), [...before.keys()].sort());
    const again = convertCheckpoint(decodeCheckpoint(convertCheckpoint(read, { dtype: 'float16' })), {
      dtype: 'float16',
    });
    assert.equal(again, convertCheckpoint(read, { dtype: 'float16' }), 'what is rounded stays as it is');
    const large = new Map(before);
    large.set('decoder.2.bias', { dtype: 'F64', shape: [12], data: new Float64Array(12).fill(1e39) });
    refused(
      () => convertCheckpoint({ ...read, parameters: large }, { dtype: 'float16' }),
      FormatError,
      /^a\.st: safetensors: decoder\.2\.bias: expected numbers from -65504 to 65504 for F16, got 1e\+39$/,
    );
    refused(
      () => convertCheckpoint({ ...read, parameters: large }, { dtype: 'float32' }),
      FormatError,
      /^a\.st: decoder\.2\.bias: expected numbers that float32 can represent, got 1e\+39$/,
    );
  });

  test('the weights of a convolution have the same order of axes in a float16 file as in a float32 one', () => {
    const model = new ConvDenoiser({ height: 4, width: 4, channels: 1 }, new Rng(1));
    const sizes = { height: 4, width: 4, channels: 1 };
    const files = (['float32', 'float16'] as const).map((dtype) =>
      decodeSafetensors(encodeCheckpoint(model, { kind: 'conv-denoiser', sizes }, undefined, { dtype })),
    );
    const [f32, f16] = files.map(({ tensors }) => tensors);
    assert.ok([...f32.values()].some(({ shape }) => shape.length === 4));
    for (const [name, { shape, data }] of f32) {
      const half = f16.get(name)!;
      assert.equal(half.shape, shape);
      for (let i = 0; i < data.length; i++) {
        const x = data[i] as number;
        assert.ok(Math.abs((half.data[i] as number) - x) <= Math.max(Math.abs(x) * 2 ** -11, 2 ** -25), name);
      }
    }
  });

  test('the digest is the SHA-256 of names, types, shapes and bytes, for any order and metadata', async () => {
    const a = { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1.5, -2) } as const;
    const b = { dtype: 'F16', shape: [1], data: Float32Array.of(1) } as const;
    const expected = createHash('sha256')
      .update('["a","F32",[1,2]]\n')
      .update(Uint8Array.of(0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0))
      .update('["é\\"","F16",[1]]\n')
      .update(Uint8Array.of(0, 0x3c))
      .digest('hex');
    const digest = (...words: Parameters<typeof encodeSafetensors>) =>
      tensorsDigest(encodeSafetensors(...words));
    assert.is(
      await digest([
        ['a', a],
        ['é"', b],
      ]),
      expected,
    );
    assert.is(
      await digest(
        [
          ['é"', b],
          ['a', a],
        ],
        { x: 'y' },
      ),
      expected,
    );
    const others = await Promise.all([
      digest([
        ['a', a],
        ['e"', b],
      ]),
      digest([
        ['a', { ...a, shape: [2, 1] }],
        ['é"', b],
      ]),
      digest([
        ['a', { ...a, data: Float32Array.of(1.5, 2) }],
        ['é"', b],
      ]),
      digest([
        ['a', a],
        ['é"', { ...b, dtype: 'F32' }],
      ]),
      digest([['a', a]]),
    ]);
    assert.is(new Set([...others, expected]).size, 6);
    // Two tensors of the same size keep their order in the file. The digest sorts them by name.
    const [c, d] = [Float32Array.of(1), Float32Array.of(2)].map(
      (data) => ({ dtype: 'F32', shape: [1], data }) as const,
    );
    assert.is(
      await digest([
        ['c', c],
        ['d', d],
      ]),
      await digest([
        ['d', d],
        ['c', c],
      ]),
    );
  });

  test('a file with a digest is refused if a bit of a tensor has changed', async () => {
    const read = decodeCheckpoint(encodeCheckpoint(denoiser(6), info), 'a.st');
    const digest = await tensorsDigest(convertCheckpoint(read, { dtype: 'float16' }));
    const bytes = convertCheckpoint(read, { dtype: 'float16', digest });
    assert.is(decodeCheckpoint(bytes).digest, digest);
    await requireDigest(bytes, decodeCheckpoint(bytes));
    await requireDigest(encodeCheckpoint(denoiser(), info), read);
    bytes[bytes.length - 1] ^= 1;
    await rejected(
      requireDigest(bytes, decodeCheckpoint(bytes, 'a.st')),
      FormatError,
      /^a\.st: expected tensors of the digest "[0-9a-f]{40}"…, got "[0-9a-f]{40}"…; the file is damaged$/,
    );
  });

  test('a file that is no model of langevin is refused, with its name', () => {
    const cases: [Parameters<typeof tampered>[0], RegExp][] = [
      [
        { metadata: { model: undefined } },
        /^a\.st: expected a model of langevin, got a safetensors file without the name of a model$/,
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

  test('a denoiser is not read from a missing file, another model, or sizes that do not fit', async () => {
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
