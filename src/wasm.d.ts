/** A compiled kernel module, embedded by the bundler as its bytes. */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The worker threads' program, bundled to text. */
declare module '*.txt' {
  const text: string;
  export default text;
}
