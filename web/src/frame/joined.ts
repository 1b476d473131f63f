const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const [isolate, pop] = ["\u2068", "\u2069"];

/** What is written the other way is set apart (Unicode's FSI and PDI), else it would draw the numbers beside it to its side. */
const apart = (part: string): string => (rightToLeft.test(part) ? `${isolate}${part}${pop}` : part);

/** The parts that there are, with something between them. */
export const joined = (parts: readonly (string | null | undefined | false)[], between: string): string =>
  parts
    .filter((part) => part !== null && part !== undefined && part !== false && part !== "")
    .map((part) => apart(String(part)))
    .join(between);

/** "Artist – Title", as everywhere in the page. */
export const songLine = (song: { artist: string | null; title: string }): string =>
  joined([song.artist, song.title], " – ");
