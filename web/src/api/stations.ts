import { queryOptions } from "@tanstack/react-query";
import { paged } from "./queries";
import { change, getJson, pathWith } from "./request";
import type { History, Merge, Origin, PlaceAnswer, Simulcast, StationPageData, Step, Verdict } from "./types";

const api = "/api/v1";

/** A kind of player, as the server names it. */
export const clients = ["browser_https", "browser_http", "safari", "native", "chromecast"] as const;
export type Client = (typeof clients)[number];

export const stationQuery = (id: number, client: Client | "") =>
  queryOptions({
    queryKey: ["station", id, client],
    queryFn: ({ signal }) => getJson<StationPageData>(pathWith(`${api}/stations/${id}`, { client }), signal),
    refetchInterval: 30_000,
  });

export const historyQuery = (id: number, step: Step) =>
  queryOptions({
    queryKey: ["history", id, step],
    queryFn: ({ signal }) => getJson<History>(pathWith(`${api}/streams/${id}/history`, { step }), signal),
  });

export const verdictQuery = (id: number) =>
  queryOptions({
    queryKey: ["verdict", id],
    queryFn: ({ signal }) => getJson<Verdict>(`${api}/streams/${id}/verification`, signal),
  });

export const placeQuery = (id: number) =>
  queryOptions({
    queryKey: ["place", id],
    queryFn: ({ signal }) => getJson<PlaceAnswer>(`${api}/streams/${id}/place`, signal),
  });

export const provenanceQuery = (id: number) =>
  queryOptions({
    queryKey: ["provenance", id],
    queryFn: ({ signal }) => getJson<Origin[]>(`${api}/streams/${id}/provenance`, signal),
  });

export const simulcastsQuery = (stationId: number) =>
  queryOptions({
    queryKey: ["simulcasts", stationId],
    queryFn: ({ signal }) => getJson<Simulcast[]>(`${api}/stations/${stationId}/simulcasts`, signal),
  });

export const mergesOfQuery = (stationId: number) =>
  queryOptions({
    queryKey: ["merges", stationId],
    queryFn: ({ signal }) => getJson<Merge[]>(`${api}/stations/${stationId}/merges`, signal),
  });

export const mergesQuery = () => paged<Merge>(["merges", "all"], pathWith(`${api}/merges`, { limit: 100 }));

export const undoMerge = (id: number): Promise<Merge | null> => change<Merge>("POST", `${api}/merges/${id}/undo`);

/** Confirms what a look found, or corrects it. */
export const confirmVerdict = (id: number, label: string | null): Promise<unknown> =>
  change("POST", `${api}/streams/${id}/verification/confirm`, label === null ? {} : { class: label });
