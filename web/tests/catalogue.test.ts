import { afterEach, describe, expect, it, vi } from "vitest";
import type { LiveEvent, Stream } from "../src/api/types";
import { folded, wordsOf } from "../src/catalogue/filter";
import { patched } from "../src/catalogue/patch";
import { Catalogue } from "../src/catalogue/store";
import { filterFrom, searchWith } from "../src/catalogue/useCatalogue";
import { stream } from "./rows";

const event = (type: string, payload: Record<string, unknown>): LiveEvent => ({
  position: 1,
  type,
  at: "2026-11-20T12:00:00Z",
  payload,
});

describe("filter", () => {
  it("reads words without case and accents", () => {
    expect(folded("Rádio São Paulo")).toBe("radio sao paulo");
    expect(wordsOf("  São  RADIO ")).toEqual(["sao", "radio"]);
  });

  it("goes into the address and comes back from it, leaving what is not its own", () => {
    const search = searchWith("?e2e=", { country: "BR", q: "são" });
    expect(filterFrom(search)).toMatchObject({ country: "BR", q: "são", state: "" });
    expect(searchWith(search, { country: "", q: "" })).toBe("?e2e=");
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
  });

  function serve(streams: Record<number, Stream>): string[] {
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (path: string) => {
      asked.push(path);
      const found = streams[Number(path.split("/").at(-1))];
      return found === undefined
        ? new Response("{}", { status: 404, headers: { "content-type": "application/json" } })
        : new Response(JSON.stringify(found));
    });
    return asked;
  }

  it("asks once for a stream, however many want it, and not at all for one it has read", async () => {
    const asked = serve({ 7: stream({ id: 7 }) });
    const catalogue = new Catalogue();
    const [one, other] = await Promise.all([catalogue.one(7), catalogue.one(7)]);
    expect([one.id, other.id]).toEqual([7, 7]);
    expect((await catalogue.one(7)).id).toBe(7);
    expect(asked).toEqual(["/api/v1/streams/7"]);
  });

  it("asks again after a failure", async () => {
    serve({});
    const catalogue = new Catalogue();
    await expect(catalogue.one(9)).rejects.toMatchObject({ status: 404 });
    serve({ 9: stream({ id: 9 }) });
    expect((await catalogue.one(9)).id).toBe(9);
  });

  it("keeps what it holds up to date, and tells once of many changes", async () => {
    const catalogue = new Catalogue();
    catalogue.put([stream({ id: 1, state: "playing" })]);
    let told = 0;
    const came = new Promise<void>((resolve) =>
      catalogue.watch(() => {
        told += 1;
        resolve();
      }),
    );
    for (const to of ["failing", "playing", "failing"])
      catalogue.receive(event("stream.state_changed", { stream_id: 1, to_state: to, cause: "timeout" }));
    catalogue.receive(event("stream.state_changed", { stream_id: 2, to_state: "failing" }));
    await came;
    expect(told).toBe(1);
    expect(catalogue.read().streams.get(1)?.state).toBe("failing");
    expect(catalogue.read().streams.size).toBe(1);
  });

  it("forgets what was read longest ago before it grows without bound", () => {
    const catalogue = new Catalogue();
    catalogue.put([stream({ id: 1 })]);
    catalogue.put(Array.from({ length: 20_000 }, (_, at) => stream({ id: at + 2 })));
    expect(catalogue.read().streams.size).toBe(20_000);
    expect(catalogue.read().streams.has(1)).toBe(false);
    expect(catalogue.read().streams.has(20_001)).toBe(true);
  });
});
