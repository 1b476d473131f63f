import type { Decision, Review } from "../api/types";

export type Candidate = { title: string; artist: string; isrcs: readonly string[]; score: number | null };

export const decisionOf: Record<string, Decision> = { 1: "local", 2: "outside", 3: "neither" };

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string" && one !== "") : [];

/** What the outside named; its score is the calibrated probability, not the provider's own figure. */
export const outsideOf = ({ outside, outside_score }: Review): Candidate => ({
  title: text(outside["title"]),
  artist: texts(outside["artists"]).join(", "),
  isrcs: texts(outside["isrcs"]),
  score: outside_score,
});

/** Our own candidate; there is none where we knew nothing. */
export function localOf({ local }: Review): Candidate | null {
  if (local === null) return null;
  return {
    title: local.title,
    artist: local.artist,
    isrcs: local.isrc === null ? [] : [local.isrc],
    score: local.score,
  };
}

/** What may be decided: without a candidate of ours, nobody can believe it. */
export const choicesOf = (review: Review): Decision[] =>
  review.local === null ? ["outside", "neither"] : ["local", "outside", "neither"];

/** The review to go on with after this one: the next older, else the one before, else none. */
export function following(reviews: readonly Pick<Review, "id">[], id: string): string | null {
  const at = reviews.findIndex((review) => review.id === id);
  return at === -1 ? null : (reviews[at + 1]?.id ?? reviews[at - 1]?.id ?? null);
}
