import { afterEach, describe, expect, it, vi } from "vitest";
import type { LiveEvent, Stream } from "../src/api/types";
import { choices, filtered, noFilter, sorted } from "../src/catalogue/filter";
import { patched } from "../src/catalogue/patch";
import { Catalogue } from "../src/catalogue/store";
import { stream } from "./rows";

const event = (type: string, payload: Record<string, unknown>): LiveEvent => ({
  position: 1,
  type,
  at: "2026-11-20T12:00:00Z",
  payload,
});

describe("filter", () => {
  const streams = [
    stream({ id: 1, name: "Rádio São Paulo", country_code: "BR", city: "São Paulo" }),
    stream({ id: 2, name: "Blue Jazz", country_code: "US", state: "failing", tags: ["night", "smooth"] }),
    stream({ id: 3, name: "Delta", country_code: "US", type: "tv", codec: "aac" }),
  ];
  const ids = (filter: Partial<typeof noFilter>) => filtered(streams, { ...noFilter, ...filter }).map((one) => one.id);

  it("finds every word anywhere, without case and accents", () => {
    expect(ids({ q: "sao  RADIO" })).toEqual([1]);
    expect(ids({ q: "night jazz" })).toEqual([2]);
    expect(ids({ q: "night delta" })).toEqual([]);
  });

  it("narrows by each field and by all together", () => {
    expect(ids({})).toEqual([1, 2, 3]);
    expect(ids({ country: "US" })).toEqual([2, 3]);
    expect(ids({ country: "US", state: "failing" })).toEqual([2]);
    expect(ids({ type: "tv", codec: "aac" })).toEqual([3]);
  });

  it("counts the choices that occur, most frequent first", () => {
    expect(choices(streams, "country_code")).toEqual([
      { value: "US", count: 2 },
      { value: "BR", count: 1 },
    ]);
  });

  it("sorts both ways and puts the unknown country last", () => {
    const rows = [
      stream({ id: 1, country_name: null }),
      stream({ id: 2, country_name: "Chad" }),
      stream({ id: 3, country_name: "Austria" }),
    ];
    expect(sorted(rows, { by: "country", down: false }).map((one) => one.id)).toEqual([3, 2, 1]);
    expect(sorted(streams, { by: "name", down: true }).map((one) => one.id)).toEqual([1, 3, 2]);
  });
});

describe("patch", () => {
  it("takes state, cause and measurements of a check and nothing foreign", () => {
    const before = stream({ id: 4, state: "unproven" });
    const after = patched(
      before,
      event("stream.checked", { stream_id: 4, state: "failing", cause: "silent", name: "<b>", id: 99 }),
    );
    expect(after).toMatchObject({
      id: 4,
      name: before.name,
      state: "failing",
      cause: "silent",
      last_checked: "2026-11-20T12:00:00Z",
    });
  });

  it("shows the song that starts, and takes away only the song that ends", () => {
    const on = patched(
      stream({ id: 4 }),
      event("play.started", { stream_id: 4, recording_id: "seven", title: "Tide", artist: "Ada", started_at: "t" }),
    );
    expect(on.now_playing).toEqual({ recording_id: "seven", title: "Tide", artist: "Ada", since: "t" });
    expect(patched(on, event("play.finished", { stream_id: 4, recording_id: "six" }))).toBe(on);
    expect(patched(on, event("play.finished", { stream_id: 4, recording_id: "seven" })).now_playing).toBeNull();
  });

  it("leaves a stream as it is for events that it does not know", () => {
    const before = stream({ id: 4 });
    expect(patched(before, event("stream.renumbered", { stream_id: 4 }))).toBe(before);
  });
});

