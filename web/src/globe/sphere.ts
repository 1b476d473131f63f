const radians = Math.PI / 180;
const earthKm = 6371.0088;

/** West, south, east, north in degrees; west > east crosses the antimeridian. */
export type Box = readonly [west: number, south: number, east: number, north: number];
export const world: Box = [-180, -90, 180, 90];

/** Angle between two places seen from the centre of the earth, in degrees. */
export function angle(aLat: number, aLon: number, bLat: number, bLon: number): number {
  const half =
    Math.sin(((bLat - aLat) * radians) / 2) ** 2 +
    Math.cos(aLat * radians) * Math.cos(bLat * radians) * Math.sin(((bLon - aLon) * radians) / 2) ** 2;
  return (2 * Math.asin(Math.min(1, Math.sqrt(half)))) / radians;
}

/** The same longitude between -180 and 180 degrees. */
export const wrapped = (deg: number): number => ((((deg + 180) % 360) + 360) % 360) - 180;

/** The box around everything within `reach` degrees of a place: all longitudes where a pole is among it. */
export function boxAround(latitude: number, longitude: number, reach: number): Box {
  const [south, north] = [latitude - reach, latitude + reach];
  if (reach >= 90 || south <= -90 || north >= 90) return [-180, Math.max(-90, south), 180, Math.min(90, north)];
  const across = Math.asin(Math.min(1, Math.sin(reach * radians) / Math.cos(latitude * radians))) / radians;
  return [wrapped(longitude - across), south, wrapped(longitude + across), north];
}

/** How far one sees from the middle of the globe's canvas, in degrees, at MapLibre's zoom (the scale at the middle). */
export function reachOf(latitude: number, zoom: number, widthPx: number, heightPx: number): number {
  const radiusPx = (512 * 2 ** zoom) / (2 * Math.PI * Math.cos(Math.min(85, Math.abs(latitude)) * radians));
  const share = Math.hypot(widthPx, heightPx) / 2 / radiusPx;
  return share >= 1 ? 90 : Math.asin(share) / radians;
}

/** A circle on the sphere as a closed ring, its longitudes running on beyond 180 where it crosses the antimeridian. */
export function circle(latitude: number, longitude: number, radiusKm: number, corners = 72): [number, number][] {
  const [lat, reach] = [latitude * radians, Math.min(radiusKm / earthKm, Math.PI / 3)];
  return Array.from({ length: corners + 1 }, (_, at) => {
    const bearing = (2 * Math.PI * (at % corners)) / corners;
    const y = Math.asin(Math.sin(lat) * Math.cos(reach) + Math.cos(lat) * Math.sin(reach) * Math.cos(bearing));
    const x = Math.atan2(
      Math.sin(bearing) * Math.sin(reach) * Math.cos(lat),
      Math.cos(reach) - Math.sin(lat) * Math.sin(y),
    );
    return [longitude + x / radians, y / radians];
  });
}
