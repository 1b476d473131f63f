import { queryOptions } from "@tanstack/react-query";
import { paged } from "./queries";
import { change, getJson, pathWith } from "./request";
import type {
  Alert,
  AlertChannel,
  AlertChoices,
  AlertMessage,
  Blocked,
  ChannelPlan,
  Schedule,
  Submission,
  Takedown,
} from "./types";

const api = "/api/v1";

export const alertsQuery = (open: boolean | null) =>
  paged<Alert>(["alerts", open], pathWith(`${api}/alerts`, { open, limit: 100 }));

export const channelsQuery = queryOptions({
  queryKey: ["channels"],
  queryFn: ({ signal }) => getJson<AlertChannel[]>(`${api}/alert-channels`, signal),
});

export const alertChoicesQuery = queryOptions({
  queryKey: ["alert-choices"],
  queryFn: ({ signal }) => getJson<AlertChoices>(`${api}/alert-choices`, signal),
});

export const acknowledge = (id: number, note = ""): Promise<unknown> =>
  change("POST", `${api}/alerts/${id}/ack`, { note });
export const unacknowledge = (id: number): Promise<unknown> => change("DELETE", `${api}/alerts/${id}/ack`);

/** Makes a channel that hears of everything of the kinds given (none: of every kind). The secret is told this once. */
export async function makeChannel(plan: ChannelPlan, kinds: readonly string[]): Promise<string | null> {
  const made = await change<AlertChannel & { secret: string | null }>("POST", `${api}/alert-channels`, plan);
  if (made === null) return null;
  await change("POST", `${api}/alert-subscriptions`, { channel_id: made.id, kinds });
  return made.secret;
}
export const testChannel = (id: string): Promise<AlertMessage | null> =>
  change<AlertMessage>("POST", `${api}/alert-channels/${id}/test`);
export const deleteChannel = (id: string): Promise<unknown> => change("DELETE", `${api}/alert-channels/${id}`);

export const submissionsQuery = () =>
  paged<Submission>(["submissions"], pathWith(`${api}/submissions`, { status: "pending", limit: 100 }));
export const acceptSubmission = (id: string): Promise<unknown> => change("POST", `${api}/submissions/${id}/accept`);
export const refuseSubmission = (id: string, reason: string): Promise<unknown> =>
  change("POST", `${api}/submissions/${id}/refuse`, { reason });

export const takedownsQuery = () => paged<Takedown>(["takedowns"], pathWith(`${api}/takedown`, { status: "open" }));
export const decideTakedown = (id: string, grant: boolean, answer = ""): Promise<unknown> =>
  change("POST", `${api}/takedown/${id}/decision`, { grant, answer });
export const askTakedown = (wish: { url: string; reason: string; contact: string; whole_host: boolean }) =>
  change<{ id: string }>("POST", `${api}/takedown`, wish);

export const blockedQuery = () => paged<Blocked>(["blocked"], `${api}/blocked`);
export const liftBlock = (id: string): Promise<unknown> => change("DELETE", `${api}/blocked/${id}`);

export const steerSchedule = (name: Schedule["name"], act: "run" | "pause" | "resume"): Promise<unknown> =>
  change("POST", `${api}/schedules/${encodeURIComponent(name)}/${act}`);
