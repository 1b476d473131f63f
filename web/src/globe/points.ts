import { useSyncExternalStore } from "react";
import { Problem, pathWith } from "../api/request";
import type { GlobeState, LiveEvent } from "../api/types";
import type { Filter } from "../catalogue/filter";
import { streamOf } from "../catalogue/patch";
import type { Asked } from "./pointsWorker";
import type { Drawn, Icons, Members, Tally, View } from "./view";

export type Loading = { status: "idle" | "loading" | "ready" | "failed"; problem: Problem | null };
/** `version` differs when other marks would be drawn. */
export type Shown = { readonly loading: Loading; readonly tally: Tally; readonly version: number };
export type Port = Pick<Worker, "postMessage"> & { onmessage: Worker["onmessage"] };

type Told =
  | { kind: "points"; path: string; tally: Tally }
  | { kind: "failed"; status: number; title: string; message: string; retryAfterS: number | null }
  | { kind: "answer"; ask: number; value: unknown };
type Question = Asked extends infer One ? (One extends { ask: number } ? Omit<One, "ask"> : never) : never;

const few = 5000;
const patchMs = { few: 2000, many: 10_000 };
const rereadMs = { few: 3000, many: 60_000 };
const noTally: Tally = { total: 0, states: { playing: 0, failing: 0, unproven: 0, retired: 0 } };

const stateNames: readonly unknown[] = ["playing", "failing", "unproven", "retired"];

/** The state that an event tells of a stream, or null. */
function stateOf(event: LiveEvent): GlobeState | null {
  const told = event.type === "stream.state_changed" ? event.payload["to_state"] : event.payload["state"];
  if (told === "off_hours") return "unproven";
  return stateNames.includes(told) ? (told as GlobeState) : null;
}

/** The points of the globe as the page sees them: questions to the worker that holds them, and what it answers. */
export class Points {
  private port: Port | null = null;
  private path: string | null = null;
  private shown: Shown = { loading: { status: "idle", problem: null }, tally: noTally, version: 0 };
  private readonly waiting = new Map<number, (value: unknown) => void>();
  private readonly news = new Map<number, GlobeState>();
  private readonly watchers = new Set<() => void>();
  private asks = 0;
  private patching: ReturnType<typeof setTimeout> | null = null;
  private rereading: ReturnType<typeof setTimeout> | null = null;
  private readonly open: () => Port;

  constructor(open: () => Port) {
    this.open = open;
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  read = (): Shown => this.shown;

  /** Shows the streams that pass a filter; asks the server where it is another one than before. */
  show(filter: Filter): void {
    const path = pathWith("/api/v1/points", { all: true, ...filter });
    if (path === this.path) return;
    this.path = path;
    this.refresh();
  }

  refresh(): void {
    if (this.path === null) return;
    if (this.rereading !== null) clearTimeout(this.rereading);
    this.rereading = null;
    this.set({ loading: { status: "loading", problem: null } });
    this.post({ kind: "read", path: this.path });
  }

  /** `isFirst`: the map asks for the first time and has no images yet. */
  draw = (view: View, icons: Icons, isFirst: boolean): Promise<(Drawn & { images: [string, ImageData][] }) | null> =>
    this.ask({ kind: "draw", view, icons, isFirst });
  members = (cluster: number): Promise<Members | null> => this.ask({ kind: "members", cluster });
  nearest = (latitude: number, longitude: number, withinDeg: number): Promise<number | null> =>
    this.ask({ kind: "nearest", latitude, longitude, withinDeg });

  /** A change of state waits a little, as grouping anew takes the worker's time; a new stream is read with all others. */
  receive(event: LiveEvent): void {
    if (this.path === null) return;
    const id = streamOf(event);
    const pace = this.shown.tally.total > few ? "many" : "few";
    if (event.type === "stream.added" || event.type === "crawl.finished") {
      this.rereading ??= setTimeout(() => this.refresh(), rereadMs[pace]);
      return;
    }
    const state = stateOf(event);
    if (id === null || state === null) return;
    this.news.set(id, state);
    this.patching ??= setTimeout(() => {
      this.patching = null;
      this.post({ kind: "states", changes: [...this.news] });
      this.news.clear();
    }, patchMs[pace]);
  }

  private ask<T>(question: Question): Promise<T | null> {
    this.asks += 1;
    const ask = this.asks;
    return new Promise((resolve) => {
      this.waiting.set(ask, (value) => resolve(value as T | null));
      this.post({ ...question, ask } as Asked);
    });
  }

  private post(asked: Asked): void {
    if (this.port === null) {
      this.port = this.open();
      this.port.onmessage = ({ data }: MessageEvent<Told>) => this.hear(data);
    }
    this.port.postMessage(asked);
  }

  private hear(told: Told): void {
    if (told.kind === "answer") {
      this.waiting.get(told.ask)?.(told.value);
      this.waiting.delete(told.ask);
    } else if (told.kind === "points") {
      const isCurrent = told.path === this.path;
      const loading = isCurrent ? ({ status: "ready", problem: null } as const) : this.shown.loading;
      this.set({ loading, tally: told.tally, version: this.shown.version + 1 });
    } else {
      this.failed(new Problem(told.status, "", told.title, told.message, told.retryAfterS));
    }
  }

  private failed(problem: Problem): void {
    if (problem.retryAfterS !== null) {
      this.rereading ??= setTimeout(() => this.refresh(), Math.min(60, problem.retryAfterS) * 1000);
      return;
    }
    this.set({ loading: { status: "failed", problem } });
  }

  private set(change: Partial<Shown>): void {
    this.shown = { ...this.shown, ...change };
    for (const watcher of this.watchers) watcher();
  }
}

export const points = new Points(
  () => new Worker(new URL("./pointsWorker.ts", import.meta.url), { type: "module", name: "points" }),
);

export const usePoints = (): Shown => useSyncExternalStore(points.watch, points.read);
