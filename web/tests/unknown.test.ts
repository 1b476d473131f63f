import { QueryClient } from "@tanstack/react-query";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ignoreUnknown, nameUnknown } from "../src/api/actions";
import { unknownsQuery } from "../src/api/queries";
import { texts } from "../src/texts";
import { classes, classOf, type Described, nameOf } from "../src/unknown/naming";
import { classWord, titleOf } from "../src/unknown/UnknownRow";
import { answering, uuid } from "./rows";

const typed: Described = { title: " Bright Water ", artist: " Made ", isrc: " ", recordingClass: "music" };

describe("a name", () => {
  it("is what was typed, without blanks and without an empty ISRC", () => {
    expect(nameOf(typed, null)).toEqual({ title: "Bright Water", artist: "Made", recording_class: "music" });
    expect(nameOf({ ...typed, isrc: " QZALD2600001 " }, null)).toMatchObject({ isrc: "QZALD2600001" });
  });

  it("or a recording of the library, and then nothing that was typed", () => {
    expect(nameOf(typed, { id: uuid(4) })).toEqual({ recording_id: uuid(4) });
  });

  it("begins with the class that Airledger guesses", () => {
    expect(classOf("advert")).toBe("advert");
    expect(classOf(null)).toBe("music");
    expect(classOf("something new")).toBe("music");
    for (const one of classes) expect(classWord(one)).toBe(texts.unknown.classes[one]);
    expect(classWord("something new")).toBe("something new");
  });

  it("stands in for itself by the id until it is known", () => {
    expect(titleOf({ id: uuid(7), title: null })).toBe("Unknown 00000000");
    expect(titleOf({ id: uuid(7), title: "Ebb" })).toBe("Ebb");
  });

  it("tells how many past plays got it", () => {
    expect(texts.unknown.named(1)).toContain("1 past play was written");
    expect(texts.unknown.named(1200)).toContain("1,200 past plays were written");
  });
});

describe("unknown recordings", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("are asked for by state, page by page as the API's links lead", async () => {
    vi.stubGlobal("location", { href: "http://page.example/unknown" });
    answering([{ id: uuid(1) }], 200, { link: `</api/v1/unknowns?of=new&limit=100&cursor=${uuid(1)}>; rel="next"` });
    const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    await client.fetchInfiniteQuery({ ...unknownsQuery("new"), pages: 2 });
    expect(vi.mocked(fetch).mock.calls.map(([path]) => path)).toEqual([
      "/api/v1/unknowns?of=new&limit=100",
      `/api/v1/unknowns?of=new&limit=100&cursor=${uuid(1)}`,
    ]);
  });

  it("are named and ignored where the API wants it", async () => {
    answering({ unknown_id: uuid(1), recording_id: uuid(2), plays: 3, is_enrolled: true });
    expect(await nameUnknown(uuid(1), nameOf(typed, null))).toMatchObject({ plays: 3 });
    expect(vi.mocked(fetch).mock.calls[0]?.[0]).toBe(`/api/v1/unknowns/${uuid(1)}/name`);
    answering(null, 204);
    expect(await ignoreUnknown(uuid(1))).toBeNull();
    expect(vi.mocked(fetch).mock.calls[0]?.[0]).toBe(`/api/v1/unknowns/${uuid(1)}/ignore`);
  });

  it("keep a wrong ISRC's reason for the form", async () => {
    answering({ title: "Invalid input", detail: "'X' is not an ISRC" }, 422);
    await expect(nameUnknown(uuid(1), nameOf({ ...typed, isrc: "X" }, null))).rejects.toMatchObject({
      status: 422,
      message: "'X' is not an ISRC",
    });
  });
});
