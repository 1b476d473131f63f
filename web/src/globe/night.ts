import type { Feature, Polygon, Position } from "geojson";

const radians = Math.PI / 180;
const dayMs = 86_400_000;

/**
 * Where the sun stands in the zenith, to about a degree: declination from the day of the year, longitude from the hour
 * with the equation of time (Spencer's approximation by its two leading terms).
 */
export function subsolar(at: number): { latitude: number; longitude: number } {
  const date = new Date(at);
  const yearStart = Date.UTC(date.getUTCFullYear(), 0, 1);
  const day = (at - yearStart) / dayMs + 1;
  const turn = ((2 * Math.PI) / 365.25) * (day - 81);
  const latitude = 23.44 * Math.sin(turn);
  const equationMin = 9.87 * Math.sin(2 * turn) - 7.53 * Math.cos(turn) - 1.5 * Math.sin(turn);
  const utcMin = (at % dayMs) / 60_000;
  const longitude = (720 - utcMin - equationMin) / 4;
  return { latitude, longitude: ((longitude + 540) % 360) - 180 };
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
