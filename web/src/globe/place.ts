import type { Stream } from "../api/types";

type Placed = { latitude: number; longitude: number };

export const hasPlace = (stream: Stream): stream is Stream & Placed =>
  stream.latitude !== null &&
  stream.longitude !== null &&
  Math.abs(stream.latitude) <= 90 &&
  Math.abs(stream.longitude) <= 180;
