import { describe, expect, it } from "vitest";
import { LivePlays, merged, playOf } from "../src/live/plays";
import { freeze, held, matching } from "../src/plays/shown";
import { play } from "./rows";

const told = (type: string, payload: object) => ({
  position: 1,
  type,
  at: "",
  payload: payload as Record<string, unknown>,
});

describe("live plays", () => {
  it("are plays and nothing else", () => {
    expect(playOf(told("play.started", play({ id: 3 })))).toMatchObject({ id: 3, status: "playing" });
    expect(playOf(told("play.finished", { id: 3, started_at: "t" }))).toMatchObject({
      id: 3,
      status: "finished",
      title: null,
    });
    expect(playOf(told("stream.checked", play()))).toBeNull();
    expect(playOf(told("play.started", { id: "3", started_at: "t" }))).toBeNull();
  });

  it("are told once when they start, and patched in place after that", () => {
    const live = new LivePlays();
    const started: number[] = [];
    live.onStart((one) => started.push(one.id));
    live.receive(told("play.started", play({ id: 1 })));
    live.receive(told("play.started", play({ id: 1 })));
    live.receive(told("play.finished", play({ id: 1, status: "finished", duration_ms: 9000 })));
    expect(started).toEqual([1]);
    expect(live.read().get(1)).toMatchObject({ status: "finished", duration_ms: 9000 });
    expect(live.read().size).toBe(1);
  });

  it("are bounded", () => {
    const live = new LivePlays();
    for (let id = 1; id <= 700; id++) live.receive(told("play.started", play({ id })));
    expect(live.read().size).toBe(500);
    expect(live.read().has(700)).toBe(true);
    expect(live.read().has(1)).toBe(false);
  });

  it("and read ones make one list, each once, newest first and in its newest form", () => {
    const read = [
      play({ id: 1, started_at: "2026-11-20T12:00:00Z" }),
      play({ id: 2, started_at: "2026-11-20T12:01:00Z" }),
    ];
    const live = new Map([
      [1, play({ id: 1, started_at: "2026-11-20T12:00:00Z", status: "finished" })],
      [3, play({ id: 3, started_at: "2026-11-20T12:00:30Z" })],
    ]);
    const rows = merged(read, live);
    expect(rows.map((row) => row.id)).toEqual([2, 3, 1]);
    expect(rows[2]?.status).toBe("finished");
  });
});

describe("the list while one reads", () => {
  const at = (id: number, minute: number) =>
    play({ id, started_at: `2026-11-20T12:${String(minute).padStart(2, "0")}:00Z` });

  it("does not move: newcomers wait, wherever they belong; older pages come in", () => {
    const before = merged([at(1, 30), at(2, 20)], new Map());
    const frozen = freeze(before);
    const after = merged([...before, at(3, 40), at(4, 25), at(5, 10)], new Map());
    expect(held(after, frozen).map((row) => row.id)).toEqual([1, 2, 5]);
    expect(after.length - held(after, frozen).length).toBe(2);
    expect(held(after, null)).toBe(after);
  });

  it("is narrowed by words in title, artist or station", () => {
    const rows = [play({ id: 1, title: "Última Estación" }), play({ id: 2, station_name: "Ultra FM" })];
    expect(matching(rows, "ULTIMA").map((row) => row.id)).toEqual([1]);
    expect(matching(rows, "ultra ada").map((row) => row.id)).toEqual([2]);
    expect(matching(rows, " ")).toBe(rows);
  });
});
