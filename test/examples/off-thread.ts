/**
 * A page that trains in a worker, so that it can draw and answer clicks meanwhile. A bundler makes two files, this one
 * and off-thread-worker.js. The document has `<p id="status">` and `<button id="stop">`.
 */
import {
  addNoise,
  Denoiser,
  decodeCheckpoint,
  loadStrokes,
  mse,
  Rng,
  restoreParameters,
  runInWorker,
  scope,
  tensor,
} from 'langevin';
import type { News } from './off-thread-worker.js';

const status = document.querySelector('#status')!;
let stopped = false;
document.querySelector('#stop')!.addEventListener('click', () => {
  stopped = true;
});

const worker = new Worker(new URL('./off-thread-worker.js', import.meta.url), { type: 'module' });
for await (const news of runInWorker<News>(worker, { pictures: 640 })) {
  if (stopped) break; // ends the training too
  status.textContent =
    'model' in news ? use(news.model) : `batch ${news.batch}: loss ${news.loss.toFixed(3)}`;
}
worker.terminate();
if (stopped) status.textContent = 'stopped';

/** Loads the file into a model of this thread, and cleans noised pictures with it. */
function use(file: Uint8Array): string {
  const model = new Denoiser();
  restoreParameters(model, decodeCheckpoint(file, 'the file of the worker'));
  const { images, length, height, width } = loadStrokes({ train: 1, test: 20 }).test;
  return scope(() => {
    const clean = tensor(
      Float32Array.from(images, (byte) => byte / 255),
      [length, height, width, 1],
    );
    const noisy = addNoise(clean, 0.5, new Rng(2));
    const [before, after] = [noisy, model.forward(noisy)].map((x) => mse(x, clean).item().toFixed(3));
    return `trained: the error fell from ${before} to ${after}`;
  });
}
