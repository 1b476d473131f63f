import type { StreamKind, StreamState } from "../api/types";

/** What narrows the globe and the list; the server does the narrowing, by these names. */
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

export const wordsOf = (q: string): string[] =>
  folded(q)
    .split(/\s+/)
    .filter((word) => word !== "");
