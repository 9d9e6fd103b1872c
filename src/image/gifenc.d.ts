/** The part of gifenc that we use. The package has no types of its own. */
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
        /** -1: play once; 0: repeat for ever; n: repeat n times. Only the first frame's value counts. */
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
