import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Filter } from "../catalogue/filter";
import { getJson, getPage, type Page, Problem, pathWith } from "./request";
import type {
  Account,
  Check,
  Choices,
  Coverage,
  Detection,
  Evidence,
  Metric,
  Play,
  Process,
  Recording,
  Review,
  Schedule,
  Session,
  Stats,
  Stream,
  Task,
  Unknown,
  UnknownDetail,
  UnknownState,
} from "./types";

const api = "/api/v1";

export const meQuery = queryOptions({
  queryKey: ["me"],
  // Nobody being signed in is an answer, not a failure.
  queryFn: async ({ signal }): Promise<Account | null> => {
    try {
      return await getJson<Account>(`${api}/auth/me`, signal);
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) return null;
      throw error;
    }
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export const statsQuery = queryOptions({
  queryKey: ["stats"],
  queryFn: ({ signal }) => getJson<Stats>(`${api}/stats`, signal),
  refetchInterval: 30_000,
});

export const streamQuery = (id: number) =>
  queryOptions({ queryKey: ["stream", id], queryFn: ({ signal }) => getJson<Stream>(`${api}/streams/${id}`, signal) });

export const paged = <T>(key: unknown[], path: string) =>
  infiniteQueryOptions({
    queryKey: key as readonly unknown[],
    queryFn: ({ pageParam, signal }) => getPage<T>(pageParam, signal),
    initialPageParam: path,
    getNextPageParam: (last: Page<T>) => last.next,
  });

/** The question of a list that is read page by page. */
export type Paged<T> = ReturnType<typeof paged<T>>;

/** A filter of the list by its parameters' names; `bbox` is west,south,east,north. */
export type StreamQuestion = Partial<Filter> & { bbox?: string };

export const streamsQuery = (question: StreamQuestion, limit = 100) =>
  // Pages are read once: while one scrolls nothing moves, and events patch what is there.
  ({
    ...paged<Stream>(["streams", question], pathWith(`${api}/streams`, { all: true, ...question, limit })),
    staleTime: Number.POSITIVE_INFINITY,
    // Whoever comes back begins at the top, with what is true then.
    gcTime: 0,
  });

export const choicesQuery = (filter: Partial<Filter> = {}) =>
  queryOptions({
    queryKey: ["choices", filter],
    queryFn: ({ signal }) => getJson<Choices>(pathWith(`${api}/choices`, { all: true, ...filter }), signal),
    placeholderData: keepPreviousData,
    // The server counts at most every 15 seconds; what an event began may be counted only by the next.
    refetchInterval: 20_000,
  });

export const checksQuery = (id: number) =>
  queryOptions({
    queryKey: ["checks", id],
    queryFn: ({ signal }) => getJson<Check[]>(pathWith(`${api}/streams/${id}/checks`, { limit: 50 }), signal),
  });

export const metricsQuery = (id: number) =>
  queryOptions({
    queryKey: ["metrics", id],
    queryFn: ({ signal }) => getJson<Metric[]>(pathWith(`${api}/streams/${id}/metrics`, { limit: 200 }), signal),
  });

export const coverageQuery = (streamId: number) =>
  queryOptions({
    queryKey: ["coverage", streamId],
    queryFn: ({ signal }) => getJson<Coverage[]>(pathWith(`${api}/coverage`, { stream_id: streamId }), signal),
    refetchInterval: 60_000,
  });

export type PlayFilter = { stream_id?: number; recording_id?: string; q?: string };

export const playsQuery = (filter: PlayFilter = {}, limit = 100) =>
  paged<Play>(["plays", filter, limit], pathWith(`${api}/plays`, { ...filter, limit }));

export const playQuery = (id: string) =>
  queryOptions({ queryKey: ["play", id], queryFn: ({ signal }) => getJson<Play>(`${api}/plays/${id}`, signal) });

/** What is kept of a play as evidence, null where nothing is (yet, or any more). A play's id is its detection's. */
export const evidenceQuery = (id: string, status: string) =>
  queryOptions({
    queryKey: ["evidence", id, status],
    queryFn: async ({ signal }): Promise<Evidence | null> => {
      const detection = await getJson<Detection>(`${api}/detections/${id}`, signal);
      return detection.evidence ?? null;
    },
    staleTime: 60_000,
  });

export const recordingQuery = (id: string) =>
  queryOptions({
    queryKey: ["recording", id],
    queryFn: ({ signal }) => getJson<Recording>(`${api}/recordings/${id}`, signal),
  });

export const recordingsQuery = (q: string, limit = 200) =>
  paged<Recording>(["recordings", q, limit], pathWith(`${api}/recordings`, { q, limit }));

export const reviewsQuery = (state: Review["state"]) =>
  paged<Review>(["reviews", state], pathWith(`${api}/reviews`, { state, limit: 100 }));

export const reviewQuery = (id: string) =>
  queryOptions({ queryKey: ["review", id], queryFn: ({ signal }) => getJson<Review>(`${api}/reviews/${id}`, signal) });

export const unknownsQuery = (state: UnknownState) =>
  paged<Unknown>(["unknowns", state], pathWith(`${api}/unknowns`, { of: state, limit: 100 }));

export const unknownQuery = (id: string) =>
  queryOptions({
    queryKey: ["unknown", id],
    queryFn: ({ signal }) => getJson<UnknownDetail>(`${api}/unknowns/${id}`, signal),
  });

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => getJson<Session[]>(`${api}/sessions`, signal),
  refetchInterval: 10_000,
});

export const tasksQuery = queryOptions({
  queryKey: ["tasks"],
  queryFn: ({ signal }) => getJson<Task[]>(pathWith(`${api}/tasks`, { limit: 500 }), signal),
  refetchInterval: 10_000,
});

export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: ({ signal }) => getJson<Schedule[]>(`${api}/schedules`, signal),
  refetchInterval: 30_000,
});

export const processesQuery = queryOptions({
  queryKey: ["processes"],
  queryFn: ({ signal }) => getJson<Process[]>(`${api}/processes`, signal),
  refetchInterval: 10_000,
});
