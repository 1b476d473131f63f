import { describe, expect, it } from "vitest";
import { arcs, donutOf } from "../src/globe/marks";
import { night, subsolar } from "../src/globe/night";
import { angle, fingerprint, nearest, pointsOf } from "../src/globe/points";
import { stream } from "./rows";

describe("sun", () => {
  // Declination and subsolar longitude of the almanac, to within a third of a degree.
  it.each([
    ["2026-06-21T12:00:00Z", 23.4, 0.5],
    ["2026-12-21T12:00:00Z", -23.4, -0.5],
    ["2026-03-20T14:46:00Z", 0, -39.6],
    ["2026-11-03T12:00:00Z", -15.1, -4.1],
    ["2026-06-21T00:00:00Z", 23.4, -179.5],
  ])("stands over the right place at %s", (at, latitude, longitude) => {
    const sun = subsolar(Date.parse(at));
    expect(Math.abs(sun.latitude - latitude)).toBeLessThan(0.35);
    const apart = Math.abs(sun.longitude - longitude);
    expect(Math.min(apart, 360 - apart)).toBeLessThan(0.35);
  });

  it("is 90 degrees from every point of the terminator", () => {
    for (const at of ["2026-01-15T03:20:00Z", "2026-08-01T19:00:00Z"]) {
      const moment = Date.parse(at);
      const sun = subsolar(moment);
      const ring = night(moment).geometry.coordinates[0] ?? [];
      const terminator = ring.slice(0, -3);
      expect(terminator.length).toBeGreaterThan(100);
      for (const [longitude = 0, latitude = 0] of terminator) {
        expect(angle(latitude, longitude, sun.latitude, sun.longitude)).toBeCloseTo(90, 3);
      }
    }
  });

  it("leaves the pole of the winter side dark", () => {
    const poles = (at: string) =>
      night(Date.parse(at))
        .geometry.coordinates[0]?.slice(-3, -1)
        .map((point) => point[1]);
    expect(poles("2026-06-21T12:00:00Z")).toEqual([-90, -90]);
    expect(poles("2026-12-21T12:00:00Z")).toEqual([90, 90]);
  });
});

describe("points", () => {
  const suva = stream({ id: 1, latitude: -18.1, longitude: 178.4 });
  const taveuni = stream({ id: 2, latitude: -16.9, longitude: -179.9 });
  const silent = stream({ id: 3, latitude: -17, longitude: -179.9, state: "failing" });

  it("leave out what has no place or an impossible one", () => {
    const streams = [
      suva,
      stream({ id: 8 }),
      stream({ id: 9, latitude: 95, longitude: 0 }),
      stream({ id: 10, latitude: 0, longitude: 181 }),
    ];
    expect(pointsOf(streams).features.map((point) => point.id)).toEqual([1]);
  });

  it("are told apart by state, place and number only", () => {
    const print = (...streams: Parameters<typeof stream>[0][]) => fingerprint(pointsOf(streams.map(stream)));
    const base = { id: 1, latitude: 1, longitude: 2 };
    expect(print(base)).toBe(print({ ...base, stream_title: "another" }));
    expect(print(base)).not.toBe(print({ ...base, state: "failing" }));
    expect(print(base)).not.toBe(print({ ...base, latitude: 1.5 }));
    expect(print(base)).not.toBe(print(base, { ...base, id: 2 }));
  });

  it("find the nearest playing one, also across the date line", () => {
    expect(nearest([suva, taveuni, silent], -17, 179.9, 6)?.id).toBe(2);
    expect(nearest([suva, taveuni], 40, 0, 6)).toBeNull();
  });

  it("measure angles", () => {
    expect(angle(0, 179, 0, -179)).toBeCloseTo(2, 6);
    expect(angle(90, 0, -90, 50)).toBeCloseTo(180, 6);
  });
});

describe("donuts", () => {
  it("are read from the id that the style computes, and from nothing else", () => {
    expect(donutOf("donut:15:8:3:1.2k")).toEqual({ radius: 15, playing: 8, failing: 3, label: "1.2k" });
    for (const id of ["donut:15:8:3:", "donut:x:1:1:1", "point:playing", "donut:9999:1:1:1", "donut:1:1:1:a:b"])
      expect(donutOf(id)).toBeNull();
  });

  it("fill the ring exactly, whatever rounding did", () => {
    for (let playing = 0; playing <= 13; playing++) {
      for (let failing = 0; failing <= 13; failing++) {
        const shares = arcs({ radius: 15, playing, failing, label: "1" });
        expect(shares[0]?.from).toBe(0);
        expect(shares.at(-1)?.to).toBe(1);
        for (const [index, share] of shares.entries()) expect(share.from).toBeCloseTo(shares[index - 1]?.to ?? 0, 12);
      }
    }
  });
});
