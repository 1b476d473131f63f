import { type Map as Globe, Marker } from "maplibre-gl";
import type { Play, Stream } from "../api/types";
import { hasPlace } from "./place";

const mostFlares = 24;

// Markers rather than layers: their motion is the browser's (CSS), so the globe need not be drawn again for it.
function mark(map: Globe, className: string, latitude: number, longitude: number): Marker {
  const element = document.createElement("div");
  element.className = className;
  element.append(document.createElement("span"));
  return new Marker({ element, opacityWhenCovered: "0" }).setLngLat([longitude, latitude]).addTo(map);
}

/** The pulse at the station that plays and the lights where songs were just heard. */
export class Beacons {
  private pulse: { id: number; marker: Marker } | null = null;
  private readonly flares = new Set<Marker>();
  private readonly map: Globe;

  constructor(map: Globe) {
    this.map = map;
  }

  setPlaying(stream: Stream | null): void {
    if (this.pulse?.id === stream?.id) return;
    this.pulse?.marker.remove();
    this.pulse =
      stream !== null && hasPlace(stream)
        ? { id: stream.id, marker: mark(this.map, "beacon", stream.latitude, stream.longitude) }
        : null;
  }

  flare(play: Play): void {
    if (play.latitude === null || play.longitude === null || document.hidden) return;
    const marker = mark(this.map, "flare", play.latitude, play.longitude);
    this.flares.add(marker);
    const [oldest] = this.flares;
    if (this.flares.size > mostFlares && oldest) this.put(oldest);
    marker.getElement().addEventListener("animationend", () => this.put(marker), { once: true });
  }

  close(): void {
    this.pulse?.marker.remove();
    for (const marker of this.flares) marker.remove();
    this.flares.clear();
  }

  private put(marker: Marker): void {
    marker.remove();
    this.flares.delete(marker);
  }
}
