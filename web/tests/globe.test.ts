import { describe, expect, it } from "vitest";
import { Clusters } from "../src/globe/clusters";
import { columnsOf } from "../src/globe/columns";
import { arcs, donutOf, iconOf } from "../src/globe/marks";
import { night, subsolar } from "../src/globe/night";
import { angle, boxAround, circle } from "../src/globe/sphere";
import { holds, type Mark, mostFeatures, nearestZoom, type View } from "../src/globe/view";

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

/** An answer of /api/v1/points, written by docs/formats/points.md. */
function packed(rows: { id: number; lat: number; lon: number; km?: number; kind?: number }[]): ArrayBuffer {
  const n = rows.length;
  const bytes = new DataView(new ArrayBuffer(8 + 15 * n));
  for (const [at, letter] of [..."APT1"].entries()) bytes.setUint8(at, letter.charCodeAt(0));
  bytes.setUint32(4, n, true);
  for (const [at, { id, lat, lon, km = 25, kind = 0 }] of rows.entries()) {
    bytes.setUint32(8 + 4 * at, id, true);
    bytes.setFloat32(8 + 4 * n + 4 * at, lat, true);
    bytes.setFloat32(8 + 8 * n + 4 * at, lon, true);
    bytes.setUint16(8 + 12 * n + 2 * at, km, true);
    bytes.setUint8(8 + 14 * n + at, kind);
  }
  return bytes.buffer;
}

const grouped = (...rows: Parameters<typeof packed>[0]): Clusters => {
  const clusters = new Clusters();
  clusters.set(columnsOf(packed(rows)));
  return clusters;
};

const view = (change: Partial<View> = {}): View => ({
  latitude: 0,
  longitude: 0,
  zoom: 1,
  widthPx: 1440,
  heightPx: 900,
  ...change,
});

const countOf = (mark: Mark): number => ("point_count" in mark.properties ? mark.properties.point_count : 1);

/** As many points as the bar asks for: in cities, on country middles (many at one place), and spread. */
function crowd(n: number): ArrayBuffer {
  let seed = 7;
  const roll = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const cities = Array.from({ length: 400 }, () => [roll() * 130 - 60, roll() * 360 - 180] as const);
  return packed(
    Array.from({ length: n }, (_, at) => {
      const [lat, lon] = cities[Math.floor(roll() ** 2 * cities.length)] ?? [0, 0];
      const far = at % 3 === 0 ? 0 : at % 3 === 1 ? 0.4 : 8;
      const [y, x] = [lat + (roll() - 0.5) * far, lon + (roll() - 0.5) * far];
      return { id: at + 1, lat: Math.max(-85, Math.min(85, y)), lon: Math.max(-180, Math.min(180, x)), kind: at % 3 };
    }),
  );
}

