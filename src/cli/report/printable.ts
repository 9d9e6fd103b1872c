/** A text of a file for the terminal. Control characters could change the terminal, so each is shown as a question mark. */
export const printable = (text: string): string => text.replace(/\p{C}/gu, '?');
