import { change } from "./request";
import type { Account, Decision, Name, Named, Review, Stream } from "./types";

const api = "/api/v1";

export type Credentials = { email: string; password: string } | { link: string };

/** The answer also sets an HttpOnly cookie; the page never keeps the token. */
export async function signIn(credentials: Credentials): Promise<Account | null> {
  const answer = await change<{ account: Account }>("POST", `${api}/auth/login`, credentials);
  return answer?.account ?? null;
}

export const signOut = (): Promise<null> => change<null>("POST", `${api}/auth/logout`);
export const addStream = (url: string): Promise<Stream | null> => change<Stream>("POST", `${api}/streams`, { url });
export const proveNow = (id: number): Promise<unknown> => change("POST", `${api}/streams/${id}/probe`);
export const startListening = (id: number): Promise<unknown> => change("POST", `${api}/streams/${id}/listen`);
export const stopListening = (id: number): Promise<unknown> => change("DELETE", `${api}/streams/${id}/listen`);
export const decideReview = (id: string, decision: Decision): Promise<Review | null> =>
  change<Review>("POST", `${api}/reviews/${id}`, { decision });
export const nameUnknown = (id: string, name: Name): Promise<Named | null> =>
  change<Named>("POST", `${api}/unknowns/${id}/name`, name);
export const ignoreUnknown = (id: string): Promise<null> => change<null>("POST", `${api}/unknowns/${id}/ignore`);
