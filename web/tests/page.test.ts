import { describe, expect, it } from "vitest";
import { takeLink } from "../src/app/link";
import { pathOf, rooms, routeOf } from "../src/app/route";
import { every, length, relative } from "../src/frame/time";
import { heardShare, stretches } from "../src/stations/Coverage";
import { reported } from "../src/system/Processes";
import { queuesOf } from "../src/system/Queues";
import { texts } from "../src/texts";

describe("addresses", () => {
  it("say the room and what is selected, there and back", () => {
    for (const room of rooms) {
      for (const id of [null, 12]) expect(routeOf(pathOf({ room, id }))).toEqual({ room, id });
    }
  });

  it("that are unknown lead to the globe", () => {
    expect(routeOf("/nowhere")).toEqual({ room: "globe", id: null });
    expect(routeOf("/plays/00000000-0000-4000-8000-000000000012").id).toBe("00000000-0000-4000-8000-000000000012");
    expect(routeOf("/plays/<script>")).toEqual({ room: "plays", id: null });
    expect(routeOf("/stations/12abc")).toEqual({ room: "stations", id: null });
    expect(routeOf(`/stations/${"9".repeat(40)}`)).toEqual({ room: "stations", id: null });
  });

  it("lose the one-time link and nothing else", () => {
    expect(takeLink(new URL("http://h/stations?q=a&link=SECRET&e2e#x"))).toEqual({
      link: "SECRET",
      rest: "/stations?q=a&e2e=#x",
    });
    expect(takeLink(new URL("http://h/"))).toEqual({ link: null, rest: "/" });
  });
});

describe("times", () => {
  it("are relative in whole units", () => {
    const now = Date.parse("2026-11-20T12:00:00Z");
    expect(relative(now - 400, now)).toBe(texts.time.now);
    expect(relative(now - 59_900, now)).toBe("59s ago");
    expect(relative(now - 3_600_000 * 5.9, now)).toBe("5h ago");
    expect(relative(now + 86_400_000 * 3, now)).toBe("in 3d");
  });

  it("and lengths read like a clock", () => {
    expect(length(187_400)).toBe("3:07");
    expect(length(3_729_000)).toBe("1:02:09");
    expect(length(-5)).toBe("0:00");
    expect(every(90)).toBe("90 sec");
    expect(every(900)).toBe("15 min");
    expect(every(21_600)).toBe("6 hr");
  });
});

describe("coverage", () => {
  const row = (kind: "heard" | "gap", start: number, end: number) => ({
    kind,
    cause: null,
    started_at: new Date(start).toISOString(),
    ended_at: new Date(end).toISOString(),
  });

  it("is cut to the day and put in order", () => {
    const parts = stretches(
      [row("gap", 150, 160), row("heard", 0, 150), row("heard", 160, 900), row("gap", 10, 90)],
      100,
      200,
    );
    expect(parts.map(({ kind, start, end }) => [kind, start, end])).toEqual([
      ["heard", 0, 0.5],
      ["gap", 0.5, 0.6],
      ["heard", 0.6, 1],
    ]);
    expect(heardShare(parts)).toBeCloseTo(0.9, 12);
    expect(heardShare([])).toBeNull();
  });
});

describe("system", () => {
  it("counts tasks by queue and status in words", () => {
    const task = (queue: string, status: string) => ({ queue, status });
    const queues = queuesOf([
      task("probe", "pending"),
      task("probe", "running"),
      task("probe", "pending"),
      task("money", "strange_one"),
    ]);
    expect(queues.map(({ name, total }) => [name, total])).toEqual([
      ["money", 1],
      ["probe", 3],
    ]);
    expect(Object.fromEntries(queues[1]?.counts ?? [])).toEqual({ waiting: 2, "at work": 1 });
    expect(Object.fromEntries(queues[0]?.counts ?? [])).toEqual({ "strange one": 1 });
  });

  it("tells the plain parts of a process's report", () => {
    expect(reported({ sessions: 48, factor: 1.00391, nested: { a: 1 }, mode: "hybrid" })).toBe(
      "sessions 48 · factor 1 · mode hybrid",
    );
    expect(reported({})).toBe("");
  });
});
