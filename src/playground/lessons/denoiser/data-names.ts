/** Where the pictures of the page's denoiser come from. The page's script needs the names without the readers. */
export const PAGE_DATA = ['strokes', 'mnist', 'files'] as const;
export type PageDataName = (typeof PAGE_DATA)[number];
