import { type GeoJSONSource, Map as Globe, type LngLat, type MapMouseEvent, type PaddingOptions } from "maplibre-gl";
import "./worker";
import { pixelRatio } from "./marks";
import { night } from "./night";
import { readPalette } from "./palette";
import { points } from "./points";
import { circle } from "./sphere";
import { styleFor } from "./style";
import { type Drawn, type Icons, type Members, nearestZoom, type View } from "./view";

export type Picked = { kind: "stream"; id: number } | { kind: "many"; members: Members } | { kind: "nothing" };
export type Hovered = { id: number } | { cluster: number; playing: number; failing: number };

const nightEveryMs = 120_000;
const layers = ["streams", "clusters"];

/** The zoom at which the whole sphere fills `share` of the shorter side. */
export function wholeZoom(widthPx: number, heightPx: number, share = 1): number {
  return Math.log2((Math.max(200, Math.min(widthPx, heightPx)) * share * Math.PI) / 512);
}

/** The padding that puts the middle of the sphere where the page has its mark for it, beside a drawer or above a panel. */
export function paddingAround(mark: DOMRect, box: DOMRect): PaddingOptions {
  const x = mark.x + mark.width / 2 - box.x;
  const y = mark.y + mark.height / 2 - box.y;
  return {
    left: Math.max(0, 2 * x - box.width),
    right: Math.max(0, box.width - 2 * x),
    top: Math.max(0, 2 * y - box.height),
    bottom: Math.max(0, box.height - 2 * y),
  };
}

const removed = new WeakSet<Globe>();

type Look = { center: LngLat; zoom: number };

// Where one was looking when one left the globe; coming back goes on from there.
let left: Look | null = null;

/** Makes the globe in `box`. Throws where the browser has no WebGL 2. */
export function makeGlobe(box: HTMLElement, label: string): Globe {
  const palette = readPalette(box);
  const map = new Globe({
    container: box,
    style: styleFor(palette, Date.now()),
    center: left?.center ?? [12, 24],
    zoom: left?.zoom ?? wholeZoom(box.clientWidth, box.clientHeight),
    minZoom: wholeZoom(box.clientWidth, box.clientHeight, 0.7),
    maxZoom: nearestZoom,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    fadeDuration: 0,
    // The page's own tokens decide about motion; see move().
    reduceMotion: matchMedia("(prefers-reduced-motion: reduce)").matches,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute("aria-label", label);
  const timer = setInterval(() => {
    if (!document.hidden) map.getSource<GeoJSONSource>("night")?.setData(night(Date.now()));
  }, nightEveryMs);
  map.on("moveend", () => {
    left = { center: map.getCenter(), zoom: map.getZoom() };
  });
  map.on("remove", () => {
    removed.add(map);
    clearInterval(timer);
  });
  return map;
}

export function viewOf(map: Globe): View {
  const { lat: latitude, lng: longitude } = map.getCenter();
  const { clientWidth: widthPx, clientHeight: heightPx } = map.getContainer();
  return { latitude, longitude, zoom: map.getZoom(), widthPx, heightPx };
}

/** What the worker needs to draw the marks' images. */
export function iconsOf(map: Globe): Icons {
  const box = map.getContainer();
  return { palette: readPalette(box), font: getComputedStyle(box).getPropertyValue("--font").trim() };
}

/** Takes the images of marks; a map that is gone by then needs none. */
export function addIcons(map: Globe, images: readonly [string, ImageData][]): void {
  if (removed.has(map)) return;
  for (const [icon, image] of images) if (!map.hasImage(icon)) map.addImage(icon, image, { pixelRatio });
}

export function setMarks(map: Globe, { marks }: Drawn): void {
  map.getSource<GeoJSONSource>("streams")?.setData({ type: "FeatureCollection", features: marks });
}

export type Area = { latitude: number; longitude: number; radiusKm: number };

/** Draws within which circle a station is; null takes it away. */
export function setAccuracy(map: Globe, area: Area | null): void {
  const coordinates = area === null ? [] : [circle(area.latitude, area.longitude, area.radiusKm)];
  const geometry = { type: "Polygon" as const, coordinates };
  const features = area === null ? [] : [{ type: "Feature" as const, properties: {}, geometry }];
  map.getSource<GeoJSONSource>("accuracy")?.setData({ type: "FeatureCollection", features });
}

/** What is under the pointer. A cluster that can be opened is zoomed into; one at a single place is given as its members. */
export async function pick(map: Globe, event: MapMouseEvent): Promise<Picked> {
  const reach = 6;
  const { x, y } = event.point;
  const [feature] = map.queryRenderedFeatures(
    [
      [x - reach, y - reach],
      [x + reach, y + reach],
    ],
    { layers },
  );
  if (feature === undefined || feature.geometry.type !== "Point") return { kind: "nothing" };
  const place = feature.geometry.coordinates as [number, number];
  const clusterId: unknown = feature.properties["cluster_id"];
  if (typeof clusterId !== "number") return { kind: "stream", id: Number(feature.properties["id"]) };
  const members = await points.members(clusterId);
  if (members === null) return { kind: "nothing" };
  if (members.zoom <= nearestZoom && members.zoom > map.getZoom()) {
    map.easeTo({ center: place, zoom: Math.min(nearestZoom, members.zoom + 0.3) });
    return { kind: "nothing" };
  }
  return { kind: "many", members };
}

export function hover(map: Globe, event: MapMouseEvent): Hovered | null {
  const [feature] = map.queryRenderedFeatures(event.point, { layers });
  map.getCanvas().style.cursor = feature === undefined ? "" : "pointer";
  if (feature === undefined) return null;
  const { point_count: count, playing, failing, id } = feature.properties;
  return typeof count === "number"
    ? { cluster: count, playing: Number(playing), failing: Number(failing) }
    : { id: Number(id) };
}
