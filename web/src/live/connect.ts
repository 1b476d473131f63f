import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import type { LiveEvent } from "../api/types";
import { catalogue } from "../catalogue/useCatalogue";
import { points } from "../globe/points";
import { type Connection, EventLine } from "./events";
import { livePlays } from "./plays";

export const line = new EventLine();

export const useConnection = (): Connection => useSyncExternalStore(line.watch, () => line.connection);

const queriesOf: Record<string, readonly string[]> = {
  "stream.added": ["stats", "choices"],
  "stream.state_changed": ["stats", "choices"],
  "stream.checked": [],
  "play.started": ["stats"],
  "play.finished": [],
  "session.changed": ["sessions", "stats"],
  "review.opened": ["reviews"],
  "review.decided": ["reviews", "review"],
  "crawl.finished": ["stats", "schedules", "tasks"],
};

const restMs = 3000;

/** Events that arrive in a burst make one request per query, not one per event. */
function refreshLater(client: QueryClient): (key: readonly unknown[]) => void {
  const due = new Map<string, readonly unknown[]>();
  return (key) => {
    const waiting = due.size > 0;
    due.set(JSON.stringify(key), key);
    if (waiting) return;
    setTimeout(() => {
      for (const queryKey of due.values()) void client.invalidateQueries({ queryKey: [...queryKey] });
      due.clear();
    }, restMs);
  };
}

/** Opens the event stream and leads each event to what it changes; the answer closes it. */
export function connect(client: QueryClient): () => void {
  const refresh = refreshLater(client);
  const end = line.listen((event: LiveEvent) => {
    catalogue.receive(event);
    points.receive(event);
    livePlays.receive(event);
    for (const key of queriesOf[event.type] ?? []) refresh([key]);
    const stream = event.payload["stream_id"];
    if (event.type === "stream.checked") {
      refresh(["checks", stream]);
      refresh(["metrics", stream]);
    }
  });
  line.start();
  return () => {
    end();
    line.stop();
  };
}
