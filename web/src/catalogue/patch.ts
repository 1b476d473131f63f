import type { LiveEvent, NowPlaying, Stream } from "../api/types";

/** Fields of a stream that `stream.checked` may carry; anything else in the payload is not the catalogue's. */
const checkedFields = [
  "state",
  "cause",
  "warnings",
  "codec",
  "bitrate_measured_kbps",
  "reliability_score",
  "reliability_lower_bound",
  "quality_score",
  "last_checked",
  "last_success",
  "has_picture",
  "is_hls",
  "stream_title",
] as const satisfies readonly (keyof Stream)[];

const number = (value: unknown): number | null => (typeof value === "number" ? value : null);
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** The stream an event speaks of, or null. */
export const streamOf = (event: LiveEvent): number | null => number(event.payload["stream_id"]);

function checked(stream: Stream, event: LiveEvent): Stream {
  const news: Partial<Record<keyof Stream, unknown>> = { last_checked: event.at || stream.last_checked };
  for (const field of checkedFields) {
    if (field in event.payload) news[field] = event.payload[field];
  }
  return { ...stream, ...(news as Partial<Stream>) };
}

function started(event: LiveEvent): NowPlaying | null {
  const id = text(event.payload["recording_id"]);
  const title = text(event.payload["title"]);
  if (id === null || title === null) return null;
  return {
    recording_id: id,
    title,
    artist: text(event.payload["artist"]) ?? "",
    since: text(event.payload["started_at"]) ?? event.at,
  };
}

function finished(stream: Stream, event: LiveEvent): Stream {
  // The next song's start may arrive before the end of the one before it.
  if (stream.now_playing?.recording_id !== text(event.payload["recording_id"])) return stream;
  return { ...stream, now_playing: null };
}

/** The stream after the event; the same object where the event changes nothing. */
export function patched(stream: Stream, event: LiveEvent): Stream {
  switch (event.type) {
    case "stream.checked":
      return checked(stream, event);
    case "stream.state_changed":
      return {
        ...stream,
        state: (text(event.payload["to_state"]) ?? stream.state) as Stream["state"],
        cause: text(event.payload["cause"]),
      };
    case "stream.title":
      return { ...stream, stream_title: text(event.payload["title"]) };
    case "play.started":
    case "play.updated":
      return event.payload["status"] === "finished"
        ? finished(stream, event)
        : { ...stream, now_playing: started(event) };
    case "play.finished":
      return finished(stream, event);
    default:
      return stream;
  }
}
