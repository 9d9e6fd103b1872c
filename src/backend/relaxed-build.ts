/** The relaxed build of the kernels, for `setBuild`. A page fetches it when it imports this file, and not before. */
import relaxed from '../../build/relaxed.wasm';

export default relaxed;
