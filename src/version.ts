/** The version of package.json, for checkpoints and results; a test holds the two together. */
export const VERSION = '0.1.0';
