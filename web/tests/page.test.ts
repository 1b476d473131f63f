import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { takeLink } from "../src/app/link";
import { pathOf, rooms, routeOf } from "../src/app/route";
import { countryName, languageName, nameOf, placeOf } from "../src/frame/format";
import { joined } from "../src/frame/joined";
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

describe("words", () => {
  it("are joined where there are any, and those written the other way are set apart", () => {
    expect(joined(["Lyon", null, "", undefined, "France"], ", ")).toBe("Lyon, France");
    expect(joined(["نسيم", "2m"], " · ")).toBe("\u2068نسيم\u2069 · 2m");
  });

  it("name every stream and place", () => {
    expect(nameOf({ name: null, url: "http://radio.example:8000/live" })).toBe("radio.example:8000");
    expect(nameOf({ name: "", url: "not an address" })).toBe("not an address");
    expect(placeOf({ city: null, country_code: "DE", country_name: null })).toBe("Germany");
    expect(countryName("!")).toBe("!");
    expect(languageName("de")).toBe("German");
    expect(languageName("german")).toBe("German");
  });
});

describe("colours", () => {
  const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");

  function tokens(selector: string): Map<string, string> {
    const block = css.slice(css.indexOf(`${selector} {`)).split("}")[0] ?? "";
    return new Map(
      [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value]),
    );
  }

  /** WCAG 2.2: relative luminance of an sRGB colour. */
  function luminance(colour: string): number {
    const [r = 0, g = 0, b = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function contrast(a: string, b: string): number {
    const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  }

  const texts = ["ink", "ink-2", "ink-3", "accent-ink", "playing", "failing", "unproven", "retired"];
  const grounds = ["ground", "space", "surface", "raised"];

  it.each(['[data-theme="dark"]', '[data-theme="light"]'])("of text reach 4.5:1 on every ground in %s", (selector) => {
    const values = tokens(selector);
    for (const ground of grounds) {
      for (const text of texts) {
        const [front, back] = [values.get(text), values.get(ground)];
        if (front === undefined || back === undefined) throw new Error(`${selector} lacks ${text} or ${ground}`);
        expect(contrast(front, back), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    expect(contrast(values.get("on-accent") ?? "", values.get("accent") ?? "")).toBeGreaterThanOrEqual(4.5);
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
