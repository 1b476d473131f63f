import type { Feature, Polygon, Position } from "geojson";
import { wrapped } from "./sphere";

const radians = Math.PI / 180;
const dayMs = 86_400_000;

const j2000 = Date.UTC(2000, 0, 1, 12);

/** Where the sun stands in the zenith, in degrees, by the low-precision formulas of the Astronomical Almanac (about 0.01 degrees). */
export function subsolar(at: number): { latitude: number; longitude: number } {
  const days = (at - j2000) / dayMs;
  const anomaly = (357.529 + 0.98560028 * days) * radians;
  const mean = 280.459 + 0.98564736 * days;
  const ecliptic = (mean + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)) * radians;
  const tilt = (23.439 - 0.00000036 * days) * radians;
  const ascension = Math.atan2(Math.cos(tilt) * Math.sin(ecliptic), Math.cos(ecliptic)) / radians;
  const latitude = Math.asin(Math.sin(tilt) * Math.sin(ecliptic)) / radians;
  const siderealDeg = 280.46062 + 360.98564737 * days;
  return { latitude, longitude: wrapped(ascension - siderealDeg) };
}

/** The half of the earth where the sun is below the horizon, as one ring that is closed along the dark pole. */
export function night(at: number, stepDeg = 3): Feature<Polygon> {
  const sun = subsolar(at);
  // At an equinox the terminator runs through both poles; a hair of declination keeps it a function of longitude.
  const declination = Math.abs(sun.latitude) < 0.1 ? 0.1 : sun.latitude;
  const pole = declination > 0 ? -90 : 90;
  const ring: Position[] = [];
  for (let longitude = -180; longitude <= 180; longitude += stepDeg) {
    const hour = (longitude - sun.longitude) * radians;
    ring.push([longitude, Math.atan(-Math.cos(hour) / Math.tan(declination * radians)) / radians]);
  }
  ring.push([180, pole], [-180, pole], ring[0] ?? [-180, pole]);
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}
