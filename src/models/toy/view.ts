/** What the figures of points in the plane show. The scripts of the page import it: it does not load the engine. */

/** Half of the side of the shown square. */
export const TOY_REACH = 2.6;
/** The number of arrows along the side of the square. */
export const TOY_ARROWS = 19;
/** The noise levels of the score figures, as fractions of the way from the data to the noise. */
export const TOY_LEVELS = [0.1, 0.3, 0.6, 0.9] as const;
