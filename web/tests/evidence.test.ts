import { QueryClient } from "@tanstack/react-query";
import { afterEach, describe, expect, it, vi } from "vitest";
import { evidenceQuery } from "../src/api/queries";
import { uuid } from "./rows";

describe("evidence of a play", () => {
  afterEach(() => vi.unstubAllGlobals());
  const client = () => new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const json = (body: object, status: number) =>
    vi.stubGlobal(
      "fetch",
      vi.fn(
        async () => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } }),
      ),
    );

  it("is asked for by the play's id, which is its detection's", async () => {
    json({ evidence: { audio: "/sound", sha256: "ab" } }, 200);
    const found = await client().fetchQuery(evidenceQuery(uuid(3), "finished"));
    expect(found).toMatchObject({ audio: "/sound" });
    expect(vi.mocked(fetch).mock.calls[0]?.[0]).toBe(`/api/v1/detections/${uuid(3)}`);
  });

  it("may not be there, which is no failure", async () => {
    json({ evidence: null }, 200);
    expect(await client().fetchQuery(evidenceQuery(uuid(3), "finished"))).toBeNull();
  });

  it("tells any other trouble", async () => {
    json({ title: "Internal Server Error", detail: "damaged" }, 500);
    await expect(client().fetchQuery(evidenceQuery(uuid(3), "finished"))).rejects.toMatchObject({ status: 500 });
  });
});
