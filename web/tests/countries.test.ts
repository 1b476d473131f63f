import type { Position } from "geojson";
import { describe, expect, it } from "vitest";
import { cutShapes, readAtlas } from "../build/countries";

const shapes = cutShapes(readAtlas());

const spans = (line: Position[]): number[] =>
  line.slice(1).map((point, index) => Math.abs((point[0] ?? 0) - (line[index]?.[0] ?? 0)));

/** Area of a ring in square degrees, positive when counterclockwise. */
function planarArea(ring: Position[]): number {
  let sum = 0;
  for (let i = 1; i < ring.length; i++) {
    const [ax = 0, ay = 0] = ring[i - 1] ?? [];
    const [bx = 0, by = 0] = ring[i] ?? [];
    sum += ax * by - bx * ay;
  }
  return sum / 2;
}

describe("country shapes", () => {
  it("keeps every country", () => {
    expect(shapes.land.features.length).toBe(177);
  });

  it("draws no edge across the antimeridian", () => {
    for (const area of shapes.land.features) {
      for (const ring of (area.geometry.coordinates as Position[][][]).flat()) {
        // Only the cut along a pole may be long: Antarctica's lower edge at -90 degrees.
        const long = spans(ring).filter((span) => span > 60).length;
        const atPole = ring.some((point) => point[1] === -90);
        expect(atPole ? 0 : long, area.properties?.["name"]).toBe(0);
      }
    }
    for (const line of shapes.lines.features.flatMap((feature) => feature.geometry.coordinates)) {
      expect(Math.max(...spans(line))).toBeLessThan(60);
    }
  });

  it("covers the planar area that the land really has, so no false area is painted", () => {
    const total = shapes.land.features
      .flatMap((area) => area.geometry.coordinates as Position[][][])
      .reduce((sum, rings) => sum + rings.reduce((inner, ring) => inner + planarArea(ring), 0), 0);
    // Land, Antarctica included, is about a third of the plate carree plane of 64,800 square degrees; a false area adds thousands.
    expect(total).toBeGreaterThan(19_000);
    expect(total).toBeLessThan(24_000);
  });

  it("cuts Russia and Fiji at the antimeridian", () => {
    for (const name of ["Russia", "Fiji"]) {
      const area = shapes.land.features.find((one) => one.properties?.["name"] === name);
      const polygons = (area?.geometry.coordinates ?? []) as Position[][][];
      const longitudes = polygons.flat(2).map((point) => point[0] ?? 0);
      expect(Math.max(...longitudes)).toBe(180);
      expect(Math.min(...longitudes)).toBe(-180);
    }
  });
});
