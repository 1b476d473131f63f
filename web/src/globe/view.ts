import type { Feature, Point } from "geojson";
import type { GlobeState } from "../api/types";
import type { Palette } from "./palette";
import { angle, type Box, reachOf, wrapped } from "./sphere";

/** As near as one can come. Clusters hold beyond it, so that stations at one place stay together and can be listed. */
export const nearestZoom = 9.5;
/** More marks than this nobody tells apart, and no machine needs to draw. */
export const mostFeatures = 2000;
/** A place known no better than this (a country's middle, say) is drawn as unsure. */
export const unsureKm = 150;

export type OnePoint = { id: number; state: GlobeState; unsure: boolean };
export type ManyPoints = {
  cluster_id: number;
  point_count: number;
  point_count_abbreviated: string | number;
  playing: number;
  failing: number;
};
export type Mark = Feature<Point, (OnePoint | ManyPoints) & { icon?: string }>;
export type Icons = { palette: Palette; font: string };
export type View = { latitude: number; longitude: number; zoom: number; widthPx: number; heightPx: number };
/** What to draw, and for which views that holds: those of the same whole zoom whose sight lies within `reach` of the middle. */
export type Drawn = { marks: Mark[]; zoom: number; latitude: number; longitude: number; reach: number; tight: boolean };
export type Tally = { total: number; states: Record<GlobeState, number> };
export type Members = { total: number; box: Box; zoom: number };

/** The zoom whose groups a view shows. */
export const wholeZoomOf = ({ zoom }: View): number => Math.max(0, Math.min(Math.floor(zoom), Math.ceil(nearestZoom)));

/** Whether what was drawn for one view holds for another. */
export function holds(drawn: Drawn, view: View): boolean {
  if (wholeZoomOf(view) !== drawn.zoom) return false;
  if (drawn.reach >= 180) return true;
  const sight = reachOf(view.latitude, view.zoom, view.widthPx, view.heightPx);
  const moved = angle(drawn.latitude, drawn.longitude, view.latitude, wrapped(view.longitude));
  const slack = drawn.tight ? drawn.reach * 0.05 : 0;
  return moved + sight <= drawn.reach + slack + 1e-9;
}
