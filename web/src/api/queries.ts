import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { getJson, getPage, type Page, Problem, pathWith } from "./request";
import type {
  Account,
  Check,
  Coverage,
  Metric,
  Play,
  Process,
  Recording,
  Schedule,
  Session,
  Stats,
  Stream,
  Task,
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

const paged = <T>(key: unknown[], path: string) =>
  infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => getPage<T>(pageParam, signal),
    initialPageParam: path,
    getNextPageParam: (last: Page<T>) => last.next,
  });

export const playsQuery = (filter: PlayFilter = {}, limit = 100) =>
  paged<Play>(["plays", filter, limit], pathWith(`${api}/plays`, { ...filter, limit }));

export const playQuery = (id: string) =>
  queryOptions({ queryKey: ["play", id], queryFn: ({ signal }) => getJson<Play>(`${api}/plays/${id}`, signal) });

export const recordingQuery = (id: string) =>
  queryOptions({
    queryKey: ["recording", id],
    queryFn: ({ signal }) => getJson<Recording>(`${api}/recordings/${id}`, signal),
  });

export const recordingsQuery = (q: string) =>
  paged<Recording>(["recordings", q], pathWith(`${api}/recordings`, { q, limit: 200 }));

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
