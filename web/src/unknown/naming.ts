import type { Name, Recording } from "../api/types";

export const classes = ["music", "jingle", "advert", "bed"] as const;
export type Class = (typeof classes)[number];

/** The class to begin with: what Airledger guesses, else music. */
export const classOf = (suggested: string | null): Class => classes.find((one) => one === suggested) ?? "music";

export type Described = { title: string; artist: string; isrc: string; recordingClass: Class };

/** What to send: a recording of the library speaks for itself, a new one by what was typed. */
export function nameOf(described: Described, picked: Pick<Recording, "id"> | null): Name {
  if (picked !== null) return { recording_id: picked.id };
  const isrc = described.isrc.trim();
  return {
    title: described.title.trim(),
    artist: described.artist.trim(),
    recording_class: described.recordingClass,
    ...(isrc === "" ? {} : { isrc }),
  };
}
