/** An error answer of the API (RFC 9457), or the lack of any answer (`status` 0). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  /** What the server asks us to wait before we ask again. */
  readonly retryAfterS: number | null;

  constructor(status: number, code: string, title: string, detail: string, retryAfterS: number | null = null) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.title = title;
    this.retryAfterS = retryAfterS;
  }
}

export type Page<T> = { rows: T[]; next: string | null };

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The number form of Retry-After; its date form is not used by our API. */
const secondsOf = (value: string | null): number | null =>
  value !== null && /^\d{1,6}$/.test(value) ? Number(value) : null;

async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get("content-type") ?? "";
  const body: Record<string, unknown> = type.includes("json")
    ? ((await response.json().catch(() => ({}))) as Record<string, unknown>)
    : {};
  return new Problem(
    response.status,
    text(body["code"]),
    text(body["title"]) || response.statusText,
    text(body["detail"]),
    secondsOf(response.headers.get("retry-after")),
  );
}

async function send(path: string, init: RequestInit, also: readonly number[] = []): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem(0, "unreachable", "", "");
  }
  if (!response.ok && !also.includes(response.status)) throw await problemOf(response);
  return response;
}

/** The path of `rel="next"` in a Link header. Only the path is kept: the page never follows a link to another origin. */
export function nextPath(link: string | null, here: string): string | null {
  for (const part of (link ?? "").split(/,(?=\s*<)/)) {
    const found = /<([^>]*)>\s*;(?:[^"]|"[^"]*")*?\brel="?next\b/.exec(part);
    if (found?.[1] !== undefined) {
      const target = new URL(found[1], here);
      return target.pathname + target.search;
    }
  }
  return null;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export function pathWith(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  }
  const tail = search.toString();
  return tail === "" ? path : `${path}?${tail}`;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send(path, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) });
  return (await response.json()) as T;
}

/** Bytes of an answer and its tag; `bytes` is null where they are still those of `tag`. */
export async function getBytes(
  path: string,
  tag: string | null,
  signal?: AbortSignal,
): Promise<{ bytes: ArrayBuffer | null; tag: string | null }> {
  const headers = tag === null ? {} : { "if-none-match": tag };
  // `no-store` keeps the browser's own cache out, which would answer 200 where we want to hear 304.
  const response = await send(path, { headers, cache: "no-store", ...(signal ? { signal } : {}) }, [304]);
  const bytes = response.status === 304 ? null : await response.arrayBuffer();
  return { bytes, tag: response.headers.get("etag") };
}

export async function getPage<T>(path: string, signal?: AbortSignal): Promise<Page<T>> {
  const response = await send(path, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) });
  const rows = (await response.json()) as T[];
  return { rows, next: nextPath(response.headers.get("link"), new URL(path, location.href).href) };
}

export async function change<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T | null> {
  const response = await send(path, {
    method,
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  return answer === "" ? null : (JSON.parse(answer) as T);
}
