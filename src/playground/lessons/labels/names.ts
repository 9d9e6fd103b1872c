/** Names that the job and the figures of this lesson share. */

/** The keys of a variant's picture and animation among the hashes. */
export const hashKeys = (variant: number) => ({
  '.png': `samples-${variant + 1}.png`,
  '.gif': `samples-${variant + 1}.gif`,
});
