import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoEquirectangular, geoGraticule } from "d3-geo";
import { geoProject } from "d3-geo-projection";
import type {
  Feature,
  FeatureCollection,
  GeoJSON,
  LineString,
  MultiLineString,
  MultiPolygon,
  Polygon,
  Position,
} from "geojson";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import type { Plugin } from "vite";

type Atlas = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;
export type Shapes = { land: FeatureCollection<Polygon | MultiPolygon>; lines: FeatureCollection<MultiLineString> };

/** Degrees in, degrees out: the plane that MapLibre expects, with d3's cut at the antimeridian and around the poles. */
const plane = () =>
  geoEquirectangular()
    .scale(180 / Math.PI)
    .translate([0, 0])
    .precision(0.1);

const degrees = ([x, y]: Position): Position => [round(x ?? 0), round(-(y ?? 0))];
const round = (value: number): number => Math.round(value * 100) / 100;

function upright(line: Position[]): Position[] {
  const points = line.map(degrees);
  return points.filter((point, index) => {
    const before = points[index - 1];
    return before === undefined || before[0] !== point[0] || before[1] !== point[1];
  });
}

// Turning the y axis round turns the winding round as well; RFC 7946 wants outer rings counterclockwise.
const ring = (positions: Position[]): Position[] => upright(positions).reverse();

function cutArea(
  shape: Feature<Polygon | MultiPolygon, { name: string }>,
): Feature<MultiPolygon, { name: string }> | null {
  const cut = geoProject<GeoJSON>(shape, plane()) as Feature<Polygon | MultiPolygon> | null;
  if (cut?.geometry == null) return null;
  const polygons = cut.geometry.type === "Polygon" ? [cut.geometry.coordinates] : cut.geometry.coordinates;
  const coordinates = polygons.map((rings) => rings.map(ring).filter((points) => points.length > 3));
  return {
    type: "Feature",
    properties: shape.properties,
    geometry: { type: "MultiPolygon", coordinates: coordinates.filter((rings) => rings.length > 0) },
  };
}

function cutLines(kind: string, lines: MultiLineString): Feature<MultiLineString> {
  const cut = geoProject<LineString | MultiLineString>(lines, plane());
  const parts = cut === null ? [] : cut.type === "LineString" ? [cut.coordinates] : cut.coordinates;
  return {
    type: "Feature",
    properties: { kind },
    geometry: { type: "MultiLineString", coordinates: parts.map(upright).filter((points) => points.length > 1) },
  };
}

/** Country areas, borders, coasts and a graticule, none of which spans the antimeridian. */
export function cutShapes(atlas: Atlas): Shapes {
  const areas = feature(atlas, atlas.objects.countries).features as Feature<Polygon | MultiPolygon, { name: string }>[];
  const land = areas.map(cutArea).filter((area) => area !== null);
  return {
    land: { type: "FeatureCollection", features: land },
    lines: {
      type: "FeatureCollection",
      features: [
        // Lines come from the arcs, not from the areas: an area's cut edge is no border and must not be drawn.
        cutLines(
          "border",
          mesh(atlas, atlas.objects.countries, (a, b) => a !== b),
        ),
        cutLines(
          "coast",
          mesh(atlas, atlas.objects.countries, (a, b) => a === b),
        ),
        cutLines(
          "graticule",
          geoGraticule()
            .step([20, 20])
            .extentMinor([
              [-180, -80.1],
              [180, 80.1],
            ])(),
        ),
      ],
    },
  };
}

export function readAtlas(): Atlas {
  const path = createRequire(import.meta.url).resolve("world-atlas/countries-110m.json");
  return JSON.parse(readFileSync(path, "utf8")) as Atlas;
}

/** Serves the shapes as the module `virtual:countries`, cut once while building. */
export function countries(): Plugin {
  const name = "virtual:countries";
  return {
    name: "airledger-countries",
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load: (id) =>
      id === `\0${name}`
        ? `export default JSON.parse(${JSON.stringify(JSON.stringify(cutShapes(readAtlas())))})`
        : undefined,
  };
}
