/**
 * Shapes of our API, generated from its OpenAPI document (`npm run api`), narrowed where the document only says "text".
 * Times are ISO 8601 in UTC.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];
type Narrowed<T, Narrow> = Omit<Required<T>, keyof Narrow> & Narrow;

export type StreamState = "playing" | "failing" | "unproven" | "retired";
export type StreamKind = "radio" | "tv";
export type NowPlaying = Schemas["NowPlayingOut"];
export type Stream = Narrowed<Schemas["StreamOut"], { state: StreamState; type: StreamKind | null }>;
export type Check = Schemas["CheckOut"];
export type Metric = Schemas["MetricOut"];
export type Stats = Schemas["StatsOut"];
export type Play = Narrowed<Schemas["PlayOut"], { status: "playing" | "finished" }>;
export type Session = Schemas["SessionOut"];
export type CoverageKind = "heard" | "gap" | "silent" | "looped";
export type Coverage = Narrowed<Schemas["CoverageOut"], { kind: CoverageKind }>;
export type Recording = Schemas["RecordingOut"];
export type Task = Schemas["TaskOut"];
export type Schedule = Schemas["ScheduleOut"];
export type Process = Schemas["ProcessOut"];
export type Account = Schemas["AccountOut"];

/** What the event stream sends; the payload's fields depend on the type and are checked where they are read. */
export type LiveEvent = { position: number; type: string; at: string; payload: Record<string, unknown> };