describe("points", () => {
  it("are refused where they are not the format we know", () => {
    expect(() => columnsOf(new ArrayBuffer(4))).toThrow("not a list of points");
    expect(() => columnsOf(packed([{ id: 1, lat: 0, lon: 0 }]).slice(0, -1))).toThrow("not a list of points");
    expect(columnsOf(packed([])).ids.length).toBe(0);
  });

  it("say their state and whether their place is known", () => {
    const { marks } = grouped({ id: 5, lat: 10, lon: 20, km: 900, kind: 1 }).draw(view());
    expect(marks[0]?.properties).toEqual({ id: 5, state: "failing", unsure: true });
    const sure = grouped({ id: 5, lat: 10, lon: 20, km: 25, kind: 4 }).draw(view()).marks;
    expect(sure[0]?.properties).toEqual({ id: 5, state: "playing", unsure: false });
  });

  it("that stand at one place are one cluster at every zoom, and say that none parts them", () => {
    const clusters = grouped(...Array.from({ length: 30 }, (_, at) => ({ id: at + 1, lat: 39.8, lon: -98.6 })));
    const { marks } = clusters.draw(view({ zoom: nearestZoom, latitude: 39.8, longitude: -98.6 }));
    expect(marks.map(countOf)).toEqual([30]);
    const [mark] = marks;
    if (mark === undefined || !("cluster_id" in mark.properties)) throw new Error("no cluster");
    const members = clusters.members(mark.properties.cluster_id);
    expect(members.total).toBe(30);
    expect(members.zoom).toBeGreaterThan(nearestZoom);
    expect(members.box.map((deg) => Math.round(deg * 10) / 10)).toEqual([-98.6, 39.8, -98.6, 39.8]);
  });

  it("change their look by a new state only, and are counted by it", () => {
    const clusters = grouped({ id: 1, lat: 0, lon: 0 }, { id: 8, lat: 9, lon: 9 });
    expect(clusters.patch([[8, "failing"]])).toBe(true);
    expect(clusters.patch([[8, "failing"]])).toBe(false);
    expect(clusters.patch([[3, "failing"]])).toBe(false);
    expect(clusters.tally()).toEqual({ total: 2, states: { playing: 1, failing: 1, unproven: 0, retired: 0 } });
  });

  it("find the nearest playing one, also across the date line", () => {
    const clusters = grouped(
      { id: 1, lat: -18.1, lon: 178.4 },
      { id: 2, lat: -16.9, lon: -179.9 },
      { id: 3, lat: -17, lon: -179.9, kind: 1 },
    );
    expect(clusters.nearest(-17, 179.9, 6)).toBe(2);
    expect(clusters.nearest(40, 0, 6)).toBeNull();
  });

  it("are 100,000 and yet never more than 2,000 marks, with none missing from sight", () => {
    const clusters = new Clusters();
    clusters.set(columnsOf(crowd(100_000)));
    for (const zoom of [0, 1, 2, 3, 4, 5, 6, 7.5, 9.5]) {
      for (const [latitude, longitude] of [
        [50, 179],
        [84, 10],
      ] as const) {
        for (const [widthPx, heightPx] of [
          [1440, 900],
          [7680, 4320],
        ] as const) {
          const drawn = clusters.draw({ latitude, longitude, zoom, widthPx, heightPx });
          expect(drawn.marks.length).toBeLessThanOrEqual(mostFeatures);
        }
      }
    }
    const whole = clusters.draw(view({ zoom: 1 }));
    expect(whole.marks.reduce((sum, mark) => sum + countOf(mark), 0)).toBe(100_000);
  });

  it("hold for views near to the one they were drawn for, and for no others", () => {
    const clusters = new Clusters();
    clusters.set(columnsOf(crowd(100_000)));
    const at = view({ zoom: 5.2, latitude: 20, longitude: 179 });
    const drawn = clusters.draw(at);
    expect(holds(drawn, at)).toBe(true);
    expect(holds(drawn, { ...at, longitude: -179 })).toBe(true);
    expect(holds(drawn, { ...at, longitude: 100 })).toBe(false);
    expect(holds(drawn, { ...at, zoom: 6.1 })).toBe(false);
  });
});

describe("sphere", () => {
  it("measures angles", () => {
    expect(angle(0, 179, 0, -179)).toBeCloseTo(2, 6);
    expect(angle(90, 0, -90, 50)).toBeCloseTo(180, 6);
  });

  it("puts boxes around caps: every edge of the cap is inside", () => {
    for (const [latitude, longitude, reach] of [
      [0, 0, 10],
      [60, 170, 20],
      [-50, -179, 30],
      [80, 0, 15],
    ] as const) {
      const [west, south, east, north] = boxAround(latitude, longitude, reach);
      for (const [lon, lat] of circle(latitude, longitude, (reach * Math.PI * 6371.0088) / 180 - 1)) {
        expect(lat).toBeGreaterThanOrEqual(south);
        expect(lat).toBeLessThanOrEqual(north);
        const across = ((((lon - west) % 360) + 360) % 360) - 1e-9;
        expect(across).toBeLessThanOrEqual(east - west > 0 ? east - west : east - west + 360);
      }
    }
  });

  it("draws circles whose corners are all as far as they should be", () => {
    for (const [lon, lat] of circle(-33, 151, 500)) {
      expect((angle(-33, 151, lat, lon) * Math.PI * 6371.0088) / 180).toBeCloseTo(500, 3);
    }
  });
});

describe("donuts", () => {
  it("are read from the id that the style computes, and from nothing else", () => {
    expect(donutOf("donut:15:8:3:1.2k")).toEqual({ radius: 15, playing: 8, failing: 3, label: "1.2k" });
    for (const id of ["donut:15:8:3:", "donut:x:1:1:1", "point:playing", "donut:9999:1:1:1", "donut:1:1:1:a:b"])
      expect(donutOf(id)).toBeNull();
  });

  it("are named by what they show, in steps that let many share one image", () => {
    const many = { cluster_id: 1, point_count: 1200, point_count_abbreviated: "1.2k", playing: 800, failing: 300 };
    expect(iconOf(many)).toBe("donut:25:8:3:1.2k");
    expect(donutOf(iconOf(many))).toEqual({ radius: 25, playing: 8, failing: 3, label: "1.2k" });
    expect(iconOf({ id: 1, state: "failing", unsure: false })).toBe("point:failing");
    expect(iconOf({ id: 1, state: "playing", unsure: true })).toBe("point:playing:unsure");
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
