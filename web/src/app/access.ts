import type { Account } from "../api/types";
import { type Room, rooms } from "./route";

const needed: Partial<Record<Room, string>> = {
  review: "plays:read",
  unknown: "library:read",
  moderation: "stations:write",
  alerts: "alerts:read",
};
/** Rooms that one comes to from within others, or by their address. */
const inner: ReadonlySet<Room> = new Set(["station", "takedown"]);

/** Whether an account may do what a scope stands for. The API decides; the page only offers nothing that it refuses. */
export const may = (account: Pick<Account, "scopes"> | null | undefined, scope: string): boolean =>
  account?.scopes.includes(scope) ?? false;

/** The rooms that the rail offers: those for members of an organisation appear with the right to read them. */
export function roomsOf(account: Pick<Account, "scopes"> | null): Room[] {
  return rooms.filter((room) => !inner.has(room) && (needed[room] === undefined || may(account, needed[room])));
}
