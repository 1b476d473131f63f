/**
 * The API's shapes over an invented world, with the built page, for work on the page and for screenshots.
 *   npm run build && npm run mock            (PORT, default 8787; STREAMS, default 200; EMPTY=1 for an empty catalogue)
 * Sign in with any e-mail and password, or open /?link=anything.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { decideReview, inventReviews, inventUnknowns, nameUnknown } from "./doubts.mjs";
import { checks, coverage, dice, inventStreams, play, processes, recordings, schedules, tasks } from "./invented.mjs";

const port = Number(process.env.PORT ?? 8787);
const streams = process.env.EMPTY ? [] : inventStreams(Number(process.env.STREAMS ?? 200));
const root = fileURLToPath(new URL("../../src/airledger/api/page/", import.meta.url));
const roll = dice(11);
const playing = streams.filter((stream) => stream.state === "playing");
const onePlaying = () => playing[Math.floor(roll() * playing.length)];
const plays =
  playing.length === 0
    ? []
    : Array.from({ length: 640 }, (_, at) => play(640 - at, onePlaying(), roll, 20_000 + at * 41_000, at > 9));
const reviews = inventReviews(playing);
const unknowns = inventUnknowns(playing);
const listeners = new Set();
const past = [];
let position = 0;

const security =
  "default-src 'self'; connect-src 'self' http: https: ws: wss:; media-src http: https: blob:; img-src 'self' data: blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; script-src 'self'";
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

function tellAll(type, payload) {
  position += 1;
  const event = { position, type, at: new Date().toISOString(), payload };
  past.push(event);
  for (const listener of listeners) write(listener, event);
}

const write = (response, event) =>
  response.write(`id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);

/** Something happens about once a second. */
function happen() {
  if (playing.length === 0) return;
  const on = onePlaying();
  const what = roll();
  if (what < 0.45) {
    const next = play(plays.length + 1, on, roll, 0, false);
    plays.unshift(next);
    tellAll("play.started", next);
  } else if (what < 0.6) {
    const ended = plays.find((row) => row.status === "playing");
    if (ended) {
      Object.assign(ended, {
        status: "finished",
        ended_at: new Date().toISOString(),
        duration_ms: Date.now() - Date.parse(ended.started_at),
      });
      tellAll("play.finished", ended);
    }
  } else if (what < 0.9) {
    tellAll("stream.checked", {
      stream_id: on.id,
      state: on.state,
      cause: on.cause,
      last_checked: new Date().toISOString(),
    });
  } else {
    const [from, to] = on.state === "playing" ? ["playing", "failing"] : ["failing", "playing"];
    Object.assign(on, { state: to, cause: to === "failing" ? "timeout" : null });
    tellAll("stream.state_changed", { stream_id: on.id, from_state: from, to_state: to, cause: on.cause });
  }
}

function json(response, value, status = 200, headers = {}) {
  response.writeHead(status, {
    "content-type": status >= 400 ? "application/problem+json" : "application/json",
    ...headers,
  });
  response.end(JSON.stringify(value));
}

const problem = (response, status, title) =>
  json(
    response,
    { type: "about:blank", title, status, detail: `${title}.`, code: title.toLowerCase().replaceAll(" ", "_") },
    status,
  );

function page(response, url, rows) {
  const limit = Math.min(1000, Number(url.searchParams.get("limit") ?? 100));
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const next = new URL(url);
  next.searchParams.set("cursor", String(start + limit));
  const link = start + limit < rows.length ? { link: `<${next.pathname}${next.search}>; rel="next"` } : {};
  json(response, rows.slice(start, start + limit), 200, link);
}

function counts() {
  const by = {};
  for (const stream of streams) by[stream.state] = (by[stream.state] ?? 0) + 1;
  return by;
}

