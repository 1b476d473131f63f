/** Shapes of our API as the page reads them. Times are ISO 8601 in UTC; ids are numbers unless they say otherwise. */

export type StreamState = "playing" | "failing" | "unproven" | "retired";
export type StreamKind = "radio" | "tv";

export type NowPlaying = { recording_id: number; title: string; artist: string | null; since: string };

export type Stream = {
  id: number;
  uuid: string;
  url: string;
  name: string;
  type: StreamKind;
  genre: string | null;
  bitrate: number | null;
  codec: string | null;
  country_code: string | null;
  country_name: string | null;
  city: string | null;
  language: string | null;
  website: string | null;
  description: string | null;
  tags: string[];
  is_active: boolean;
  last_checked: string | null;
  last_success: string | null;
  check_frequency: number | null;
  reliability_score: number;
  reliability_lower_bound: number | null;
  quality_score: number | null;
  created_at: string;
  latitude: number | null;
  longitude: number | null;
  accuracy_radius_km: number | null;
  state: StreamState;
  cause: string | null;
  warnings: string[];
  bitrate_measured_kbps: number | null;
  has_picture: boolean;
  is_hls: boolean;
  playable_url: string | null;
  now_playing: NowPlaying | null;
  stream_title: string | null;
};

export type Check = {
  checked_at: string;
  level: string;
  is_healthy: boolean;
  cause: string | null;
  permanent: boolean | null;
  detail: string | null;
  response_time_ms: number | null;
  bandwidth_kbps: number | null;
  codec: string | null;
  bitrate_claimed: number | null;
  stream_title: string | null;
};

export type Metric = {
  check_timestamp: string;
  response_time_ms: number | null;
  uptime_percentage: number | null;
  error_count: number;
  last_error_type: string | null;
  bandwidth_kbps: number | null;
};

export type Stats = {
  total_streams: number;
  radio_streams: number;
  tv_streams: number;
  active_streams: number;
  avg_reliability: number | null;
  countries: number;
  plays_total: number;
  streams_by_state: Partial<Record<StreamState, number>>;
  sessions_live: number;
  recordings_total: number;
};

export type Play = {
  id: number;
  station_id: number | null;
  stream_id: number | null;
  station_name: string | null;
  recording_id: number | null;
  title: string | null;
  artist: string | null;
  album: string | null;
  isrc: string | null;
  started_at: string;
  ended_at: string | null;
  duration_ms: number | null;
  status: "playing" | "finished";
  confidence_score: number | null;
  detection_source: string | null;
  speed: number | null;
  is_partial: boolean;
  latitude: number | null;
  longitude: number | null;
};

export type Session = {
  session_id: number | string;
  stream_id: number;
  station_name: string | null;
  status: string;
  started_at: string;
  real_time_factor: number | null;
  windows: number;
  matched: number;
  last_sound_at: string | null;
  listener: string | null;
  error: string | null;
};

export type CoverageKind = "heard" | "gap" | "silent" | "looped";
export type Coverage = { started_at: string; ended_at: string | null; kind: CoverageKind; cause: string | null };

export type Recording = {
  id: number;
  title: string;
  artist: string | null;
  album: string | null;
  isrc: string | null;
  duration_ms: number | null;
  recording_class: string | null;
  created_at: string;
  plays: number;
};

export type Task = {
  id: number | string;
  name: string;
  queue: string;
  status: string;
  attempts: number;
  created_at: string;
  error: string | null;
};

export type Schedule = {
  name: string;
  every_s: number;
  next_due: string | null;
  last_run: string | null;
  enabled: boolean;
};

export type Process = {
  role: string;
  pid: number;
  host: string;
  started_at: string;
  seen_at: string;
  stats: Record<string, unknown> | null;
};

export type Account = { name: string | null; email: string; role: string; organisation: string | null };

export type LiveEvent = { position: number; type: string; at: string; payload: Record<string, unknown> };
