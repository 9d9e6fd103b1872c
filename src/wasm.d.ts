/** A compiled kernel module. The bundler embeds it as bytes. */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The program of the worker threads. The bundler embeds it as text. */
declare module '*.txt' {
  const text: string;
  export default text;
}
