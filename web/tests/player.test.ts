import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { obstacle, Tuner, troubleOf } from "../src/player/tuner";
import { stream } from "./rows";

/** What the player asks of a media element, with the sound left out. */
class Silent extends EventTarget {
  volume = 1;
  muted = false;
  error: { code: number } | null = null;
  loads = 0;
  refuse: DOMException | null = null;
  private source: string | null = null;

  setAttribute(_: string, value: string): void {
    this.source = value;
  }
  hasAttribute(): boolean {
    return this.source !== null;
  }
  removeAttribute(): void {
    this.source = null;
  }
  get address(): string | null {
    return this.source;
  }
  pause(): void {}
  load(): void {
    this.loads += 1;
  }
  play(): Promise<void> {
    return this.refuse === null ? Promise.resolve() : Promise.reject(this.refuse);
  }
}

describe("player", () => {
  const one = stream({ id: 1 });
  const two = stream({ id: 2, url: "http://two.example/live", playable_url: "http://two.example/better" });
  let element: Silent;
  let tuner: Tuner;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("location", { protocol: "http:" });
    element = new Silent();
    tuner = new Tuner();
    tuner.attach(element as unknown as HTMLVideoElement);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("connects, plays, and stops without keeping the connection", async () => {
    await tuner.play(one);
    expect(tuner.read()).toMatchObject({ status: "connecting", stream: { id: 1 } });
    expect(element.address).toBe("http://one.example/live");
    element.dispatchEvent(new Event("playing"));
    expect(tuner.read().status).toBe("playing");
    tuner.toggle();
    expect(tuner.read().status).toBe("stopped");
    expect(element.address).toBeNull();
    expect(element.loads).toBe(1);
  });

  it("prefers the address that browsers can play and changes stations in one step", async () => {
    await tuner.play(one);
    element.dispatchEvent(new Event("playing"));
    await tuner.play(two);
    expect(tuner.read()).toMatchObject({ status: "connecting", since: null, stream: { id: 2 } });
    expect(element.address).toBe("http://two.example/better");
  });

  it("says so when a stream does not start in time, ends, or cannot be decoded", async () => {
    await tuner.play(one);
    vi.advanceTimersByTime(20_001);
    expect(tuner.read()).toMatchObject({ status: "failed", trouble: "timeout" });

    await tuner.play(one);
    element.dispatchEvent(new Event("playing"));
    element.dispatchEvent(new Event("ended"));
    expect(tuner.read()).toMatchObject({ status: "failed", trouble: "ended" });

    await tuner.play(one);
    element.error = { code: 3 };
    element.dispatchEvent(new Event("error"));
    expect(tuner.read()).toMatchObject({ status: "failed", trouble: "undecodable" });
  });

  it("does not call its own stopping a failure", async () => {
    await tuner.play(one);
    tuner.stop();
    element.error = { code: 4 };
    element.dispatchEvent(new Event("error"));
    vi.advanceTimersByTime(60_000);
    expect(tuner.read()).toMatchObject({ status: "stopped", trouble: null });
  });

  it("asks for a click where the browser wants one", async () => {
    element.refuse = new DOMException("", "NotAllowedError");
    await tuner.play(one);
    expect(tuner.read()).toMatchObject({ status: "failed", trouble: "blocked" });
  });

  it("knows what cannot work before it asks", () => {
    expect(obstacle("http://one.example/", "https:")).toBe("insecure");
    expect(obstacle("https://one.example/", "https:")).toBeNull();
    expect(obstacle("rtmp://one.example/", "http:")).toBe("unsupported");
    expect(obstacle("javascript:alert(1)", "http:")).toBe("unsupported");
    expect(troubleOf(3)).toBe("undecodable");
    expect(troubleOf(4)).toBe("unreachable");
  });

  it("mutes at volume zero and comes back", () => {
    tuner.setVolume(0);
    expect(element.muted).toBe(true);
    tuner.setVolume(0.4);
    expect(element.muted).toBe(false);
    expect(element.volume).toBe(0.4);
  });
});
