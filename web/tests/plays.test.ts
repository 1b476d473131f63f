import { describe, expect, it } from "vitest";
import { LivePlays, merged, playOf } from "../src/live/plays";
import { freeze, held, matching } from "../src/plays/shown";
import { play, uuid } from "./rows";

const told = (type: string, payload: object) => ({
  position: 1,
  type,
  at: "",
  payload: payload as Record<string, unknown>,
});

const at = (n: number, minute: number) =>
  play({ id: uuid(n), started_at: `2026-11-20T12:${String(minute).padStart(2, "0")}:00Z` });

describe("live plays", () => {
  it("are plays and nothing else", () => {
    expect(playOf(told("play.started", play({ id: uuid(3) })))).toMatchObject({ id: uuid(3), status: "playing" });
    expect(playOf(told("stream.checked", play()))).toBeNull();
    expect(playOf(told("play.started", { ...play(), id: 3 }))).toBeNull();
    expect(playOf(told("play.finished", { id: uuid(3), started_at: "t" }))).toBeNull();
  });

  it("are told once when they start, and patched in place after that", () => {
    const live = new LivePlays();
    const started: string[] = [];
    live.onStart((one) => started.push(one.id));
    live.receive(told("play.started", play()));
    live.receive(told("play.started", play()));
    live.receive(told("play.finished", play({ status: "finished", duration_ms: 9000 })));
    expect(started).toEqual([uuid(1)]);
    expect(live.read().get(uuid(1))).toMatchObject({ status: "finished", duration_ms: 9000 });
    expect(live.read().size).toBe(1);
  });

  it("are bounded", () => {
    const live = new LivePlays();
    for (let n = 1; n <= 700; n++) live.receive(told("play.started", play({ id: uuid(n) })));
    expect(live.read().size).toBe(500);
    expect(live.read().has(uuid(700))).toBe(true);
    expect(live.read().has(uuid(1))).toBe(false);
  });

  it("and read ones make one list, each once, newest first and in its newest form", () => {
    const read = [at(1, 0), at(2, 10)];
    const live = new Map([
      [uuid(1), { ...at(1, 0), status: "finished" as const }],
      [uuid(3), at(3, 5)],
    ]);
    const rows = merged(read, live);
    expect(rows.map((row) => row.id)).toEqual([uuid(2), uuid(3), uuid(1)]);
    expect(rows[2]?.status).toBe("finished");
  });
});

describe("the list while one reads", () => {
  it("does not move: newcomers wait, wherever they belong; older pages come in", () => {
    const before = merged([at(1, 30), at(2, 20)], new Map());
    const frozen = freeze(before);
    const after = merged([...before, at(3, 40), at(4, 25), at(5, 10)], new Map());
    expect(held(after, frozen).map((row) => row.id)).toEqual([uuid(1), uuid(2), uuid(5)]);
    expect(after.length - held(after, frozen).length).toBe(2);
    expect(held(after, null)).toBe(after);
  });

  it("is narrowed by words in title, artist or station", () => {
    const rows = [play({ id: uuid(1), title: "Última Estación" }), play({ id: uuid(2), station_name: "Ultra FM" })];
    expect(matching(rows, "ULTIMA").map((row) => row.id)).toEqual([uuid(1)]);
    expect(matching(rows, "ultra ada").map((row) => row.id)).toEqual([uuid(2)]);
    expect(matching(rows, " ")).toBe(rows);
  });
});
