import shapes from "virtual:countries";
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import { night } from "./night";
import type { Palette } from "./palette";

const empty = { type: "FeatureCollection" as const, features: [] };

/** Sea, land, borders and coasts: what every map of the page begins with. No tiles, no glyphs, no sprites. */
export const ground = {
  sources: (): StyleSpecification["sources"] => ({
    land: { type: "geojson", data: shapes.land, tolerance: 0.2 },
    lines: { type: "geojson", data: shapes.lines, tolerance: 0.2 },
  }),
  layers: (palette: Palette): LayerSpecification[] => [
    { id: "sea", type: "background", paint: { "background-color": palette.sea } },
    {
      id: "graticule",
      type: "line",
      source: "lines",
      filter: ["==", ["get", "kind"], "graticule"],
      paint: { "line-color": palette.graticule, "line-width": 0.6 },
    },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": palette.land, "fill-antialias": false } },
    {
      id: "borders",
      type: "line",
      source: "lines",
      filter: ["==", ["get", "kind"], "border"],
      paint: { "line-color": palette.border, "line-width": ["interpolate", ["linear"], ["zoom"], 1, 0.5, 5, 1.2] },
    },
    {
      id: "coasts",
      type: "line",
      source: "lines",
      filter: ["==", ["get", "kind"], "coast"],
      paint: { "line-color": palette.coast, "line-width": ["interpolate", ["linear"], ["zoom"], 1, 0.7, 5, 1.4] },
    },
  ],
};

/** The whole style: no tiles, no glyphs, no sprites; numbers and shapes are drawn on demand (`styleimagemissing`). */
export function styleFor(palette: Palette, now: number): StyleSpecification {
  return {
    version: 8,
    projection: { type: "globe" },
    sources: {
      ...ground.sources(),
      night: { type: "geojson", data: night(now) },
      accuracy: { type: "geojson", data: empty },
      // Grouped before it comes here; the tiles need no simplifying of their own.
      streams: { type: "geojson", data: empty, tolerance: 0 },
    },
    layers: [
      ...ground.layers(palette),
      {
        id: "night",
        type: "fill",
        source: "night",
        paint: { "fill-color": palette.night, "fill-opacity": 0.32, "fill-antialias": false },
      },
      {
        id: "accuracy",
        type: "fill",
        source: "accuracy",
        paint: { "fill-color": palette.accuracy, "fill-opacity": 0.12, "fill-antialias": false },
      },
      {
        id: "accuracy-edge",
        type: "line",
        source: "accuracy",
        paint: { "line-color": palette.accuracy, "line-width": 1.2, "line-dasharray": [3, 2] },
      },
      {
        id: "glow",
        type: "circle",
        source: "streams",
        filter: ["all", ["!", ["has", "point_count"]], ["==", ["get", "state"], "playing"], ["!", ["get", "unsure"]]],
        paint: {
          "circle-color": palette.playing,
          "circle-radius": 13,
          "circle-blur": 1,
          "circle-opacity": 0.45,
          "circle-pitch-alignment": "map",
        },
      },
      {
        id: "streams",
        type: "symbol",
        source: "streams",
        filter: ["!", ["has", "point_count"]],
        layout: {
          "icon-image": ["get", "icon"],
          "icon-allow-overlap": true,
          "icon-ignore-placement": true,
        },
      },
      {
        id: "clusters",
        type: "symbol",
        source: "streams",
        filter: ["has", "point_count"],
        layout: { "icon-image": ["get", "icon"], "icon-allow-overlap": true, "icon-ignore-placement": true },
      },
    ],
  };
}
