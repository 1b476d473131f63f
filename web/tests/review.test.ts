import { QueryClient } from "@tanstack/react-query";
import { afterEach, describe, expect, it, vi } from "vitest";
import { decideReview } from "../src/api/actions";
import { reviewsQuery } from "../src/api/queries";
import type { Review } from "../src/api/types";
import { may, roomsOf } from "../src/app/access";
import { choicesOf, decisionOf, following, localOf, outsideOf } from "../src/review/candidates";
import { texts } from "../src/texts";
import { answering, uuid } from "./rows";

const review = (change: Partial<Review> = {}): Review => ({
  id: uuid(1),
  state: "open",
  reason: "disagreement",
  station_id: 1,
  stream_id: 1,
  heard_at: "2026-11-20T12:00:00Z",
  sound: `/api/v1/reviews/${uuid(1)}/sound`,
  local: { recording_id: uuid(2), title: "Tide Table", artist: "Ada", isrc: "QZAAA2600001", score: 0.61 },
  provider: "acrcloud",
  outside: { title: "Ebb", artists: ["Bo", "Cy"], isrcs: ["QZAAA2600002"], score: 88 },
  outside_score: 0.82,
  decision: null,
  decided_by: null,
  decided_at: null,
  note: null,
  created_at: "2026-11-20T12:00:10Z",
  ...change,
});

describe("candidates of a review", () => {
  it("stand side by side in one form", () => {
    expect(localOf(review())).toEqual({ title: "Tide Table", artist: "Ada", isrcs: ["QZAAA2600001"], score: 0.61 });
    expect(outsideOf(review())).toEqual({ title: "Ebb", artist: "Bo, Cy", isrcs: ["QZAAA2600002"], score: 0.82 });
  });

  it("show nothing that is no text, whatever a provider sent", () => {
    const odd = review({ outside: { title: 7, artists: "Bo", isrcs: [null, "", "QZAAA2600003"] } });
    expect(outsideOf(odd)).toEqual({ title: "", artist: "", isrcs: ["QZAAA2600003"], score: 0.82 });
  });

  it("leave ours out where there is none, and nobody can believe it", () => {
    const alone = review({ local: null });
    expect(localOf(alone)).toBeNull();
    expect(choicesOf(alone)).toEqual(["outside", "neither"]);
    expect(choicesOf(review())).toEqual(["local", "outside", "neither"]);
  });
});

describe("deciding", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("has a key and words for each choice", () => {
    expect(Object.values(decisionOf)).toEqual(choicesOf(review()));
    for (const choice of choicesOf(review())) {
      expect(texts.review.choose[choice]).toBeTruthy();
      expect(texts.review.done[choice]).toBeTruthy();
    }
  });

  it("goes on with the next, at the end with the one before, then with none", () => {
    const rows = [1, 2, 3].map((n) => ({ id: uuid(n) }));
    expect(following(rows, uuid(1))).toBe(uuid(2));
    expect(following(rows, uuid(3))).toBe(uuid(2));
    expect(following(rows.slice(0, 1), uuid(1))).toBeNull();
    expect(following(rows, uuid(9))).toBeNull();
  });

  it("is sent to the review, and a decision of somebody else is told", async () => {
    answering(review({ state: "decided", decision: "outside" }));
    expect(await decideReview(uuid(1), "outside")).toMatchObject({ state: "decided" });
    const [path, sent] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect([path, sent?.method, sent?.body]).toEqual([`/api/v1/reviews/${uuid(1)}`, "POST", '{"decision":"outside"}']);
    answering({ title: "Conflict", detail: "decided already" }, 409);
    await expect(decideReview(uuid(1), "local")).rejects.toMatchObject({ status: 409, message: "decided already" });
  });

  it("starts from the open ones, page by page as the API's links lead", async () => {
    vi.stubGlobal("location", { href: "http://page.example/review" });
    answering([review()], 200, { link: '</api/v1/reviews?state=open&limit=100&cursor=abc>; rel="next"' });
    const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    await client.fetchInfiniteQuery({ ...reviewsQuery("open"), pages: 2 });
    expect(vi.mocked(fetch).mock.calls.map(([path]) => path)).toEqual([
      "/api/v1/reviews?state=open&limit=100",
      "/api/v1/reviews?state=open&limit=100&cursor=abc",
    ]);
  });
});

describe("what the rail offers", () => {
  it("follows the scopes of who is signed in", () => {
    expect(roomsOf(null)).toEqual(["globe", "stations", "plays", "library", "system"]);
    expect(roomsOf({ scopes: ["library:read"] })).not.toContain("review");
    expect(roomsOf({ scopes: ["library:read"] })).toContain("unknown");
    expect(roomsOf({ scopes: ["plays:read", "library:read"] })).toContain("review");
    expect(may({ scopes: ["plays:read"] }, "plays:write")).toBe(false);
    expect(may(null, "plays:write")).toBe(false);
  });
});
