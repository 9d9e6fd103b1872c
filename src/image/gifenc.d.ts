/** The part of gifenc that is used here; the package ships no types. */
declare module 'gifenc' {
  interface GifStream {
    writeFrame(
      index: Uint8Array,
      width: number,
      height: number,
      options?: {
        palette?: readonly (readonly [number, number, number])[];
        /** Milliseconds; the format keeps hundredths of a second. */
        delay?: number;
        /** -1: play once, 0: for ever, n: n more times. Read from the first frame. */
        repeat?: number;
      },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  }
  type MakeStream = () => GifStream;
  const gifenc: { readonly GIFEncoder: MakeStream } | MakeStream;
  export default gifenc;
}