const sessions = () =>
  playing.slice(0, 48).map((on, at) => ({
    session_id: `00000004-0000-4000-8000-${String(at + 1).padStart(12, "0")}`,
    stream_id: on.id,
    station_name: on.name,
    status: at % 17 === 5 ? "reconnecting" : "listening",
    started_at: new Date(Date.now() - 7_000_000).toISOString(),
    real_time_factor: 1 + (at % 5) / 500,
    windows: 1200 + at * 7,
    matched: 400 + at * 3,
    last_sound_at: new Date(Date.now() - (at % 17 === 5 ? 42_000 : 900)).toISOString(),
    listener: "studio-1",
    error: at % 17 === 5 ? "stalled" : null,
  }));

function events(request, response, url) {
  const since = Number(request.headers["last-event-id"] ?? url.searchParams.get("since") ?? position);
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": here\n\n");
  for (const event of past) if (event.position > since) write(response, event);
  listeners.add(response);
  request.on("close", () => listeners.delete(response));
}

/** A chord without end, as WAV of unknown length, in real time. */
function sound(request, response, id) {
  const rate = 16_000;
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(0xffffffff, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(0xffffffff, 40);
  response.writeHead(200, { "content-type": "audio/wav" });
  response.write(header);
  let at = 0;
  const send = (seconds) => {
    const part = Buffer.alloc(rate * seconds * 2);
    for (let sample = 0; sample < rate * seconds; sample++, at++) {
      const tone = (hz) => Math.sin((2 * Math.PI * hz * at) / rate);
      part.writeInt16LE(Math.round(2500 * (tone(180 + id) + tone(270 + id * 1.5))), sample * 2);
    }
    response.write(part);
  };
  send(4);
  const timer = setInterval(() => send(1), 1000);
  request.on("close", () => clearInterval(timer));
}

const one = (url) => streams.find((stream) => stream.id === Number(url.pathname.split("/")[4]));
const signedIn = (request) => /\bsession=1\b/.test(request.headers.cookie ?? "");
const account = {
  name: "Ines Duarte",
  email: "ines@example.org",
  role: "moderator",
  organisation: "Long Wave Society",
  scopes: ["plays:read", "plays:write", "library:read", "library:write"],
};

const reads = [
  [/^streams$/, (response, url) => page(response, url, streams)],
  [/^streams\/\d+$/, (response, url) => (one(url) ? json(response, one(url)) : problem(response, 404, "Not found"))],
  [/^streams\/\d+\/checks$/, (response, url) => json(response, one(url) ? checks(one(url), dice(one(url).id)) : [])],
  [
    /^streams\/\d+\/metrics$/,
    (response, url) =>
      json(
        response,
        one(url)
          ? checks(one(url), dice(one(url).id)).map((check) => ({
              check_timestamp: check.checked_at,
              response_time_ms: check.response_time_ms,
              uptime_percentage: 97,
              error_count: 0,
              last_error_type: null,
              bandwidth_kbps: check.bandwidth_kbps,
            }))
          : [],
      ),
  ],
  [
    /^stats$/,
    (response) =>
      json(response, {
        total_streams: streams.length,
        radio_streams: streams.filter((s) => s.type === "radio").length,
        tv_streams: streams.filter((s) => s.type === "tv").length,
        active_streams: playing.length,
        avg_reliability: 0.93,
        countries: "DE,FR",
        country_count: 16,
        plays_total: 12_400 + plays.length,
        streams_by_state: counts(),
        sessions_live: sessions().length,
        recordings_total: recordings.length,
      }),
  ],
];

const says = (row, url) =>
  `${row.title} ${row.artist} ${row.station_name}`
    .toLowerCase()
    .includes((url.searchParams.get("q") ?? "").toLowerCase());
const matching = (row, url) =>
  ["stream_id", "recording_id"].every(
    (key) => !url.searchParams.has(key) || String(row[key]) === url.searchParams.get(key),
  );
const byId = (response, url, rows) => {
  const row = rows.find((one) => one.id === url.pathname.split("/")[4]);
  return row ? json(response, row) : problem(response, 404, "Not found");
};
const privateReads = [
  [/^plays\/[^/]+$/, (response, url) => byId(response, url, plays)],
  [/^recordings\/[^/]+$/, (response, url) => byId(response, url, recordings)],
  [
    /^plays$/,
    (response, url) =>
      page(
        response,
        url,
        plays.filter((row) => matching(row, url) && says(row, url)),
      ),
  ],
  [/^sessions$/, (response) => json(response, sessions())],
  [/^coverage$/, (response, url) => json(response, coverage({ id: Number(url.searchParams.get("stream_id")) }))],
  [
    /^recordings$/,
    (response, url) =>
      page(
        response,
        url,
        recordings.filter((row) =>
          `${row.title} ${row.artist}`.toLowerCase().includes((url.searchParams.get("q") ?? "").toLowerCase()),
        ),
      ),
  ],
  [
    /^reviews$/,
    (response, url) =>
      page(
        response,
        url,
        reviews.filter((row) => row.state === url.searchParams.get("state")),
      ),
  ],
  [/^reviews\/[^/]+$/, (response, url) => byId(response, url, reviews)],
  [
    /^unknowns$/,
    (response, url) =>
      page(
        response,
        url,
        unknowns.filter((row) => row.state === url.searchParams.get("of")),
      ),
  ],
  [/^unknowns\/[^/]+$/, (response, url) => byId(response, url, unknowns)],
  [/^tasks$/, (response, url) => page(response, url, tasks())],
  [/^schedules$/, (response) => json(response, schedules())],
  [/^processes$/, (response) => json(response, processes())],
  [/^auth\/me$/, (response) => json(response, account)],
];

async function sent(request) {
  let text = "";
  for await (const part of request) text += part;
  return text === "" ? {} : JSON.parse(text);
}

async function change(request, response, path) {
  if (path === "auth/login")
    return json(response, { token: "none", account }, 200, {
      "set-cookie": "session=1; Path=/; HttpOnly; SameSite=Strict",
    });
  if (path === "auth/logout") return json(response, null, 200, { "set-cookie": "session=; Path=/; Max-Age=0" });
  if (!signedIn(request)) return problem(response, 401, "Not signed in");
  if (path === "streams") return problem(response, 422, "The address is not one we may call");
  const [room, id, verb] = path.split("/");
  const review = room === "reviews" && reviews.find((row) => row.id === id);
  const unknown = room === "unknowns" && unknowns.find((row) => row.id === id);
  if (review) return json(response, decideReview(review, await sent(request)));
  if (unknown && verb === "name") return json(response, nameUnknown(unknown, await sent(request)));
  if (unknown && verb === "ignore") {
    unknown.state = "ignored";
    response.writeHead(204);
    return response.end();
  }
  return json(response, {}, 202);
}

function api(request, response, url) {
  const path = url.pathname.slice("/api/v1/".length);
  if (path === "events") return events(request, response, url);
  if (request.method !== "GET") return change(request, response, path);
  const open = reads.find(([pattern]) => pattern.test(path));
  if (open) return open[1](response, url);
  const closed = privateReads.find(([pattern]) => pattern.test(path));
  if (!closed) return problem(response, 404, "Not found");
  return signedIn(request) ? closed[1](response, url) : problem(response, 401, "Not signed in");
}

async function file(response, url) {
  const path = normalize(url.pathname).replace(/^([/\\]|\.\.)+/, "");
  const name = extname(path) === "" ? "index.html" : path;
  try {
    const body = await readFile(join(root, name));
    response.writeHead(200, {
      "content-type": types[extname(name)] ?? "application/octet-stream",
      "content-security-policy": security,
    });
    response.end(body);
  } catch {
    problem(response, 404, "Not found");
  }
}

createServer((request, response) => {
  const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
  if (url.pathname.startsWith("/api/v1/")) api(request, response, url);
  else if (url.pathname.startsWith("/mock/sound/")) sound(request, response, Number(url.pathname.split("/")[3]));
  else void file(response, url);
}).listen(port, "127.0.0.1");

setInterval(happen, 1000);
