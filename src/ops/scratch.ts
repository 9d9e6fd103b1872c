/** Scratch memory for an op's forward pass. A backward pass has `into.scratch`. */
import type { Backend } from '../backend/backend.ts';
import type { Ptr } from '../backend/kernels.ts';

/** Runs `body` with a function that allocates elements in the arena. The memory is released when `body` ends. */
export function withScratch({ arena, elementBytes }: Backend, body: (scratch: (n: number) => Ptr) => void) {
  const frame = arena.open();
  try {
    body((n) => arena.alloc(n * elementBytes));
  } finally {
    arena.close(frame);
  }
}
