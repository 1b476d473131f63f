import type { GlobeState } from "../api/types";

/** As numbered on the wire. */
export const states: readonly GlobeState[] = ["playing", "failing", "unproven", "retired"];

/** All points of the globe, a few bytes each; the layout is that of docs/formats/points.md. */
export type Columns = {
  readonly ids: Uint32Array;
  readonly latitudes: Float32Array;
  readonly longitudes: Float32Array;
  readonly radii: Uint16Array;
  /** Bits 0-1: the state; bit 2: TV; bits 3-5: reliability in sevenths. */
  readonly kinds: Uint8Array;
};

const magic = 0x31545041; // "APT1", read as one little-endian number
const headBytes = 8;
const bytesEach = 15;

export const noColumns: Columns = {
  ids: new Uint32Array(),
  latitudes: new Float32Array(),
  longitudes: new Float32Array(),
  radii: new Uint16Array(),
  kinds: new Uint8Array(),
};

/** Reads an answer of `/api/v1/points`. Throws where it is not one. Every machine with a browser is little-endian. */
export function columnsOf(buffer: ArrayBuffer): Columns {
  const head = buffer.byteLength >= headBytes ? new Uint32Array(buffer, 0, 2) : new Uint32Array(2);
  const count = head[1] ?? 0;
  if (head[0] !== magic || buffer.byteLength !== headBytes + bytesEach * count) {
    throw new Error("The server's answer is not a list of points.");
  }
  return {
    ids: new Uint32Array(buffer, headBytes, count),
    latitudes: new Float32Array(buffer, headBytes + 4 * count, count),
    longitudes: new Float32Array(buffer, headBytes + 8 * count, count),
    radii: new Uint16Array(buffer, headBytes + 12 * count, count),
    kinds: new Uint8Array(buffer, headBytes + 14 * count, count),
  };
}

export const stateAt = (columns: Columns, at: number): GlobeState => states[(columns.kinds[at] ?? 2) & 3] ?? "unproven";

/** Where an id stands in the ascending column, or -1. */
export function indexOf(ids: Uint32Array, id: number): number {
  let [low, high] = [0, ids.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const value = ids[middle] ?? 0;
    if (value === id) return middle;
    if (value < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
