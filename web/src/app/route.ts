import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

export const rooms = [
  "globe",
  "stations",
  "plays",
  "library",
  "review",
  "unknown",
  "moderation",
  "alerts",
  "system",
  "station",
  "takedown",
] as const;
export type Room = (typeof rooms)[number];
/** Streams, merges and alerts have numbers, all else has UUIDs. */
export type Selected = number | string | null;
export type Route = { room: Room; id: Selected };

/** `/` is the globe; `/ROOM/ID` has something selected, shown in the drawer. Anything unknown is the globe. */
export function routeOf(path: string): Route {
  const [, room = "", id = ""] = path.split("/");
  const known = rooms.find((one) => one === room) ?? "globe";
  return { room: known, id: idOf(id) };
}

function idOf(text: string): Selected {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : null;
}

export function pathOf({ room, id }: Route): string {
  if (id !== null) return `/${room}/${id}`;
  return room === "globe" ? "/" : `/${room}`;
}

/** The route and how to leave it; the filters in the address stay between the globe and the list. */
export function useRoute(): [Route, (route: Route) => void] {
  const [path, navigate] = useLocation();
  const search = useSearch();
  const route = useMemo(() => routeOf(path), [path]);
  const go = useCallback(
    (next: Route) => {
      const keeps = next.room === route.room || (sharesFilter(route.room) && sharesFilter(next.room));
      navigate(pathOf(next) + (keeps && search !== "" ? `?${search}` : ""));
    },
    [route.room, search, navigate],
  );
  return [route, go];
}

/** The globe and the list show the same streams by the same filter. */
export const sharesFilter = (room: Room): boolean => room === "globe" || room === "stations";
