import type { LiveEvent } from "../api/types";

export type Connection = "connecting" | "live" | "interrupted";
export type Source = Pick<EventSource, "addEventListener" | "close" | "readyState">;
export type Open = (url: string) => Source;

export const eventTypes = [
  "stream.added",
  "stream.checked",
  "stream.state_changed",
  "stream.title",
  "play.started",
  "play.updated",
  "play.finished",
  "session.changed",
  "review.opened",
  "review.decided",
  "crawl.finished",
] as const;

const closed = 2;
const longestWaitMs = 30_000;

/** How long to wait before attempt `n` (0, 1, ...): doubling, bounded, spread so that pages do not return in one burst. */
export const waitMs = (attempt: number, chance: number): number =>
  Math.min(longestWaitMs, 1000 * 2 ** Math.min(attempt, 10)) * (0.5 + chance / 2);

function parse(data: string): LiveEvent | null {
  try {
    const value = JSON.parse(data) as Partial<LiveEvent> | null;
    if (typeof value?.position !== "number" || typeof value.type !== "string") return null;
    return { position: value.position, type: value.type, at: value.at ?? "", payload: value.payload ?? {} };
  } catch {
    // A line that is no JSON comes from something between us and the server; the next event stands for itself.
    return null;
  }
}

/**
 * The page's one event stream. The browser reconnects by itself with `Last-Event-ID`; where it gives up (an error
 * answer), a new stream is opened from the last position seen, so nothing is missed and nothing is told twice.
 */
export class EventLine {
  private source: Source | null = null;
  private position: number | null = null;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly listeners = new Set<(event: LiveEvent) => void>();
  private readonly watchers = new Set<() => void>();
  private readonly open: Open;
  private readonly path: string;
  connection: Connection = "connecting";

  constructor(open: Open = (url) => new EventSource(url), path = "/api/v1/events") {
    this.open = open;
    this.path = path;
  }

  /** Calls `listener` for every event; the answer ends that. */
  listen(listener: (event: LiveEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  start(): void {
    this.stop();
    const url = this.position === null ? this.path : `${this.path}?since=${this.position}`;
    const source = this.open(url);
    this.source = source;
    source.addEventListener("open", () => {
      this.attempt = 0;
      this.setConnection("live");
    });
    source.addEventListener("error", () => this.interrupted(source));
    for (const type of ["message", ...eventTypes]) {
      source.addEventListener(type, (message) => this.receive((message as MessageEvent<string>).data));
    }
  }

  stop(): void {
    this.source?.close();
    this.source = null;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private receive(data: string): void {
    const event = parse(data);
    if (event === null || (this.position !== null && event.position <= this.position)) return;
    this.position = event.position;
    for (const listener of this.listeners) listener(event);
  }

  private interrupted(source: Source): void {
    if (source !== this.source) return;
    this.setConnection("interrupted");
    if (source.readyState !== closed) return;
    this.timer = setTimeout(() => this.start(), waitMs(this.attempt, Math.random()));
    this.attempt += 1;
  }

  private setConnection(connection: Connection): void {
    if (connection === this.connection) return;
    this.connection = connection;
    for (const watcher of this.watchers) watcher();
  }
}
