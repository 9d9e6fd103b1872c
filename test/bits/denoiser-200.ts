/**
 * The oldest fingerprint: 200 training steps of a denoiser that is built from layers, on drawn digits. Its SHA-256 is
 * of the bytes only, without names and shapes.
 */
import { noGrad, scope } from '../../src/autograd/tape.ts';
import { sha256 } from '../../src/data/bytes.ts';
import { strokeDigits } from '../../src/data/strokes.ts';
import { ReLU, Sigmoid } from '../../src/nn/activation.ts';
import { Linear } from '../../src/nn/linear.ts';
import { Sequential } from '../../src/nn/sequential.ts';
import { Adam } from '../../src/optim/adam.ts';
import { Rng } from '../../src/random/rng.ts';
import { empty } from '../../src/tensor/create.ts';
import { mse } from '../../src/tensor/functions.ts';

const BATCH = 64;
const STEPS = 200;

/**
 * Trains the denoiser for 200 steps on ten batches of strokes, and hashes its parameters, Adam's two moments, and
 * a denoised batch with its noise.
 */
export async function denoiser200(seed: string | number): Promise<string> {
  const rng = new Rng(seed);
  const layers = [784, 400, 400, 400, 784].flatMap((size, i, sizes) =>
    i === 0 ? [] : [new Linear(sizes[i - 1], size, { rng }), i < 4 ? new ReLU() : new Sigmoid()],
  );
  const model = new Sequential(...layers);
  const adam = new Adam(model.parameters());
  const noise = rng.stream('noise');
  const { images } = strokeDigits(seed, 10 * BATCH);
  const pixels = Float32Array.from(images, (byte) => byte / 255);
  const x = empty([BATCH, 784]);
  for (let step = 0; step < STEPS; step++) {
    const at = (step % 10) * BATCH * 784;
    x.set(pixels.subarray(at, at + BATCH * 784));
    scope(() => {
      const loss = mse(model.forward(x.add(noise.normal([BATCH, 784]).mul(0.5))), x);
      adam.zeroGrad();
      loss.backward();
      adam.step();
    });
  }
  const parts = [...model.parameters(), ...adam.moments].map((p) => p.backend.read(p.ptr, p.size));
  noGrad(() =>
    scope(() => {
      const noisy = x.add(noise.normal([BATCH, 784]).mul(0.5));
      parts.push(noisy.toTypedArray(), model.forward(noisy).toTypedArray());
    }),
  );
  model.dispose();
  x.dispose();
  const bytes = new Uint8Array(parts.reduce((n, part) => n + part.byteLength, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), end);
    end += part.byteLength;
  }
  return sha256(bytes);
}
