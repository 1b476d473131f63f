import type { Feature, Point } from "geojson";
import Supercluster from "supercluster";
import type { GlobeState } from "../api/types";
import { type Columns, indexOf, noColumns, stateAt, states } from "./columns";
import { angle, type Box, boxAround, reachOf, world } from "./sphere";
import {
  type Drawn,
  type Mark,
  type Members,
  mostFeatures,
  nearestZoom,
  type OnePoint,
  type Tally,
  unsureKm,
  type View,
  wholeZoomOf,
} from "./view";

const apartPx = 44;
/** How much more than one sees is drawn, so that turning the globe a little asks for nothing. */
const marginShare = 1.6;

type Sums = { playing: number; failing: number };

/** The points in groups that stand apart on the screen. Lives in a worker: grouping 100,000 takes a third of a second. */
export class Clusters {
  private columns: Columns = noColumns;
  private groups = this.grouped();

  set(columns: Columns): void {
    this.columns = columns;
    this.groups = this.grouped();
  }

  /** Takes new states of streams; tells whether any point looks different for it. */
  patch(changes: Iterable<readonly [id: number, state: GlobeState]>): boolean {
    let differs = false;
    for (const [id, state] of changes) {
      const at = indexOf(this.columns.ids, id);
      const before = this.columns.kinds[at];
      if (before === undefined || states[before & 3] === state) continue;
      this.columns.kinds[at] = (before & ~3) | states.indexOf(state);
      differs = true;
    }
    if (differs) this.groups = this.grouped();
    return differs;
  }

  /** At most 2,000 marks that cover a view and its surroundings: the whole world where that is not too many. */
  draw(view: View): Drawn {
    const { latitude, longitude } = view;
    const about = { zoom: wholeZoomOf(view), latitude, longitude };
    const everything = this.within(world, about.zoom);
    if (everything.length <= mostFeatures) return { ...about, marks: everything, reach: 180, tight: false };
    const sight = reachOf(latitude, view.zoom, view.widthPx, view.heightPx);
    for (const [reach, tight] of [[Math.min(90, sight * marginShare), false] as const, [sight, true] as const]) {
      const marks = this.within(boxAround(latitude, longitude, reach), about.zoom);
      if (marks.length <= mostFeatures) return { ...about, marks, reach, tight };
    }
    // A wall of screens: coarser groups, until they are few enough.
    let marks = everything;
    for (let coarser = about.zoom - 1; marks.length > mostFeatures && coarser >= 0; coarser--) {
      marks = this.within(boxAround(latitude, longitude, sight), coarser);
    }
    return { ...about, marks: marks.slice(0, mostFeatures), reach: sight, tight: true };
  }

  /** Who is in a cluster, where they are, and the zoom at which it falls apart (above the nearest one: never). */
  members(cluster: number): Members {
    const leaves = this.groups.getLeaves(cluster, Number.POSITIVE_INFINITY, 0);
    const [lons, lats] = [0, 1].map((axis) => leaves.map((leaf) => leaf.geometry.coordinates[axis] ?? 0));
    const edges = (values: number[] = []): [number, number] => [
      values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
      values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    ];
    const [[west, east], [south, north]] = [edges(lons), edges(lats)];
    return {
      total: leaves.length,
      box: [west, south, east, north],
      zoom: this.groups.getClusterExpansionZoom(cluster),
    };
  }

  /** The playing stream nearest to a place, if one is within `withinDeg`. */
  nearest(latitude: number, longitude: number, withinDeg: number): number | null {
    const { ids, latitudes, longitudes, kinds } = this.columns;
    let [best, bestDeg] = [-1, withinDeg];
    for (let at = 0; at < ids.length; at++) {
      const lat = latitudes[at] ?? 0;
      if (((kinds[at] ?? 0) & 3) !== 0 || Math.abs(lat - latitude) > bestDeg) continue;
      const deg = angle(latitude, longitude, lat, longitudes[at] ?? 0);
      if (deg < bestDeg) [best, bestDeg] = [at, deg];
    }
    return ids[best] ?? null;
  }

  tally(): Tally {
    const counts: Tally["states"] = { playing: 0, failing: 0, unproven: 0, retired: 0 };
    for (let at = 0; at < this.columns.ids.length; at++) counts[stateAt(this.columns, at)] += 1;
    return { total: this.columns.ids.length, states: counts };
  }

  private within([west, south, east, north]: Box, zoom: number): Mark[] {
    return this.groups.getClusters([west, south, east, north], zoom) as Mark[];
  }

  private grouped(): Supercluster<OnePoint, Sums> {
    const groups = new Supercluster<OnePoint, Sums>({
      radius: apartPx,
      extent: 512,
      maxZoom: Math.ceil(nearestZoom),
      map: ({ state }) => ({ playing: state === "playing" ? 1 : 0, failing: state === "failing" ? 1 : 0 }),
      reduce: (sums, more) => {
        sums.playing += more.playing;
        sums.failing += more.failing;
      },
    });
    return groups.load(pointsOf(this.columns));
  }
}

function pointsOf(columns: Columns): Feature<Point, OnePoint>[] {
  const { ids, latitudes, longitudes, radii } = columns;
  const points: Feature<Point, OnePoint>[] = [];
  for (let at = 0; at < ids.length; at++) {
    const [latitude, longitude] = [latitudes[at] ?? 0, longitudes[at] ?? 0];
    if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) continue;
    points.push({
      type: "Feature",
      properties: { id: ids[at] ?? 0, state: stateAt(columns, at), unsure: (radii[at] ?? 0) >= unsureKm },
      geometry: { type: "Point", coordinates: [longitude, latitude] },
    });
  }
  return points;
}
