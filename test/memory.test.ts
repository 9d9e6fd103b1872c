/**
 * The heap and the arena over a simulated memory, which only counts, so that every address can be checked. Then the
 * lifetime of tensors, out-of-memory errors, and the memory after a training step.
 */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { Storage } from '../src/autograd/variable.ts';
import { backend, createWasmBackend } from '../src/backend/backend.ts';
import { InternalError, LifetimeError, OutOfMemoryError } from '../src/errors.ts';
import { Arena } from '../src/memory/arena.ts';
import { Heap, type LinearMemory, sizeClass } from '../src/memory/heap.ts';
import { ReLU, Sigmoid } from '../src/nn/activation.ts';
import { Linear } from '../src/nn/linear.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { Adam } from '../src/optim/adam.ts';
import { clipGradNorm } from '../src/optim/clip.ts';
import { SGD } from '../src/optim/sgd.ts';
import { Rng } from '../src/random/rng.ts';
import { full, ones, tensor, zeros } from '../src/tensor/create.ts';
import { mse } from '../src/tensor/functions.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const MIB = 1 << 20;

/** A simulated memory, which has only a size. It grows up to a limit. */
class CountedMemory implements LinearMemory {
  byteLength = 0;
  grown = 0;
  constructor(public limit = Infinity) {}
  grow(bytes: number): void {
    if (bytes > this.limit) throw new OutOfMemoryError(`out of memory: ${bytes} of ${this.limit} bytes`);
    this.byteLength = bytes;
    this.grown++;
  }
}

suite('heap', (test) => {
  test('a size class is large enough, wastes at most a quarter, and is its own class', () => {
    const sizes = Array.from({ length: 20_000 }, (_, i) => i);
    for (let bytes = 20_000; bytes < 2 ** 40; bytes = Math.ceil(bytes * 1.03)) sizes.push(bytes - 1, bytes);
    for (let k = 6; k < 45; k++) sizes.push(2 ** k - 1, 2 ** k, 2 ** k + 1);
    for (const bytes of sizes) {
      const size = sizeClass(bytes);
      assert.ok(size >= bytes && size % 64 === 0 && size >= 64, `${bytes} -> ${size}`);
      if (bytes > 256) assert.ok(size <= 1.25 * bytes, `${bytes} -> ${size}`);
      else assert.ok(size - bytes <= 64, `${bytes} -> ${size}`);
      assert.is(sizeClass(size), size);
    }
    assert.equal(
      [0, 1, 64, 65, 256, 257, 513, 641, 1025].map(sizeClass),
      [64, 64, 64, 128, 256, 320, 640, 768, 1280],
    );
  });

  test('blocks are aligned to 64 bytes from an odd base on, and never overlap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9000 }), fc.boolean()), { maxLength: 60 }),
        (base, requests) => {
          const memory = new CountedMemory();
          const heap = new Heap(memory, base);
          const live: [number, number][] = [];
          for (const [bytes, release] of requests) {
            if (release && live.length > 0) heap.release(live.splice(bytes % live.length, 1)[0][0]);
            else {
              const ptr = heap.alloc(bytes);
              assert.is(ptr % 64, 0);
              assert.ok(ptr >= base && ptr + bytes <= memory.byteLength);
              for (const [other, size] of live) assert.ok(ptr + bytes <= other || other + size <= ptr);
              live.push([ptr, bytes]);
            }
          }
          assert.is(heap.blocks, live.length);
          assert.is(
            heap.usedBytes,
            live.reduce((sum, [, bytes]) => sum + sizeClass(bytes), 0),
          );
        },
      ),
      { seed: 1 },
    );
  });

  test('a freed block is the next one of its class, and memory does not grow', () => {
    const memory = new CountedMemory();
    const heap = new Heap(memory, 64);
    const [a, b] = [heap.alloc(1000), heap.alloc(1000)];
    heap.release(a);
    heap.release(b);
    const { byteLength } = memory;
    assert.equal(new Set([heap.alloc(1024), heap.alloc(900)]), new Set([a, b]));
    assert.is(memory.byteLength, byteLength);
    assert.ok(heap.alloc(1000) > b, 'the third is new');
  });

  test('releasing a block twice, or an address that is not a block, is an internal error', () => {
    const heap = new Heap(new CountedMemory(), 64);
    const a = heap.alloc(10);
    heap.release(a);
    refused(() => heap.release(a), InternalError, `internal: heap: block ${a} is not live`);
    refused(() => heap.release(12345), InternalError, 'internal: heap: block 12345 is not live');
    assert.is(heap.blocks, 0);
  });

  test('freed neighbours are merged: fifteen freed blocks hold one of fifteen times the size', () => {
    const size = sizeClass(MIB);
    const memory = new CountedMemory(64 + 16 * size);
    const heap = new Heap(memory, 64);
    const blocks = Array.from({ length: 16 }, () => heap.alloc(MIB));
    refused(() => heap.alloc(64), OutOfMemoryError, /out of memory/);
    // Every second block, then the others: neighbours are not freed one after the other. The last one stays.
    for (const i of [0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13]) heap.release(blocks[i]!);
    assert.is(heap.alloc(14 * MIB), blocks[0]);
    const left = heap.alloc(MIB);
    assert.is(left, blocks[14], 'the rest of the range');
    assert.is(heap.usedBytes, 16 * size);
    refused(() => heap.alloc(64), OutOfMemoryError, /out of memory/);
  });

  test('free memory at the top is used before the memory grows', () => {
    const memory = new CountedMemory();
    const heap = new Heap(memory, 64);
    const [low, high] = [heap.alloc(5 * 1024), heap.alloc(6 * 1024)];
    heap.release(high);
    assert.is(heap.alloc(8 * 1024), high, 'it begins where the freed block began');
    assert.is(memory.byteLength, 64 + 13 * 1024);
    heap.release(low);
    assert.equal([heap.alloc(1024), heap.alloc(4 * 1024)], [low, low + 1024], 'cut from the free block');
  });

  test('a request takes the smallest free range that fits', () => {
    const memory = new CountedMemory();
    const heap = new Heap(memory, 64);
    const block = (kib: number) => heap.alloc(kib * 1024);
    const [wide, , narrow] = [block(10), block(1), block(5), block(1)];
    for (const ptr of [wide!, narrow!]) heap.release(ptr);
    block(20); // grows, and merges before
    assert.equal([block(4), block(7), block(1)], [narrow, wide, narrow! + 4 * 1024]);
  });

  test('a request that does not fit changes nothing', () => {
    const memory = new CountedMemory(10_000);
    const heap = new Heap(memory, 64);
    const a = heap.alloc(5000);
    refused(() => heap.alloc(6000), OutOfMemoryError, /out of memory/);
    refused(() => heap.alloc(2 ** 50), OutOfMemoryError, /out of memory/);
    assert.equal([heap.blocks, heap.usedBytes], [1, sizeClass(5000)]);
    assert.is(heap.alloc(2000), a + sizeClass(5000));
  });
});

