import type { Stream, StreamKind, StreamState } from "../api/types";
import { nameOf } from "../frame/format";

export type Filter = {
  q: string;
  type: StreamKind | "";
  state: StreamState | "";
  country: string;
  language: string;
  codec: string;
};

export const noFilter: Filter = { q: "", type: "", state: "", country: "", language: "", codec: "" };
export const filterKeys = [
  "q",
  "type",
  "state",
  "country",
  "language",
  "codec",
] as const satisfies readonly (keyof Filter)[];

/** Lower case and without accents, so that "sao" finds "São Paulo". */
export const folded = (value: string): string => value.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

const searchable = new WeakMap<Stream, string>();

function searchText(stream: Stream): string {
  const known = searchable.get(stream);
  if (known !== undefined) return known;
  const parts = [
    stream.name,
    stream.genre,
    stream.city,
    stream.country_name,
    stream.language,
    stream.stream_title,
    stream.now_playing?.title,
    stream.now_playing?.artist,
    ...stream.tags,
    stream.url,
  ];
  const all = folded(parts.filter((part) => part != null && part !== "").join("\n"));
  searchable.set(stream, all);
  return all;
}

/** Whether a stream passes: every word of `q` somewhere in it, and every set field equal. */
export function passes(stream: Stream, filter: Filter, words: readonly string[] = wordsOf(filter.q)): boolean {
  if (filter.type !== "" && stream.type !== filter.type) return false;
  if (filter.state !== "" && stream.state !== filter.state) return false;
  if (filter.country !== "" && stream.country_code !== filter.country) return false;
  if (filter.language !== "" && stream.language !== filter.language) return false;
  if (filter.codec !== "" && stream.codec !== filter.codec) return false;
  if (words.length === 0) return true;
  const all = searchText(stream);
  return words.every((word) => all.includes(word));
}

export const wordsOf = (q: string): string[] =>
  folded(q)
    .split(/\s+/)
    .filter((word) => word !== "");

export function filtered(streams: Iterable<Stream>, filter: Filter): Stream[] {
  const words = wordsOf(filter.q);
  const kept: Stream[] = [];
  for (const stream of streams) if (passes(stream, filter, words)) kept.push(stream);
  return kept;
}

export type Sort = { by: "name" | "country" | "reliability" | "bitrate" | "checked"; down: boolean };

const collator = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });
const byName = (a: Stream, b: Stream): number => collator.compare(nameOf(a), nameOf(b)) || a.id - b.id;

const orders: Record<Sort["by"], (a: Stream, b: Stream) => number> = {
  name: byName,
  country: (a, b) => collator.compare(a.country_name ?? "\uffff", b.country_name ?? "\uffff") || byName(a, b),
  reliability: (a, b) => reliability(a) - reliability(b) || byName(a, b),
  bitrate: (a, b) => bitrate(a) - bitrate(b) || byName(a, b),
  checked: (a, b) => (a.last_checked ?? "").localeCompare(b.last_checked ?? "") || byName(a, b),
};

const reliability = (stream: Stream): number => stream.reliability_lower_bound ?? stream.reliability_score;
const bitrate = (stream: Stream): number => stream.bitrate_measured_kbps ?? stream.bitrate ?? 0;

export function sorted(streams: readonly Stream[], sort: Sort): Stream[] {
  const order = orders[sort.by];
  return streams.toSorted(sort.down ? (a, b) => order(b, a) : order);
}

export type Choice = { value: string; count: number };

/** The values of a field that occur, most frequent first. */
export function choices(streams: Iterable<Stream>, field: "country_code" | "language" | "codec"): Choice[] {
  const counts = new Map<string, number>();
  for (const stream of streams) {
    const value = stream[field];
    if (value != null && value !== "") counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || collator.compare(a.value, b.value));
}
