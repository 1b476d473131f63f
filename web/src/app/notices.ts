import { useSyncExternalStore } from "react";

export type Notice = { id: number; text: string; bad: boolean };

const lastMs = 6000;
const most = 3;
let notices: readonly Notice[] = [];
let nextId = 1;
const watchers = new Set<() => void>();

function set(next: readonly Notice[]): void {
  notices = next;
  for (const watcher of watchers) watcher();
}

/** Says something at the edge of the page for a few seconds; screen readers hear it as well. */
export function tell(text: string, bad = false): void {
  const id = nextId;
  nextId += 1;
  set([...notices.slice(1 - most), { id, text, bad }]);
  setTimeout(() => dismiss(id), lastMs);
}

export function dismiss(id: number): void {
  set(notices.filter((notice) => notice.id !== id));
}

function follow(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

const read = (): readonly Notice[] => notices;

export const useNotices = (): readonly Notice[] => useSyncExternalStore(follow, read);
