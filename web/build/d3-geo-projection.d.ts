declare module "d3-geo-projection" {
  import type { GeoProjection } from "d3-geo";
  import type { GeoJSON } from "geojson";
  /** Projects an object and cuts it where the projection cuts the sphere (here: the antimeridian and the poles). */
  export function geoProject<T extends GeoJSON>(object: T, projection: GeoProjection): T | null;
}
