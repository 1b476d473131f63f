import type { GlobeState } from "../api/types";

export type Palette = Record<
  "sea" | "land" | "border" | "coast" | "graticule" | "night" | "core" | "ink" | "accuracy" | GlobeState,
  string
>;

/** The globe's colours, read from the tokens, so that one file holds every colour. */
export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(`--globe-${name}`).trim();
  return {
    sea: token("sea"),
    land: token("land"),
    border: token("border"),
    coast: token("coast"),
    graticule: token("graticule"),
    night: token("night"),
    core: token("core"),
    ink: token("ink"),
    accuracy: token("accuracy"),
    playing: token("playing"),
    failing: token("failing"),
    unproven: token("unproven"),
    retired: token("retired"),
  };
}
