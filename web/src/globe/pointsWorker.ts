/** The points of the globe, beside the page: read, kept and grouped here, so that the page never waits for 100,000 of them. */
import { getBytes, Problem } from "../api/request";
import type { GlobeState } from "../api/types";
import { Clusters } from "./clusters";
import { columnsOf } from "./columns";
import { drawIcon, iconOf } from "./marks";
import type { Drawn, Icons, View } from "./view";

export type Asked =
  | { kind: "read"; path: string }
  | { kind: "states"; changes: [number, GlobeState][] }
  | { kind: "draw"; ask: number; view: View; icons: Icons; isFirst: boolean }
  | { kind: "members"; ask: number; cluster: number }
  | { kind: "nearest"; ask: number; latitude: number; longitude: number; withinDeg: number };

type Port = { postMessage: (message: unknown) => void; onmessage: ((event: MessageEvent<Asked>) => void) | null };

const port = globalThis as unknown as Port;
const clusters = new Clusters();
let current = { path: "", tag: null as string | null };
let abort: AbortController | null = null;

const changed = (): void => port.postMessage({ kind: "points", path: current.path, tally: clusters.tally() });

/** Reads the points anew; what is unchanged costs a few bytes, and what another question overtook is dropped. */
async function read(path: string): Promise<void> {
  abort?.abort();
  const own = new AbortController();
  abort = own;
  try {
    const { bytes, tag } = await getBytes(path, path === current.path ? current.tag : null, own.signal);
    if (own.signal.aborted) return;
    if (bytes !== null) {
      clusters.set(columnsOf(bytes));
      current = { path, tag };
    }
    changed();
  } catch (error) {
    if (own.signal.aborted) return;
    const { status, title, message, retryAfterS } =
      error instanceof Problem ? error : { status: 0, title: "", message: String(error), retryAfterS: null };
    port.postMessage({ kind: "failed", status, title, message, retryAfterS });
  }
}

const drawn = new Set<string>();

/** The marks, each with the name of its image, and the images that this map has not been given yet: drawn here as well. */
function withIcons({
  view,
  icons,
  isFirst,
}: Extract<Asked, { kind: "draw" }>): Drawn & { images: [string, ImageData][] } {
  if (isFirst) drawn.clear();
  const found = clusters.draw(view);
  const images: [string, ImageData][] = [];
  for (const { properties } of found.marks) {
    const icon = iconOf(properties);
    properties.icon = icon;
    if (drawn.has(icon)) continue;
    drawn.add(icon);
    const image = drawIcon(icon, icons.palette, icons.font);
    if (image !== null) images.push([icon, image]);
  }
  return { ...found, images };
}

function answer(asked: Exclude<Asked, { kind: "read" | "states" }>): unknown {
  switch (asked.kind) {
    case "draw":
      return withIcons(asked);
    case "members":
      return clusters.members(asked.cluster);
    case "nearest":
      return clusters.nearest(asked.latitude, asked.longitude, asked.withinDeg);
  }
}

port.onmessage = ({ data }) => {
  if (data.kind === "read") void read(data.path);
  else if (data.kind === "states") {
    // A new state does not match the tag any more: the next read shall bring everything.
    if (clusters.patch(data.changes)) changed();
  } else {
    let value: unknown = null;
    try {
      value = answer(data);
    } catch {
      // The cluster that was asked about is of a grouping before this one: as if there were nothing.
    }
    port.postMessage({ kind: "answer", ask: data.ask, value });
  }
};
