import { getPage, pathWith } from "../api/request";
import type { Stream } from "../api/types";
import { catalogue, filterFrom } from "../catalogue/useCatalogue";
import { tuner } from "./useTuner";

const most = 500;
const keepMs = 60_000;
let list: { path: string; at: number; streams: Promise<Stream[]> } | null = null;

/** The playing streams that pass the filter, the most reliable first; read at most once a minute. */
function playable(path: string): Promise<Stream[]> {
  if (list?.path === path && performance.now() - list.at < keepMs) return list.streams;
  const streams = getPage<Stream>(path).then((page) => {
    catalogue.put(page.rows);
    return page.rows;
  });
  list = { path, at: performance.now(), streams };
  streams.catch(() => {
    list = null;
  });
  return streams;
}

/** Plays the next (1) or previous (-1) playing station of the list as it is filtered; round at the ends. */
export async function step(by: 1 | -1): Promise<void> {
  const filter = { ...filterFrom(location.search), state: "playing", limit: most };
  const streams = await playable(pathWith("/api/v1/streams", filter)).catch((): Stream[] => []);
  if (streams.length === 0) return;
  const at = streams.findIndex((stream) => stream.id === tuner.read().stream?.id);
  const next = streams[at === -1 ? 0 : (at + by + streams.length) % streams.length];
  if (next !== undefined) await tuner.play(next);
}
