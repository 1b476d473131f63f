import { useSyncExternalStore } from "react";
import type { LiveEvent, Play } from "../api/types";

const most = 500;

/** A play as an event tells it, or null where the payload is not one. The server sends the whole row, as `/plays` does. */
export function playOf(event: LiveEvent): Play | null {
  if (!event.type.startsWith("play.")) return null;
  const { id, started_at, title, stream_id } = event.payload;
  const isPlay = [id, started_at, title].every((value) => typeof value === "string") && typeof stream_id === "number";
  return isPlay ? (event.payload as Play) : null;
}

/** Newest first; by id where two began at the same moment. */
export const newestFirst = (a: Play, b: Play): number =>
  b.started_at.localeCompare(a.started_at) || b.id.localeCompare(a.id);

/** Rows that were read and rows that arrived since, each play once, in its newest form. */
export function merged(read: readonly Play[], arrived: ReadonlyMap<string, Play>): Play[] {
  const rows = new Map(read.map((play) => [play.id, play]));
  for (const [id, play] of arrived) rows.set(id, { ...rows.get(id), ...play });
  return [...rows.values()].sort(newestFirst);
}

/** Plays that arrived over the event stream since the page was opened, the newest 500. */
export class LivePlays {
  private arrived: ReadonlyMap<string, Play> = new Map();
  private readonly watchers = new Set<() => void>();
  private readonly listeners = new Set<(play: Play) => void>();

  read = (): ReadonlyMap<string, Play> => this.arrived;

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Calls `listener` once for every play that starts. */
  onStart(listener: (play: Play) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  receive(event: LiveEvent): void {
    const play = playOf(event);
    if (play === null) return;
    const known = this.arrived.has(play.id);
    const next = new Map(this.arrived);
    next.set(play.id, { ...next.get(play.id), ...play });
    const oldest = next.keys().next();
    if (next.size > most && !oldest.done) next.delete(oldest.value);
    this.arrived = next;
    for (const watcher of this.watchers) watcher();
    if (!known && event.type === "play.started") for (const listener of this.listeners) listener(play);
  }
}

export const livePlays = new LivePlays();

export const useLivePlays = (): ReadonlyMap<string, Play> => useSyncExternalStore(livePlays.watch, livePlays.read);
