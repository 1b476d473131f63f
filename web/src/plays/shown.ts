import type { Play } from "../api/types";
import { folded, wordsOf } from "../catalogue/filter";
import { newestFirst } from "../live/plays";

/** What was in the list at the moment one began to read further down. */
export type Frozen = { readonly ids: ReadonlySet<string>; readonly oldest: Play | null };

export const freeze = (plays: readonly Play[]): Frozen => ({
  ids: new Set(plays.map((play) => play.id)),
  oldest: plays.at(-1) ?? null,
});

/** The rows that may be shown while frozen: those that were there, and older pages read since. Nothing moves what one reads. */
export function held(plays: readonly Play[], frozen: Frozen | null): readonly Play[] {
  if (frozen === null) return plays;
  const { ids, oldest } = frozen;
  return plays.filter((play) => ids.has(play.id) || (oldest !== null && newestFirst(play, oldest) > 0));
}

/** Every word somewhere in the play: for plays that arrive while the list shows the answer to a search. */
export function matching(plays: readonly Play[], q: string): readonly Play[] {
  const words = wordsOf(q);
  if (words.length === 0) return plays;
  return plays.filter((play) => {
    const all = folded([play.title, play.artist, play.album, play.station_name, play.isrc].join("\n"));
    return words.every((word) => all.includes(word));
  });
}
