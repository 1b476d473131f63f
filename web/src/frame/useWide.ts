import { useSyncExternalStore } from "react";

// The same width as in styles/frame.css, where the rail becomes a bar at the bottom.
const media = matchMedia("(min-width: 760px)");

function follow(watcher: () => void): () => void {
  media.addEventListener("change", watcher);
  return () => media.removeEventListener("change", watcher);
}

const read = (): boolean => media.matches;

/** Whether there is room for tables; else rows fold into two lines. */
export const useWide = (): boolean => useSyncExternalStore(follow, read);
