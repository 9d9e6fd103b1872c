/** Memory that an op's forward pass uses and gives back; a backward pass has `into.scratch`. */
import type { Backend } from '../backend/backend.ts';
import type { Ptr } from '../backend/kernels.ts';

/** Runs `body` with an allocator of elements in the arena, whose frame ends with it. */
export function withScratch({ arena, elementBytes }: Backend, body: (scratch: (n: number) => Ptr) => void) {
  const frame = arena.open();
  try {
    body((n) => arena.alloc(n * elementBytes));
  } finally {
    arena.close(frame);
  }
}
