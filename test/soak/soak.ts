/**
 * `npm run soak`: long runs. After 10,000 training steps on all threads the heap has its old size and all workers are
 * alive. After 200 starts and stops of an engine no thread and no memory remains. It takes a few minutes.
 */
import { readdirSync } from 'node:fs';
import { scope } from '../../src/autograd/tape.ts';
import { backend, createWasmBackend, setThreads } from '../../src/backend/backend.ts';
import { ReLU } from '../../src/nn/activation.ts';
import { Linear } from '../../src/nn/linear.ts';
import { Sequential } from '../../src/nn/sequential.ts';
import { Adam } from '../../src/optim/adam.ts';
import { Rng } from '../../src/random/rng.ts';
import { mse } from '../../src/tensor/functions.ts';

const STEPS = 10_000;
const ENGINES = 200;

let failures = 0;
function check(holds: boolean, what: string): void {
  console.log(`${holds ? 'holds' : 'FAILS'}: ${what}`);
  if (!holds) failures++;
}

const threads = () => readdirSync('/proc/self/task').length;
const megabytes = () => process.memoryUsage().rss / 2 ** 20;

setThreads(2);
const rng = new Rng('soak');
const model = new Sequential(new Linear(784, 128, { rng }), new ReLU(), new Linear(128, 784, { rng }));
const adam = new Adam(model.parameters());
const step = () =>
  scope(() => {
    const x = rng.normal([64, 784]);
    const loss = mse(model.forward(x), x);
    adam.zeroGrad();
    loss.backward();
    adam.step();
  });
for (let i = 0; i < 10; i++) step();
const [used, blocks, workers] = [backend().heap.usedBytes, backend().heap.blocks, threads()];
for (let i = 0; i < STEPS; i++) step();
check(
  backend().heap.usedBytes === used,
  `heap after ${STEPS} steps: ${backend().heap.usedBytes} bytes, ${used} before`,
);
check(backend().heap.blocks === blocks, `blocks: ${backend().heap.blocks}, ${blocks} before`);
check(threads() === workers, `threads: ${threads()}, ${workers} before`);
setThreads(1);

const settle = async () => {
  await new Promise((resolve) => setTimeout(resolve, 500));
  globalThis.gc?.();
};
const engine = () => {
  const on = createWasmBackend({ threads: 2 });
  const ptr = on.heap.alloc(4 << 18);
  on.kernels.random('gaussian', { n: 1 << 18, out: ptr, key: { seed: [1, 2], stream: [0, 0] }, block: 0 });
  on.heap.release(ptr);
  on.stop();
};
for (let i = 0; i < 20; i++) engine();
await settle();
const [before, alive] = [megabytes(), threads()];
for (let i = 0; i < ENGINES; i++) {
  engine();
  if (i % 20 === 19) await settle();
}
await settle();
check(threads() <= alive, `threads after ${ENGINES} engines: ${threads()}, ${alive} before`);
check(
  megabytes() < before + 100,
  `resident memory: ${megabytes().toFixed(0)} MB, ${before.toFixed(0)} MB before`,
);
process.exit(failures > 0 ? 1 : 0);
