import { afterEach, describe, expect, it, vi } from "vitest";
import { change, getJson, nextPath, Problem, pathWith } from "../src/api/request";

const here = "http://here.example/api/v1/streams";

describe("Link header", () => {
  it("gives the path of the next page", () => {
    expect(nextPath('</api/v1/streams?cursor=x%2Cy>; rel="next"', here)).toBe("/api/v1/streams?cursor=x%2Cy");
    expect(nextPath('<?cursor=2>; rel="next"', here)).toBe("/api/v1/streams?cursor=2");
    expect(nextPath('<a>; rel="prev", </b>; title="x, rel=next"; rel=next', here)).toBe("/b");
  });

  it("never leaves our origin", () => {
    expect(nextPath('<https://elsewhere.example/steal?x=1>; rel="next"', here)).toBe("/steal?x=1");
  });

  it("is null where there is no next page", () => {
    expect(nextPath(null, here)).toBeNull();
    expect(nextPath('</a>; rel="last"', here)).toBeNull();
  });
});

describe("requests", () => {
  afterEach(() => vi.unstubAllGlobals());
  const answer = (body: string, init: ResponseInit) => vi.stubGlobal("fetch", async () => new Response(body, init));

  it("leave out what is not set", () => {
    expect(pathWith("/a", { q: "", x: null, y: undefined, z: 0, all: true })).toBe("/a?z=0&all=true");
    expect(pathWith("/a")).toBe("/a");
  });

  it("turn problem+json into a Problem", async () => {
    answer('{"title":"Too slow","detail":"Wait 3 s.","code":"rate_limited"}', {
      status: 429,
      headers: { "content-type": "application/problem+json" },
    });
    await expect(getJson("/x")).rejects.toMatchObject({
      status: 429,
      code: "rate_limited",
      title: "Too slow",
      message: "Wait 3 s.",
    });
  });

  it("survive an error page of a proxy", async () => {
    answer("<h1>Bad gateway</h1>", {
      status: 502,
      statusText: "Bad Gateway",
      headers: { "content-type": "text/html" },
    });
    await expect(getJson("/x")).rejects.toMatchObject({ status: 502, title: "Bad Gateway" });
  });

  it("say that nobody answered", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    await expect(getJson("/x")).rejects.toBeInstanceOf(Problem);
    await expect(getJson("/x")).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });

  it("accept an answer without a body", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 204 }));
    await expect(change("POST", "/x", { a: 1 })).resolves.toBeNull();
  });
});
