import { getJson } from "../api/request";
import type { LiveEvent, Stream } from "../api/types";
import { patched, streamOf } from "./patch";

/** `changes` counts what became different: streams that came, and rows that events patched. */
export type Snapshot = { readonly streams: ReadonlyMap<number, Stream>; readonly changes: number };

const announceEveryMs = 250;
const mostHeld = 20_000;

/**
 * The streams that the page has read so far: pages of the list, and single ones as they are looked at. Events keep them
 * up to date; whatever is not here is asked of the server.
 */
export class Catalogue {
  private streams = new Map<number, Stream>();
  private changes = 0;
  private snapshot: Snapshot = { streams: this.streams, changes: 0 };
  private readonly watchers = new Set<() => void>();
  private readonly asked = new Map<number, Promise<Stream>>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  read = (): Snapshot => this.snapshot;

  /** The stream with this id, from here or from the server; those who ask at the same time share one request. */
  one(id: number): Promise<Stream> {
    const held = this.streams.get(id);
    if (held !== undefined) return Promise.resolve(held);
    const known = this.asked.get(id);
    if (known !== undefined) return known;
    const asked = getJson<Stream>(`/api/v1/streams/${id}`).then((stream) => {
      this.put([stream]);
      return stream;
    });
    this.asked.set(id, asked);
    const done = () => this.asked.delete(id);
    asked.then(done, done);
    return asked;
  }

  put(streams: readonly Stream[]): void {
    if (streams.length === 0) return;
    for (const stream of streams) {
      // Put anew at the end: what was not read for longest goes first.
      this.streams.delete(stream.id);
      this.streams.set(stream.id, stream);
    }
    for (const id of this.streams.keys()) {
      if (this.streams.size <= mostHeld) break;
      this.streams.delete(id);
    }
    this.announceSoon();
  }

  /** Whoever signs in or out may see other things than before. */
  forget(): void {
    this.streams.clear();
    this.announceSoon();
  }

  receive(event: LiveEvent): void {
    const id = streamOf(event);
    const stream = id === null ? undefined : this.streams.get(id);
    if (stream === undefined) return;
    const next = patched(stream, event);
    if (next === stream) return;
    this.streams.set(stream.id, next);
    this.announceSoon();
  }

  private announceSoon(): void {
    this.changes += 1;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      // The map itself is shared: copying thousands of entries for every announcement would cost more than it protects.
      this.snapshot = { streams: this.streams, changes: this.changes };
      for (const watcher of this.watchers) watcher();
    }, announceEveryMs);
  }
}
