import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LiveEvent } from "../src/api/types";
import { EventLine, type Source, waitMs } from "../src/live/events";

class Scripted extends EventTarget {
  readyState = 0;
  closed = false;
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
  }

  close(): void {
    this.closed = true;
    this.readyState = 2;
  }

  say(type: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(type, { data: typeof data === "string" ? data : JSON.stringify(data) }));
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    this.dispatchEvent(new Event("error"));
  }
}

const at = (position: number, type = "stream.checked"): LiveEvent => ({
  position,
  type,
  at: "",
  payload: { stream_id: 1 },
});

describe("event line", () => {
  const opened: Scripted[] = [];
  const open = (url: string): Source => {
    const source = new Scripted(url);
    opened.push(source);
    return source as unknown as Source;
  };
  const last = (): Scripted => {
    const source = opened.at(-1);
    if (source === undefined) throw new Error("nothing was opened");
    return source;
  };

  beforeEach(() => {
    opened.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it("hears named and unnamed events, each position once", () => {
    const line = new EventLine(open);
    const heard: number[] = [];
    line.listen((event) => heard.push(event.position));
    line.start();
    last().say("stream.checked", at(5));
    last().say("message", at(6, "something.new"));
    last().say("stream.checked", at(6));
    last().say("play.started", at(4));
    expect(heard).toEqual([5, 6]);
  });

  it("is not upset by what is no event", () => {
    const line = new EventLine(open);
    const heard: number[] = [];
    line.listen((event) => heard.push(event.position));
    line.start();
    for (const data of ["", "{", "null", "[]", '{"position":"1","type":"x"}', '{"position":1}'])
      last().say("message", data);
    last().say("message", at(1));
    expect(heard).toEqual([1]);
  });

  it("leaves a short interruption to the browser", () => {
    const line = new EventLine(open);
    line.start();
    last().open();
    expect(line.connection).toBe("live");
    last().fail(0);
    expect(line.connection).toBe("interrupted");
    vi.runAllTimers();
    expect(opened.length).toBe(1);
    last().open();
    expect(line.connection).toBe("live");
  });

  it("opens again from the last position where the browser gave up", () => {
    const line = new EventLine(open, "/events");
    line.start();
    expect(last().url).toBe("/events");
    last().say("stream.checked", at(41));
    last().fail(2);
    vi.runAllTimers();
    expect(opened.length).toBe(2);
    expect(last().url).toBe("/events?since=41");
  });

  it("stops for good when told", () => {
    const line = new EventLine(open);
    line.start();
    last().fail(2);
    line.stop();
    vi.runAllTimers();
    expect(opened.length).toBe(1);
    expect(last().closed).toBe(true);
  });

  it("waits longer each time, never for ever, and not all pages at once", () => {
    expect(waitMs(0, 0)).toBe(500);
    expect(waitMs(0, 1)).toBe(1000);
    expect(waitMs(3, 1)).toBe(8000);
    expect(waitMs(500, 1)).toBe(30_000);
  });
});
