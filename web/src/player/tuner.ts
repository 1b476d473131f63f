import type Hls from "hls.js";
import type { Stream } from "../api/types";

export type Trouble = "unreachable" | "undecodable" | "unsupported" | "timeout" | "ended" | "insecure" | "blocked";
export type Status = "idle" | "connecting" | "playing" | "stopped" | "failed";
export type Playing = {
  readonly stream: Stream | null;
  readonly status: Status;
  readonly trouble: Trouble | null;
  readonly since: number | null;
  readonly volume: number;
  readonly muted: boolean;
};

const startWithinMs = 20_000;

export const addressOf = (stream: Stream): string => stream.playable_url ?? stream.url;

/** What stands in the way before a single byte is asked for. */
export function obstacle(address: string, pageProtocol: string): Trouble | null {
  if (!/^(https?:|\/)/.test(address)) return "unsupported";
  return pageProtocol === "https:" && address.startsWith("http:") ? "insecure" : null;
}

export function troubleOf(code: number | undefined): Trouble {
  // MediaError: 2 network, 3 decode, 4 source not supported (browsers also say 4 for an address that does not answer).
  if (code === 3) return "undecodable";
  return "unreachable";
}

/** The one sound of the page. A live stream is stopped, not paused: going on later means connecting again, at the air's now. */
export class Tuner {
  private state: Playing = { stream: null, status: "idle", trouble: null, since: null, volume: 0.8, muted: false };
  private readonly watchers = new Set<() => void>();
  private element: HTMLVideoElement | null = null;
  private hls: Hls | null = null;
  private turn = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  read = (): Playing => this.state;

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Takes the element that makes the sound; the answer gives it back. */
  attach(element: HTMLVideoElement): () => void {
    const scope = new AbortController();
    const on = (type: string, act: () => void) => element.addEventListener(type, act, { signal: scope.signal });
    this.element = element;
    element.volume = this.state.volume;
    on("playing", () => this.started());
    on("waiting", () => this.state.status === "playing" && this.set({ status: "connecting" }));
    on("ended", () => this.fail("ended"));
    on("error", () => {
      if (element.hasAttribute("src") && this.hls === null) this.fail(troubleOf(element.error?.code));
    });
    return () => {
      scope.abort();
      this.release();
      this.element = null;
    };
  }

  async play(stream: Stream): Promise<void> {
    this.release();
    this.turn += 1;
    const turn = this.turn;
    this.set({ stream, status: "connecting", trouble: null, since: null });
    const address = addressOf(stream);
    const blocked = obstacle(address, location.protocol);
    if (blocked !== null) return this.fail(blocked);
    this.timer = setTimeout(() => this.fail("timeout"), startWithinMs);
    if (stream.is_hls || /\.m3u8(\?|$)/i.test(address)) await this.followHls(address, turn);
    else this.element?.setAttribute("src", address);
    if (turn !== this.turn) return;
    await this.element?.play().catch((error: unknown) => {
      if (turn === this.turn && error instanceof DOMException && error.name === "NotAllowedError") this.fail("blocked");
    });
  }

  stop(): void {
    if (this.state.stream === null) return;
    this.turn += 1;
    this.release();
    this.set({ status: "stopped", trouble: null, since: null });
  }

  toggle(stream: Stream | null = this.state.stream): void {
    const same = stream !== null && stream.id === this.state.stream?.id;
    if (same && (this.state.status === "playing" || this.state.status === "connecting")) this.stop();
    else if (stream !== null) void this.play(stream);
  }

  setVolume(volume: number): void {
    if (this.element) this.element.volume = volume;
    this.set({ volume });
    this.mute(volume === 0);
  }

  mute(muted: boolean): void {
    if (this.element) this.element.muted = muted;
    this.set({ muted });
  }

  private started(): void {
    this.clearTimer();
    this.set({ status: "playing", trouble: null, since: this.state.since ?? Date.now() });
  }

  private async followHls(address: string, turn: number): Promise<void> {
    const { default: HlsReader } = await import("hls.js");
    if (turn !== this.turn || this.element === null) return;
    if (!HlsReader.isSupported()) {
      this.element.setAttribute("src", address);
      return;
    }
    const hls = new HlsReader({ backBufferLength: 30, maxBufferLength: 20 });
    this.hls = hls;
    hls.on(HlsReader.Events.ERROR, (_, data) => {
      if (!data.fatal) return;
      if (data.type === HlsReader.ErrorTypes.NETWORK_ERROR) this.fail("unreachable");
      else if (data.details === HlsReader.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) this.fail("unsupported");
      else this.fail("undecodable");
    });
    hls.loadSource(address);
    hls.attachMedia(this.element);
  }

  private fail(trouble: Trouble): void {
    this.turn += 1;
    this.release();
    this.set({ status: "failed", trouble, since: null });
  }

  private release(): void {
    this.clearTimer();
    this.hls?.destroy();
    this.hls = null;
    if (this.element?.hasAttribute("src")) {
      this.element.pause();
      this.element.removeAttribute("src");
      // Without load() the browser keeps the connection and goes on receiving.
      this.element.load();
    }
  }

  private clearTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private set(change: Partial<Playing>): void {
    this.state = { ...this.state, ...change };
    for (const watcher of this.watchers) watcher();
  }
}