suite('arena', (test) => {
  const make = (limit?: number) => {
    const memory = new CountedMemory(limit);
    const heap = new Heap(memory, 64);
    return { memory, heap, arena: new Arena(heap) };
  };

  test('allocations follow one another at multiples of 64, an empty one too', () => {
    const { arena } = make();
    const frame = arena.open();
    const first = arena.alloc(100);
    assert.equal(
      [0, 1, 64, 65].map((bytes) => arena.alloc(bytes) - first),
      [128, 192, 256, 320],
    );
    arena.close(frame);
  });

  test('the end of a scope frees all allocations since its beginning, at every depth', () => {
    const { arena } = make();
    const outer = arena.open();
    const a = arena.alloc(64);
    const inner = arena.open();
    assert.equal([outer.depth, inner.depth], [0, 1]);
    assert.is(arena.alloc(1000), a + 64);
    arena.close(inner);
    assert.equal([outer.alive, inner.alive], [true, false]);
    assert.is(arena.alloc(64), a + 64);
    arena.close(outer);
    assert.is(arena.frame, null);
    const again = arena.open();
    assert.is(arena.alloc(64), a);
    arena.close(again);
  });

  test('scopes that end in the wrong order are a defect', () => {
    const { arena } = make();
    const outer = arena.open();
    arena.open();
    refused(
      () => arena.close(outer),
      InternalError,
      'internal: scopes must end in the reverse of the order they began',
    );
  });

  test('the release of a scope does not touch the heap, for any number of allocations', () => {
    const { arena, heap, memory } = make();
    const step = (n: number) => {
      const frame = arena.open();
      for (let i = 0; i < n; i++) arena.alloc(64);
      return () => arena.close(frame);
    };
    step(10_000)();
    const end = step(10_000);
    let calls = 0;
    for (const name of ['alloc', 'release'] as const) {
      const original = heap[name].bind(heap) as (x: number) => never;
      heap[name] = (x: number): never => {
        calls++;
        return original(x);
      };
    }
    const { grown } = memory;
    end();
    assert.equal([calls, memory.grown], [0, grown]);
  });

  test('a step larger than the chunk takes several chunks, and next time there is one of the whole size', () => {
    const { arena, heap, memory } = make();
    const step = () => {
      const frame = arena.open();
      for (let i = 0; i < 50; i++) arena.alloc(MIB / 4 + 64);
      const { blocks } = heap;
      arena.close(frame);
      return blocks;
    };
    assert.ok(step() > 1);
    assert.is(heap.blocks, 1);
    const { byteLength } = memory;
    for (let i = 0; i < 100; i++) assert.is(step(), 1);
    assert.is(memory.byteLength, byteLength);
    assert.is(arena.highWater, 50 * (MIB / 4 + 64));
  });

  test('an inner scope that needed further chunks leaves them to the rest of the outer one', () => {
    const { arena, heap } = make();
    const outer = arena.open();
    const a = arena.alloc(MIB / 2);
    const addresses = [0, 1, 2].map(() => {
      const inner = arena.open();
      const ptr = arena.alloc(3 * MIB);
      arena.close(inner);
      return ptr;
    });
    assert.is(new Set(addresses).size, 1);
    assert.is(heap.blocks, 2);
    assert.is(arena.alloc(64), a + MIB / 2, 'the first chunk goes on where it was');
    arena.close(outer);
    assert.is(heap.blocks, 1);
  });

  test('running out of memory inside scopes leaves all of them in order', () => {
    const { arena, heap } = make(8 * MIB);
    const outer = arena.open();
    const a = arena.alloc(MIB / 2);
    const inner = arena.open();
    arena.alloc(MIB);
    refused(() => arena.alloc(20 * MIB), OutOfMemoryError, /out of memory/);
    const b = arena.alloc(64);
    arena.close(inner);
    assert.is(arena.alloc(64), a + MIB / 2);
    assert.not.equal(b, a);
    arena.close(outer);
    const again = arena.open();
    for (let i = 0; i < 20; i++) arena.alloc(MIB / 20);
    arena.close(again);
    assert.is(arena.frame, null);
    assert.ok(heap.usedBytes <= 8 * MIB);
  });

  test('if memory is too short to double or merge chunks, the arena uses the chunks that it has', () => {
    const { arena, heap } = make(5 * MIB);
    for (let step = 0; step < 5; step++) {
      const frame = arena.open();
      const seen: number[] = [];
      for (let i = 0; i < 9; i++) seen.push(arena.alloc(MIB / 2));
      seen.sort((x, y) => x - y);
      for (let i = 1; i < 9; i++) assert.ok(seen[i] - seen[i - 1] >= MIB / 2, 'disjoint');
      arena.close(frame);
      assert.ok(heap.blocks > 1, 'not merged');
    }
  });
});

