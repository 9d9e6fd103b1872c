/** The operands of the benchmark. For comparisons, checkout.ts imports this path from another checkout. */
export { Operands } from '../src/models/benchmark/operands.ts';
