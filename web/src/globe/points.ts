import type { Feature, FeatureCollection, Point } from "geojson";
import type { Stream, StreamState } from "../api/types";

export type PointProperties = { id: number; state: StreamState };

export const hasPlace = (stream: Stream): stream is Stream & { latitude: number; longitude: number } =>
  stream.latitude !== null &&
  stream.longitude !== null &&
  Math.abs(stream.latitude) <= 90 &&
  Math.abs(stream.longitude) <= 180;

export function pointsOf(streams: Iterable<Stream>): FeatureCollection<Point, PointProperties> {
  const features: Feature<Point, PointProperties>[] = [];
  for (const stream of streams) {
    if (!hasPlace(stream)) continue;
    features.push({
      type: "Feature",
      id: stream.id,
      properties: { id: stream.id, state: stream.state },
      geometry: { type: "Point", coordinates: [stream.longitude, stream.latitude] },
    });
  }
  return { type: "FeatureCollection", features };
}

/** Differs when other points, or points in other states, would be drawn; most events change neither. */
export function fingerprint(points: FeatureCollection<Point, PointProperties>): number {
  let hash = 2166136261;
  for (const { properties, geometry } of points.features) {
    const [longitude = 0, latitude = 0] = geometry.coordinates;
    for (const value of [properties.id, properties.state.charCodeAt(0), longitude * 1000, latitude * 1000]) {
      hash = Math.imul(hash ^ value, 16777619);
    }
  }
  return hash;
}

const radians = Math.PI / 180;

/** Angle between two places seen from the centre of the earth, in degrees. */
export function angle(aLat: number, aLon: number, bLat: number, bLon: number): number {
  const half =
    Math.sin(((bLat - aLat) * radians) / 2) ** 2 +
    Math.cos(aLat * radians) * Math.cos(bLat * radians) * Math.sin(((bLon - aLon) * radians) / 2) ** 2;
  return (2 * Math.asin(Math.min(1, Math.sqrt(half)))) / radians;
}

/** The playing stream nearest to a place, if one is within `withinDeg`. */
export function nearest(
  streams: Iterable<Stream>,
  latitude: number,
  longitude: number,
  withinDeg: number,
): Stream | null {
  let best: Stream | null = null;
  let bestDeg = withinDeg;
  for (const stream of streams) {
    if (stream.state !== "playing" || !hasPlace(stream) || Math.abs(stream.latitude - latitude) > bestDeg) continue;
    const deg = angle(latitude, longitude, stream.latitude, stream.longitude);
    if (deg < bestDeg) {
      best = stream;
      bestDeg = deg;
    }
  }
  return best;
}
