/** Helpers for the suites of the optimisers: small parameters, chosen gradients, and a run on each backend. */
import { scope } from '../src/autograd/tape.ts';
import { backend, setBackend } from '../src/backend/backend.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';

/** Parameters (leaves that require a gradient), one for each row of `values`. */
export const parametersOf = (values: readonly number[][]): Tensor[] =>
  values.map((row) => tensor(row, { requiresGrad: true }));

/** Runs `body` on one backend after the other. Its argument is the tolerance for numbers of about 1. */
export function onEach(body: (tolerance: number) => void): void {
  const before = backend().name;
  for (const name of ['wasm', 'reference'] as const) {
    setBackend(name);
    try {
      body(name === 'wasm' ? 1e-6 : 1e-13);
    } finally {
      setBackend(before);
    }
  }
}

/** Gives p the gradient g, by the backward pass of Σ g·p. */
export function giveGradient(p: Tensor, g: readonly number[]): void {
  scope(() => {
    const weights = tensor([...g]);
    p.mul(weights).sum().backward();
  });
}
