/**
 * Shapes of our API, generated from its OpenAPI document (`npm run api`), narrowed where the document only says "text".
 * Times are ISO 8601 in UTC.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];
type Narrowed<T, Narrow> = Omit<Required<T>, keyof Narrow> & Narrow;

export type StreamState = "playing" | "failing" | "off_hours" | "unproven" | "retired";
/** What the globe tells apart: a stream in its off hours looks like one that nobody has proven yet. */
export type GlobeState = Exclude<StreamState, "off_hours">;
export type StreamKind = "radio" | "tv";
export type NowPlaying = Schemas["NowPlayingOut"];
export type Stream = Narrowed<Schemas["StreamOut"], { state: StreamState; type: StreamKind | null }>;
export type Choices = Schemas["StreamChoicesOut"];
export type Check = Schemas["CheckOut"];
export type Metric = Schemas["MetricOut"];
export type Stats = Schemas["StatsOut"];
export type Play = Narrowed<Schemas["PlayOut"], { status: "playing" | "finished" }>;
export type Detection = Schemas["DetectionWholeOut"];
export type Evidence = Schemas["EvidenceOut"];
export type Session = Schemas["SessionOut"];
export type CoverageKind = "heard" | "gap" | "silent" | "looped";
export type Coverage = Narrowed<Schemas["CoverageOut"], { kind: CoverageKind }>;
export type Recording = Schemas["RecordingOut"];
export type Decision = "local" | "outside" | "neither";
export type Review = Schemas["ReviewOut"];
export type UnknownState = "new" | "named" | "ignored";
export type Unknown = Narrowed<Schemas["UnknownOut"], { state: UnknownState }>;
export type UnknownDetail = Narrowed<Schemas["UnknownDetailOut"], { state: UnknownState }>;
export type Airing = Schemas["AiringOut"];
/** A recording of the library by its id, or a new one by its title. */
export type Name = Partial<Schemas["NameIn"]>;
export type Named = Schemas["NamedOut"];
export type Task = Schemas["TaskOut"];
export type Schedule = Schemas["ScheduleOut"];
export type Process = Schemas["ProcessOut"];
export type Account = Schemas["AccountOut"];

export type RankedStream = Schemas["RankedStreamOut"];
export type StationPageData = Schemas["StationPageOut"];
export type Verdict = Schemas["VerificationOut"];
export type Merge = Schemas["MergeOut"];
export type Simulcast = Schemas["SimulcastOut"];

/** How fine a history is. */
export type Step = "raw" | "hour" | "day";
export type PlaceVote = Schemas["VoteOut"];
export type PlaceAnswer = Schemas["PlaceOut"];
export type Origin = Schemas["OriginOut"];
export type History = Schemas["HistoryOut"][];
export type Outlook = Schemas["OutlookOut"];
export type Alert = Schemas["AlertOut"];
export type AlertChannel = Schemas["ChannelOut"];
export type ChannelPlan = Partial<Schemas["ChannelIn"]> & Pick<Schemas["ChannelIn"], "kind" | "addresses">;
export type AlertChoices = Schemas["ChoicesOut"];
export type AlertMessage = Schemas["MessageOut"];
export type Submission = Schemas["SubmissionOut"];
export type Takedown = Schemas["TakedownOut"];
export type Blocked = Schemas["BlockedOut"];

/** What the event stream sends; the payload's fields depend on the type and are checked where they are read. */
export type LiveEvent = { position: number; type: string; at: string; payload: Record<string, unknown> };
