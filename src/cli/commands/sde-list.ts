/** `langevin sde --list`: prints all processes with their parameters, and all solvers with their orders. */
import { PROCESSES } from '../../sde/processes/index.ts';
import { SOLVERS } from '../../sde/solvers/index.ts';
import { print } from '../report/events.ts';

/** Prints the lists and returns the exit code. */
export function printList(): number {
  print('Processes, each with its default end time in brackets\n');
  for (const { definition } of PROCESSES) {
    print(`  ${definition.name.padEnd(13)}${definition.title} [${definition.time}]`);
    print(`  ${''.padEnd(13)}${definition.formula}`);
    for (const [name, { value, unit, meaning }] of Object.entries(definition.parameters)) {
      print(`  ${''.padEnd(15)}${`${name} = ${value}`.padEnd(18)}${meaning}${unit ? ` (${unit})` : ''}`);
    }
    print('');
  }
  print('Solvers (Itô or Stratonovich), with their strong/weak order for each type of noise\n');
  for (const { name, orders, interpretation, noiseFree } of SOLVERS) {
    const calculus = noiseFree ? 'no noise' : interpretation === 'ito' ? 'Itô' : 'Stratonovich';
    const taken = Object.entries(orders).map(
      ([noise, { strong, weak }]) => `${noise} ${order(strong)}/${order(weak)}`,
    );
    print(
      `  ${name.padEnd(23)}${calculus.padEnd(14)}${noiseFree ? `order ${order(orders.diagonal!.strong)}` : taken.join(', ')}`,
    );
  }
  return 0;
}

const order = (value: number) => (value === Infinity ? 'exact' : String(value));