/** Collects garbage until the condition holds, for at least a tenth of a second if it does not. */
async function collect(until: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !until(); i++) {
    gc!();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

suite('lifetime of tensors', (test) => {
  test('a scope returns what its body returns', () => {
    assert.is(
      scope(() => scope(() => 42) + 1),
      43,
    );
    assert.equal(
      scope(() => ones([2]).toArray()),
      [1, 1],
    );
  });

  test('every use of a tensor of an ended scope throws, and the error names the remedy', () => {
    const [x, y] = scope(() => [ones([2, 3]), zeros([2, 3])]);
    const message = 'tensor [2,3] was used after its scope ended: return it with keep()';
    const uses: (() => unknown)[] = [
      () => x.toArray(),
      () => x.toTypedArray(),
      () => x.keep(),
      () => x.add(1),
      () => ones([2, 3]).mul(x),
      () => x.matmul(y, { bT: true }),
      () => x.reshape(6),
      () => x.set([1, 2, 3, 4, 5, 6]),
      () => y.copyFrom(x),
      () => ones([2, 3]).copyFrom(x),
      () => x.dispose(),
      () => scope(() => x.sum()),
    ];
    for (const use of uses) refused(use, LifetimeError, message);
    assert.is(x.alive, false);
    assert.is(String(x), 'tensor [2,3] (released)');
  });

  test('keep copies to the heap: the copy outlives the scope and is freed by dispose', () => {
    const { heap } = backend();
    const before = heap.blocks;
    const kept = scope(() => scope(() => tensor([1, 2]).mul(3).keep()));
    assert.ok(kept.onHeap && kept.alive);
    scope(() => full([1000], 9));
    assert.equal(kept.toArray(), [3, 6]);
    assert.is(heap.blocks, before + 1);
    kept.dispose();
    assert.is(heap.blocks, before);
    refused(() => kept.toArray(), LifetimeError, 'tensor [2] was used after dispose()');
  });

  test('disposing of a tensor twice is an error, in a scope and outside', () => {
    const dispose = () => {
      const x = ones([3]);
      x.dispose();
      refused(() => x.dispose(), LifetimeError, 'dispose: tensor [3] was disposed already');
      refused(() => x.sum(), LifetimeError, 'tensor [3] was used after dispose()');
    };
    dispose();
    scope(dispose);
  });

  test('tensors that share memory keep it until the last is disposed of', () => {
    const { heap } = backend();
    const before = heap.blocks;
    const x = tensor([1, 2, 3, 4]);
    const y = x.reshape(2, 2);
    x.dispose();
    assert.equal(y.toArray(), [
      [1, 2],
      [3, 4],
    ]);
    assert.is(heap.blocks, before + 1);
    y.dispose();
    assert.is(heap.blocks, before);
  });

  test('a view of older memory ends with its scope, and then does not hold the memory', () => {
    const { heap } = backend();
    scope(() => ones([1])); // the arena has its chunk
    const before = heap.blocks;
    const x = ones([6]);
    const y = scope(() => {
      for (const of of [x, x.add(1)]) {
        const inner = scope(() => of.reshape(3, 2));
        refused(() => inner.sum(), LifetimeError, /tensor \[3,2\] was used after its scope ended/);
      }
      const view = x.reshape(2, 3);
      x.dispose();
      const others = [5, 6, 7].map((value) => full([6], value).keep());
      assert.equal(view.sum().item(), 6, 'no other tensor has its memory, though its first owner is gone');
      for (const other of others) other.dispose();
      return view;
    });
    assert.is(heap.blocks, before);
    refused(() => y.sum(), LifetimeError, /tensor \[2,3\] was used after its scope ended/);
  });

  test('a tensor from before a scope can be used and freed inside it', () => {
    const x = ones([2]);
    scope(() => {
      assert.is(x.onHeap, true);
      assert.is(x.add(1).onHeap, false);
      x.dispose();
    });
    assert.is(x.alive, false);
  });

  test('unreachable tensors outside of scopes are freed by the garbage collector, and their views too', async () => {
    const { heap } = backend();
    await collect(() => false);
    const before = heap.blocks;
    const forget = () => {
      for (let i = 0; i < 100; i++) ones([1000]);
      return ones([6]).reshape(2, 3);
    };
    let view: Tensor | null = forget();
    assert.is(heap.blocks, before + 101);
    await collect(() => heap.blocks === before + 1);
    assert.is(heap.blocks, before + 1);
    assert.equal(view.toArray(), [
      [1, 1, 1],
      [1, 1, 1],
    ]);
    view = null;
    await collect(() => heap.blocks === before);
    assert.is(heap.blocks, before);
  });

  test('a parameter in the block of an optimiser has left its memory, and the block is freed with the last of both', async () => {
    const { heap } = backend();
    await collect(() => false);
    const before = heap.blocks;
    const optimise = () => {
      const p = tensor([1, 2], { requiresGrad: true });
      const old = p.detached();
      assert.is(heap.blocks, before + 1);
      new SGD([p], { lr: 1 });
      assert.is(heap.blocks, before + 3, 'values, gradients, and the old memory of the other tensor');
      old.dispose();
      assert.is(heap.blocks, before + 2, 'values and gradients');
      return [tensor([3, 4], { requiresGrad: true })].map((q) => {
        const alias = q.detached();
        new SGD([q], { lr: 1 });
        return alias;
      })[0];
    };
    const alias: Tensor = optimise();
    await collect(() => heap.blocks === before + 1);
    await collect(() => false);
    assert.is(heap.blocks, before + 1, 'only the old memory of q is left, which a reachable tensor has');
    assert.equal([alias.alive, ...alias.toTypedArray()], [true, 3, 4]);
    alias.dispose();
    assert.is(heap.blocks, before);
  });
});

suite('out of memory', (test) => {
  const on = (pages: number) => {
    const small = createWasmBackend({ maxPages: pages });
    return { small, make: (n: number) => new Tensor(Storage.inScope(n, small), [n]) };
  };

  test('the last block of a full memory can be written: no block ends at 4 GiB, where 32 bits overflow', () => {
    const on = createWasmBackend();
    const blocks: { ptr: number; n: number }[] = [];
    for (let bytes = 2 ** 30; bytes >= 64; ) {
      try {
        blocks.push({ ptr: on.heap.alloc(bytes), n: bytes / 4 });
      } catch (error) {
        assert.instance(error, OutOfMemoryError);
        bytes /= 2;
      }
    }
    assert.ok(on.heap.usedBytes > 3.9 * 2 ** 30, `${on.heap.usedBytes} bytes were given`);
    for (const { ptr, n } of blocks.slice(-3)) {
      on.kernels.fill({ n, out: ptr, value: 7 });
      assert.equal(Array.from(on.read(ptr, n)), Array(n).fill(7));
      on.kernels.unary('neg', { n, x: ptr, out: { ptr, accumulate: true } });
      assert.equal(Array.from(on.read(ptr, n)), Array(n).fill(0));
    }
  });

  test('a tensor that does not fit is refused with the free size, and the program can continue', () => {
    const { small, make } = on(256); // 16 MiB
    const a = make(1000).set(new Float32Array(1000).fill(3));
    refused(
      () => make(5e6),
      OutOfMemoryError,
      /^out of memory: 0\.\d\d GiB of WebAssembly memory needed, 0\.00 GiB in use, the limit is 0\.02 GiB; free tensors with scope\(\) or dispose\(\)$/,
    );
    const held: Tensor[] = [];
    assert.throws(
      () => {
        for (;;) held.push(make(100_000));
      },
      (error: Error) => error instanceof OutOfMemoryError,
    );
    assert.ok(held.length > 20, `${held.length} blocks of 0.4 MB fitted`);
    for (const x of held) x.dispose();
    const sum = make(1000);
    small.kernels.fill({ n: 1000, out: sum.ptr, value: 4 });
    assert.is(a.add(sum).sum().item(), 7000);
  });

  test('numbers and long sums are right after the memory has grown', () => {
    const on = createWasmBackend({ threads: 1 });
    const sumOf = (n: number) => {
      const [x, out] = [on.heap.alloc(4 * n), on.heap.alloc(4)];
      on.kernels.fill({ n, out: x, value: 0.5 });
      const record = { outer: 1, n, inner: 1, x, alpha: 1, out: { ptr: out, accumulate: false } };
      on.kernels.reduce('sum', record);
      return on.at(out);
    };
    const { byteLength } = on.view(0, 1).buffer;
    assert.is(sumOf(2 ** 17), 2 ** 16);
    // The second sum, its elements and its partial sums lie beyond the end of the first memory.
    assert.is(sumOf(2 ** 23), 2 ** 22);
    assert.ok(on.view(0, 1).buffer.byteLength > 8 * byteLength);
    const high = on.heap.alloc(2 ** 20);
    on.write(high, [1, 2, 3]);
    assert.equal([...on.read(high, 3)], [1, 2, 3]);
  });

  test('a step that runs out of memory ends its scope, and the next, smaller one works', () => {
    const { small, make } = on(256);
    for (let round = 0; round < 3; round++) {
      const frame = small.arena.open();
      try {
        const x = make(400_000).set(new Float32Array(400_000).fill(1));
        assert.throws(
          () => {
            for (let i = 0; i < 50; i++) x.add(1);
          },
          (error: Error) => error instanceof OutOfMemoryError,
        );
      } finally {
        small.arena.close(frame);
      }
      const again = small.arena.open();
      assert.is(make(100).set(new Float32Array(100).fill(2)).sum().item(), 200);
      small.arena.close(again);
    }
  });
});

suite('a training step', (test) => {
  /** A training step: batch, noise, forward, loss, backward, clipping and Adam. Returns the loss. */
  function training() {
    const rng = new Rng('step');
    const model = new Sequential(
      new Linear(20, 16, { rng }),
      new ReLU(),
      new Linear(16, 20, { rng }),
      new Sigmoid(),
    );
    const optimizer = new Adam(model.parameters());
    const batch = rng.uniform([8, 20]).toTypedArray();
    const clean = zeros([8, 20]);
    const noise = zeros([8, 20]);
    return () =>
      scope(() => {
        clean.set(batch);
        optimizer.zeroGrad();
        rng.normalInto(noise);
        const loss = mse(model.forward(clean.add(noise.mul(0.5))), clean);
        loss.backward();
        clipGradNorm(model.parameters(), 1);
        optimizer.step();
        return loss.item();
      });
  }

  test('a thousand steps use the same memory as two: arena, heap and WebAssembly', () => {
    const step = training();
    const { arena, heap, view } = backend();
    const memory = () => [arena.highWater, heap.blocks, heap.usedBytes, view(0, 1).buffer.byteLength];
    step();
    step();
    const before = memory();
    for (let i = 0; i < 1000; i++) step();
    assert.equal(memory(), before);
  });

  test('a step without memory for one of its allocations ends in that error, and later steps are as always', () => {
    const { arena, heap } = backend();
    /** Runs `step` with no memory for allocation number k. Returns whether it failed. */
    const fails = (step: () => number, k: number): boolean => {
      const [inArena, onHeap] = [arena.alloc, heap.alloc];
      let left = k;
      const short = <T extends object>(alloc: (this: T, bytes: number) => number) =>
        function (this: T, bytes: number): number {
          if (left-- === 0) throw new OutOfMemoryError(`out of memory: allocation ${k}`);
          return alloc.call(this, bytes);
        };
      Object.assign(arena, { alloc: short(inArena) });
      Object.assign(heap, { alloc: short(onHeap) });
      try {
        step();
        return false;
      } catch (error) {
        assert.instance(error, OutOfMemoryError, `allocation ${k}: ${(error as Error).stack}`);
        return true;
      } finally {
        Object.assign(arena, { alloc: inArena });
        Object.assign(heap, { alloc: onHeap });
      }
    };
    const start = training();
    const expected = [start(), start(), start()];
    let k = 0;
    for (let step = training(); fails(step, k); step = training(), k++) {
      assert.is(arena.frame, null);
      const { blocks } = heap;
      assert.ok(Number.isFinite(step()), `the same step after allocation ${k}`);
      assert.is(heap.blocks, blocks, `blocks after allocation ${k}`);
      const again = training();
      assert.equal([again(), again(), again()], expected, `another training after allocation ${k}`);
    }
    assert.ok(k > 10, `${k} allocations`);
  });

  test.when(
    backend().name === 'wasm',
    'the steady state makes no typed array and no buffer, not even a view',
    () => {
      const step = training();
      for (let i = 0; i < 3; i++) step();
      const made = countTypedArrays(() => {
        for (let i = 0; i < 10; i++) step();
      });
      assert.equal(made, {});
      // The counter works.
      assert.equal(
        countTypedArrays(() => new Float32Array(3).slice(1)),
        { Float32Array: 1, slice: 1 },
      );
    },
  );

  test('the memory of typed arrays outside the engine is the same after a thousand steps', async () => {
    const step = training();
    const settled = async () => {
      // Buffers are freed some time after the garbage collector has found them.
      let least = Infinity;
      for (let i = 0; i < 10; i++) {
        gc!();
        await new Promise((resolve) => setTimeout(resolve, 2));
        least = Math.min(least, process.memoryUsage().arrayBuffers);
      }
      return least;
    };
    for (let i = 0; i < 10; i++) step();
    const before = await settled();
    for (let i = 0; i < 1000; i++) step();
    const grown = (await settled()) - before;
    assert.ok(grown <= 1024, `${grown} bytes in a thousand steps`);
  });
});

/** Runs `body`, and counts constructions of typed arrays, data views and buffers, by `new` or by a method. */
function countTypedArrays(body: () => unknown): Record<string, number> {
  const made: Record<string, number> = {};
  const note = (name: string) => (made[name] = (made[name] ?? 0) + 1);
  const names = [
    'ArrayBuffer',
    'SharedArrayBuffer',
    'DataView',
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
  ];
  const globals = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;
  const originals = names.map((name) => globals[name]);
  const methods = Object.getPrototypeOf(Float32Array).prototype;
  const making = ['slice', 'subarray', 'map', 'filter', 'with', 'toReversed', 'toSorted'];
  const before = Object.getOwnPropertyDescriptors(methods);
  for (const name of making) {
    const { value } = before[name];
    methods[name] = function (...args: unknown[]) {
      note(name);
      return value.apply(this, args);
    };
  }
  for (const name of names) {
    globals[name] = new Proxy(globals[name], {
      construct(target, args, newTarget) {
        note(name);
        return Reflect.construct(target, args, newTarget);
      },
    });
  }
  try {
    body();
  } finally {
    for (const [i, name] of names.entries()) globals[name] = originals[i];
    for (const name of making) Object.defineProperty(methods, name, before[name]);
  }
  return made;
}
