import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useLocation, useSearch } from "wouter";
import type { Stream } from "../api/types";
import { type Filter, filtered, filterKeys, noFilter, type Sort, sorted } from "./filter";
import { Catalogue, type Snapshot } from "./store";

export const catalogue = new Catalogue();

export const useCatalogue = (): Snapshot => useSyncExternalStore(catalogue.watch, catalogue.read);

export function useStream(id: number | null): Stream | null {
  const snapshot = useCatalogue();
  return id === null ? null : (snapshot.streams.get(id) ?? null);
}

export function filterFrom(search: string): Filter {
  const params = new URLSearchParams(search);
  return Object.fromEntries(filterKeys.map((key) => [key, params.get(key) ?? ""])) as Filter;
}

export function searchWith(search: string, change: Partial<Filter>): string {
  const params = new URLSearchParams(search);
  for (const [key, value] of Object.entries(change)) {
    if (value === "" || value === undefined) params.delete(key);
    else params.set(key, value);
  }
  const next = params.toString();
  return next === "" ? "" : `?${next}`;
}

/** The filter lives in the address: it can be linked, and the globe and the list share it. */
export function useFilter(): [Filter, (change: Partial<Filter>) => void] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const filter = useMemo(() => filterFrom(search), [search]);
  const change = useCallback(
    (next: Partial<Filter>) => navigate(path + searchWith(search, next), { replace: true }),
    [path, search, navigate],
  );
  return [filter, change];
}

export const isFiltered = (filter: Filter): boolean => filterKeys.some((key) => filter[key] !== noFilter[key]);

/**
 * The ids that pass the filter, in order. They are put in order again when the filter, the sort or the membership
 * changes, not when a row is patched: a stream that changes its state stays where the eye left it.
 */
export function useOrder(filter: Filter, sort: Sort): readonly number[] {
  const { streams, members } = useCatalogue();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the map is one object for ever; `members` tells when it holds others
  return useMemo(
    () => sorted(filtered(streams.values(), filter), sort).map((stream) => stream.id),
    [streams, members, filter, sort],
  );
}
