/**
 * Makes Node report one core. `test/run.js` imports it in tests that run beside other tests, and in the commands that
 * they start, so that the engine has one thread by default. Strict results are the same for any number of threads.
 */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

os.availableParallelism = () => 1;
syncBuiltinESMExports();
