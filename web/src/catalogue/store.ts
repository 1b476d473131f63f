import { getJson, getPage, type Page, Problem, pathWith } from "../api/request";
import type { LiveEvent, Stream } from "../api/types";
import { patched, streamOf } from "./patch";

export type Loading = { status: "loading" | "ready" | "stopped" | "failed"; loaded: number; problem: Problem | null };

/** `members` changes when streams come or go, `changes` with every change; a list is put in order by `members` only, so rows patch in place. */
export type Snapshot = {
  readonly streams: ReadonlyMap<number, Stream>;
  readonly members: number;
  readonly changes: number;
  readonly loading: Loading;
};

const pageSize = 1000;
const mostStreams = 200_000;
const announceEveryMs = 250;
const mostSingleLoads = 40;
const mostAttempts = 6;
const longestWaitS = 60;

/** A page of streams; where the server asks for patience (a rate limit), after as long as it asks for. */
async function patientPage(path: string, signal: AbortSignal): Promise<Page<Stream>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await getPage<Stream>(path, signal);
    } catch (error) {
      const waitS = error instanceof Problem ? error.retryAfterS : null;
      if (waitS === null || attempt >= mostAttempts) throw error;
      await pause(Math.min(waitS, longestWaitS) * 1000, signal);
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

/** All streams that the page knows: loaded page by page, then kept up to date by events. */
export class Catalogue {
  private streams = new Map<number, Stream>();
  private snapshot: Snapshot;
  private members = 0;
  private changes = 0;
  private loading: Loading = { status: "loading", loaded: 0, problem: null };
  private readonly watchers = new Set<() => void>();
  private readonly missing = new Set<number>();
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    this.snapshot = this.taken();
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  read = (): Snapshot => this.snapshot;

  /** Reads the whole catalogue, one page after the other; `cancel` stops after what has arrived. */
  async load(): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loading = { status: "loading", loaded: 0, problem: null };
    this.announce();
    try {
      await this.loadPages(abort.signal);
    } catch (error) {
      if (abort.signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem(0, "", "", String(error));
      this.loading = { status: "failed", loaded: this.loading.loaded, problem };
    }
    this.announce();
  }

  cancel(): void {
    this.abort?.abort();
    this.loading = { ...this.loading, status: "stopped" };
    this.announce();
  }

  receive(event: LiveEvent): void {
    const id = streamOf(event);
    if (id === null) return;
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (event.type === "stream.added") this.miss(id);
      return;
    }
    const next = patched(stream, event);
    if (next === stream) return;
    this.streams.set(id, next);
    this.changes += 1;
    this.announceSoon();
  }

  put(stream: Stream): void {
    if (!this.streams.has(stream.id)) this.members += 1;
    this.streams.set(stream.id, stream);
    this.changes += 1;
    this.announceSoon();
  }

  private async loadPages(signal: AbortSignal): Promise<void> {
    let path: string | null = pathWith("/api/v1/streams", { all: true, limit: pageSize });
    const seen = new Set<number>();
    while (path !== null && seen.size < mostStreams) {
      const page: Page<Stream> = await patientPage(path, signal);
      const before = seen.size;
      for (const stream of page.rows) {
        seen.add(stream.id);
        this.put(stream);
      }
      this.loading = { ...this.loading, loaded: seen.size };
      // A server that pages in a circle must not keep us here for ever.
      path = seen.size > before ? page.next : null;
    }
    for (const id of this.streams.keys()) if (!seen.has(id)) this.streams.delete(id);
    this.members += 1;
    this.loading = { status: "ready", loaded: seen.size, problem: null };
  }

  /** A stream was added that we do not hold: a few are read one by one, many are worth reading everything again. */
  private miss(id: number): void {
    if (this.loading.status === "loading") return;
    this.missing.add(id);
    this.announceSoon();
  }

  private fetchMissing(): void {
    if (this.missing.size === 0) return;
    const ids = [...this.missing];
    this.missing.clear();
    if (ids.length > mostSingleLoads) {
      void this.load();
      return;
    }
    for (const id of ids) {
      getJson<Stream>(`/api/v1/streams/${id}`).then(
        (stream) => this.put(stream),
        // It went again, or is not for us to see: then it is rightly absent here.
        () => this.missing.delete(id),
      );
    }
  }

  private announceSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.fetchMissing();
      this.announce();
    }, announceEveryMs);
  }

  private announce(): void {
    this.snapshot = this.taken();
    for (const watcher of this.watchers) watcher();
  }

  // The map itself is shared: copying 50,000 entries for every announcement would cost more than it protects.
  private taken(): Snapshot {
    return { streams: this.streams, members: this.members, changes: this.changes, loading: this.loading };
  }
}
