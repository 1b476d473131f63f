import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { useLocation, useSearch } from "wouter";
import type { Stream } from "../api/types";
import { type Filter, filterKeys, noFilter } from "./filter";
import { Catalogue, type Snapshot } from "./store";

export const catalogue = new Catalogue();

export const useCatalogue = (): Snapshot => useSyncExternalStore(catalogue.watch, catalogue.read);

/** The stream with this id, asked of the server where it is not here; null until it comes, or where it is not to be seen. */
export function useStream(id: number | null): Stream | null {
  const snapshot = useCatalogue();
  useEffect(() => {
    // Its absence says it: those who want to tell why ask by a query of their own.
    if (id !== null) catalogue.one(id).catch(() => undefined);
  }, [id]);
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
