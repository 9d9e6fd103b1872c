/** Work that is measured: what one run of it is, and the work that limits it. */

/** The amount of work of one run. A field that does not apply is missing. */
export interface Work {
  /** Floating-point operations. */
  readonly flop?: number;
  /** Bytes that must be read and written. */
  readonly bytes?: number;
  /** Elements of the result. */
  readonly elements?: number;
  /** Random numbers. */
  readonly samples?: number;
  /** Updates of paths: paths times steps. */
  readonly updates?: number;
}

/** Work whose rate is an upper bound for other work: `amount` flop or bytes in each run, on all threads together. */
export interface Roof {
  readonly amount: number;
  run(): void;
}

/** Work with a name. */
export interface Workload extends Work {
  readonly name: string;
  readonly shape: string;
  /** Does the work once. */
  readonly run: () => void;
  /** The roof. It is compared by flop if the work has them, else by bytes. */
  readonly roof?: Roof;
}
