import type { Feature, Point, Polygon } from "geojson";
import { Map as Chart, type GeoJSONSource, LngLatBounds } from "maplibre-gl";
import "../globe/worker";
import { readPalette } from "../globe/palette";
import { circle } from "../globe/sphere";
import { ground } from "../globe/style";

/** A place that something speaks for. `role`: one of the votes, what they come to, or what a moderator has picked. */
export type Spot = {
  latitude: number;
  longitude: number;
  radiusKm: number;
  role: "vote" | "answer" | "picked";
  /** How much it counts, between 0 and 1. */
  weight: number;
};

const nearest = 9;
const empty = { type: "FeatureCollection" as const, features: [] };

/** A flat map of the world in `box`, which draws spots with their radii. Throws where the browser has no WebGL 2. */
export function makeChart(box: HTMLElement, label: string): Chart {
  const palette = readPalette(box);
  const colour = ["match", ["get", "role"], "vote", palette.unproven, "picked", palette.accuracy, palette.playing];
  const map = new Chart({
    container: box,
    style: {
      version: 8,
      sources: {
        ...ground.sources(),
        areas: { type: "geojson", data: empty },
        spots: { type: "geojson", data: empty },
      },
      layers: [
        ...ground.layers(palette),
        {
          id: "areas",
          type: "fill",
          source: "areas",
          paint: { "fill-color": colour as never, "fill-opacity": ["*", 0.22, ["get", "weight"]] },
        },
        {
          id: "edges",
          type: "line",
          source: "areas",
          paint: { "line-color": colour as never, "line-width": 1, "line-dasharray": [3, 2] },
        },
        {
          id: "spots",
          type: "circle",
          source: "spots",
          paint: {
            "circle-color": colour as never,
            "circle-radius": ["case", ["==", ["get", "role"], "vote"], 4, 6],
            "circle-stroke-color": palette.core,
            "circle-stroke-width": 2,
          },
        },
      ],
    },
    center: [10, 25],
    zoom: 0,
    maxZoom: nearest,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
    reduceMotion: matchMedia("(prefers-reduced-motion: reduce)").matches,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute("aria-label", label);
  return map;
}

const pointOf = (spot: Spot): Feature<Point> => ({
  type: "Feature",
  properties: { role: spot.role, weight: spot.weight },
  geometry: { type: "Point", coordinates: [spot.longitude, spot.latitude] },
});

const areaOf = (spot: Spot): Feature<Polygon> => ({
  type: "Feature",
  properties: { role: spot.role, weight: spot.weight },
  geometry: { type: "Polygon", coordinates: [circle(spot.latitude, spot.longitude, spot.radiusKm)] },
});

export function drawSpots(map: Chart, spots: readonly Spot[]): void {
  // What counts most lies on top.
  const order = spots.toSorted((a, b) => Number(a.role !== "vote") - Number(b.role !== "vote") || a.weight - b.weight);
  map.getSource<GeoJSONSource>("spots")?.setData({ type: "FeatureCollection", features: order.map(pointOf) });
  const areas = order.filter((spot) => spot.radiusKm > 0).map(areaOf);
  map.getSource<GeoJSONSource>("areas")?.setData({ type: "FeatureCollection", features: areas });
}

/** Shows all spots at once; one alone is shown with its surroundings. */
export function lookAt(map: Chart, spots: readonly Spot[]): void {
  const bounds = new LngLatBounds();
  for (const { latitude, longitude } of spots) bounds.extend([longitude, latitude]);
  if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: 48, maxZoom: 4.5, duration: 0 });
}
