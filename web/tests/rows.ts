import { vi } from "vitest";
import type { Play, Stream } from "../src/api/types";

/** A stream with plain values, for tests to change what they are about. */
export const stream = (change: Partial<Stream> = {}): Stream => ({
  id: 1,
  uuid: "00000000-0000-4000-8000-000000000001",
  url: "http://one.example/live",
  name: "One",
  type: "radio",
  genre: null,
  bitrate: 128,
  codec: "mp3",
  country_code: null,
  country_name: null,
  city: null,
  language: null,
  website: null,
  description: null,
  tags: [],
  is_active: true,
  last_checked: null,
  last_success: null,
  check_frequency: 900,
  station_id: null,
  logo: null,
  updated_at: "2026-11-20T00:00:00Z",
  has_sound: true,
  reliability_score: 1,
  reliability_lower_bound: 0.9,
  quality_score: 0.8,
  created_at: "2026-11-20T00:00:00Z",
  latitude: null,
  longitude: null,
  accuracy_radius_km: null,
  state: "playing",
  cause: null,
  warnings: [],
  bitrate_measured_kbps: null,
  has_picture: false,
  is_hls: false,
  playable_url: "http://one.example/live",
  now_playing: null,
  stream_title: null,
  click_count: 0,
  click_trend: 0,
  votes: 0,
  https_url: null,
  playable_in: ["browser_http"],
  ...change,
});

/** The UUID that stands for number `n` in tests. */
export const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

export const play = (change: Partial<Play> = {}): Play => ({
  id: uuid(1),
  station_id: 1,
  stream_id: 1,
  station_name: "One",
  recording_id: uuid(1),
  title: "Tide Table",
  artist: "Ada",
  album: null,
  isrc: null,
  started_at: "2026-11-20T12:00:00Z",
  ended_at: "2026-11-20T12:01:00Z",
  duration_ms: 60_000,
  status: "playing",
  confidence_score: 0.9,
  detection_source: "local",
  speed: 1,
  is_partial: false,
  is_short_use: false,
  usage: "foreground",
  latitude: null,
  longitude: null,
  ...change,
});

/** The API as one that always gives this answer; `vi.unstubAllGlobals` ends that. */
export const answering = (body: object | null, status = 200, headers: Record<string, string> = {}): void => {
  vi.stubGlobal(
    "fetch",
    vi.fn(
      async (_path: string, _init?: RequestInit) =>
        new Response(body === null ? null : JSON.stringify(body), {
          status,
          headers: { "content-type": "application/json", ...headers },
        }),
    ),
  );
};