describe("catalogue", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  function serve(pages: Record<string, { rows: Stream[]; link?: string }>): string[] {
    const asked: string[] = [];
    vi.stubGlobal("location", { href: "http://here.example/" });
    vi.stubGlobal("fetch", async (path: string) => {
      asked.push(path);
      const page = pages[path];
      if (page === undefined)
        return new Response("{}", { status: 404, headers: { "content-type": "application/json" } });
      return new Response(JSON.stringify(page.rows), { headers: page.link === undefined ? {} : { link: page.link } });
    });
    return asked;
  }

  const first = "/api/v1/streams?all=true&limit=1000";

  it("reads page after page and knows when it is done", async () => {
    const asked = serve({
      [first]: { rows: [stream({ id: 1 })], link: '</api/v1/streams?cursor=a>; rel="next"' },
      "/api/v1/streams?cursor=a": { rows: [stream({ id: 2 })] },
    });
    const catalogue = new Catalogue();
    await catalogue.load();
    expect(asked).toEqual([first, "/api/v1/streams?cursor=a"]);
    expect([...catalogue.read().streams.keys()]).toEqual([1, 2]);
    expect(catalogue.read().loading).toMatchObject({ status: "ready", loaded: 2 });
  });

  it("ends where a server pages in a circle", async () => {
    const asked = serve({ [first]: { rows: [stream({ id: 1 })], link: `<${first}>; rel="next"` } });
    await new Catalogue().load();
    expect(asked).toEqual([first, first]);
  });

  it("says why it failed and keeps what it had read", async () => {
    serve({ [first]: { rows: [stream({ id: 1 })], link: '</api/v1/gone>; rel="next"' } });
    const catalogue = new Catalogue();
    await catalogue.load();
    const { loading, streams } = catalogue.read();
    expect(loading.status).toBe("failed");
    expect(loading.problem?.status).toBe(404);
    expect(streams.size).toBe(1);
  });

  it("waits as long as the server asks, then goes on", async () => {
    vi.useFakeTimers();
    let asked = 0;
    vi.stubGlobal("location", { href: "http://here.example/" });
    vi.stubGlobal("fetch", async () => {
      asked += 1;
      if (asked < 3)
        return new Response("{}", { status: 429, headers: { "retry-after": "7", "content-type": "application/json" } });
      return new Response(JSON.stringify([stream({ id: 1 })]));
    });
    const catalogue = new Catalogue();
    const loaded = catalogue.load();
    await vi.advanceTimersByTimeAsync(13_900);
    expect([asked, catalogue.read().loading.status]).toEqual([2, "loading"]);
    await vi.advanceTimersByTimeAsync(200);
    await loaded;
    expect([asked, catalogue.read().loading.status]).toEqual([3, "ready"]);
  });

  it("stops waiting when one does not want to wait", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("location", { href: "http://here.example/" });
    vi.stubGlobal("fetch", async () => new Response("{}", { status: 429, headers: { "retry-after": "30" } }));
    const catalogue = new Catalogue();
    const loaded = catalogue.load();
    await vi.advanceTimersByTimeAsync(10);
    catalogue.cancel();
    await loaded;
    expect(catalogue.read().loading.status).toBe("stopped");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps the order of the list while rows are patched: membership stays, changes count", async () => {
    serve({ [first]: { rows: [stream({ id: 1, state: "playing" })] } });
    const catalogue = new Catalogue();
    await catalogue.load();
    const before = catalogue.read();
    const told = new Promise<void>((resolve) => catalogue.watch(resolve));
    catalogue.receive(event("stream.state_changed", { stream_id: 1, to_state: "failing", cause: "timeout" }));
    await told;
    const after = catalogue.read();
    expect(after.members).toBe(before.members);
    expect(after.changes).toBeGreaterThan(before.changes);
    expect(after.streams.get(1)?.state).toBe("failing");
  });

  it("fetches a stream that was added by somebody else", async () => {
    serve({ [first]: { rows: [] }, "/api/v1/streams/9": { rows: [] } });
    const catalogue = new Catalogue();
    await catalogue.load();
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify(stream({ id: 9 }))));
    const came = new Promise<void>((resolve) => catalogue.watch(() => catalogue.read().streams.has(9) && resolve()));
    catalogue.receive(event("stream.added", { stream_id: 9 }));
    await came;
    expect(catalogue.read().streams.get(9)?.id).toBe(9);
  });
});
