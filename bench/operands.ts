/** The operands of the benchmark. A comparison with another checkout finds them under this name (checkout.ts). */
export { Operands } from '../src/models/benchmark/operands.ts';
