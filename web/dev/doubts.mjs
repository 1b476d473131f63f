/** Invented doubts: reviews that people decide, and unknown music that repeats. Both change when one decides. */
import { recordings } from "./invented.mjs";

const uuid = (kind, n) => `0000000${kind}-0000-4000-8000-${String(n).padStart(12, "0")}`;
const iso = (msAgo) => new Date(Date.now() - msAgo).toISOString();
const other = (at) => recordings[(at * 5 + 7) % recordings.length];

export const inventReviews = (streams) =>
  streams.slice(0, 23).map((on, at) => {
    const ours = at % 4 === 3 ? null : recordings[at % recordings.length];
    return {
      id: uuid(5, at + 1),
      state: "open",
      reason: ours === null ? "unsure" : "disagreement",
      station_id: on.station_id,
      stream_id: on.id,
      heard_at: iso(at * 1_700_000 + 90_000),
      sound: at % 5 === 4 ? null : `/api/v1/reviews/${uuid(5, at + 1)}/sound`,
      local: ours && {
        recording_id: ours.id,
        title: ours.title,
        artist: ours.artist,
        isrc: ours.isrc,
        score: 0.52 + (at % 5) / 20,
      },
      provider: at % 3 === 2 ? "audd" : "acrcloud",
      outside: { title: other(at).title, artists: [other(at).artist], isrcs: [other(at).isrc], score: 80 },
      outside_score: 0.72 + (at % 6) / 25,
      decision: null,
      decided_by: null,
      decided_at: null,
      note: null,
      created_at: iso(at * 1_700_000 + 60_000),
    };
  });

export const inventUnknowns = (streams) =>
  streams.slice(0, 40).map((_on, at) => {
    const times = 60 - at;
    const durationMs = at % 5 === 2 ? 28_000 : 121_000 + at * 3_000;
    return {
      id: `${(0x4a1c90 + at * 0x1f0b3d).toString(16).padStart(8, "0")}-0000-4000-8000-000000000006`,
      state: "new",
      suggested_class: at % 5 === 2 ? "advert" : "music",
      times_heard: times,
      stations: 1 + (at % 6),
      duration_ms: durationMs,
      first_heard_at: iso(86_400_000 * 9),
      last_heard_at: iso(at * 900_000 + 200_000),
      recording_id: null,
      title: null,
      artist: null,
      merged: at === 1 ? [{ id: uuid(6, 1), because: "the same sound" }] : [],
      airings: Array.from({ length: times }, (_, n) => ({
        stream_id: streams[(at + (n % (1 + (at % 6)))) % streams.length].id,
        station_name: streams[(at + (n % (1 + (at % 6)))) % streams.length].name,
        started_at: iso(at * 900_000 + 200_000 + n * 12_000_000 + durationMs),
        ended_at: iso(at * 900_000 + 200_000 + n * 12_000_000),
        detection_id: null,
      })),
    };
  });

export function decideReview(review, { decision }) {
  Object.assign(review, { state: "decided", decision, decided_by: "Ines Duarte", decided_at: iso(0) });
  return review;
}

export function nameUnknown(unknown, name) {
  const known = recordings.find((one) => one.id === name.recording_id);
  Object.assign(unknown, {
    state: "named",
    recording_id: known?.id ?? recordings[0].id,
    title: known?.title ?? name.title,
    artist: known?.artist ?? name.artist,
  });
  return { unknown_id: unknown.id, recording_id: unknown.recording_id, plays: unknown.times_heard, is_enrolled: true };
}
