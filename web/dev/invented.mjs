/** An invented world for looking at the page without a server: the same one every time. */

const cities = [
  [
    "DE",
    "Germany",
    "german",
    [
      ["Hamburg", 53.55, 9.99],
      ["Leipzig", 51.34, 12.37],
      ["Köln", 50.94, 6.96],
      ["München", 48.14, 11.58],
    ],
  ],
  [
    "FR",
    "France",
    "french",
    [
      ["Lyon", 45.76, 4.84],
      ["Brest", 48.39, -4.49],
      ["Marseille", 43.3, 5.37],
    ],
  ],
  [
    "BR",
    "Brazil",
    "portuguese",
    [
      ["São Paulo", -23.55, -46.63],
      ["Recife", -8.05, -34.88],
      ["Manaus", -3.12, -60.02],
    ],
  ],
  [
    "US",
    "United States of America",
    "english",
    [
      ["Austin", 30.27, -97.74],
      ["Chicago", 41.88, -87.63],
      ["Portland", 45.52, -122.68],
      ["Anchorage", 61.22, -149.9],
    ],
  ],
  [
    "JP",
    "Japan",
    "japanese",
    [
      ["Sapporo", 43.06, 141.35],
      ["Ōsaka", 34.69, 135.5],
    ],
  ],
  [
    "NG",
    "Nigeria",
    "english",
    [
      ["Lagos", 6.52, 3.38],
      ["Kano", 12.0, 8.52],
    ],
  ],
  [
    "EG",
    "Egypt",
    "arabic",
    [
      ["القاهرة", 30.04, 31.24],
      ["Alexandria", 31.2, 29.92],
    ],
  ],
  [
    "IN",
    "India",
    "hindi",
    [
      ["Mumbai", 19.08, 72.88],
      ["Kolkata", 22.57, 88.36],
      ["Chennai", 13.08, 80.27],
    ],
  ],
  [
    "FJ",
    "Fiji",
    "english",
    [
      ["Suva", -18.14, 178.44],
      ["Taveuni", -16.85, -179.97],
    ],
  ],
  [
    "NZ",
    "New Zealand",
    "english",
    [
      ["Wellington", -41.29, 174.78],
      ["Dunedin", -45.87, 170.5],
    ],
  ],
  [
    "RU",
    "Russia",
    "russian",
    [
      ["Анадырь", 64.73, 177.51],
      ["Казань", 55.79, 49.11],
    ],
  ],
  ["ZA", "South Africa", "english", [["Durban", -29.86, 31.02]]],
  [
    "AR",
    "Argentina",
    "spanish",
    [
      ["Rosario", -32.94, -60.65],
      ["Ushuaia", -54.8, -68.3],
    ],
  ],
  [
    "NO",
    "Norway",
    "norwegian",
    [
      ["Tromsø", 69.65, 18.96],
      ["Bergen", 60.39, 5.32],
    ],
  ],
  ["ID", "Indonesia", "indonesian", [["Makassar", -5.15, 119.43]]],
  [
    "MX",
    "Mexico",
    "spanish",
    [
      ["Oaxaca", 17.07, -96.73],
      ["Mérida", 20.97, -89.62],
    ],
  ],
];
const first = [
  "Radio",
  "Antenne",
  "Onda",
  "Harbour",
  "Blue",
  "Delta",
  "Kanal",
  "Voz",
  "Aurora",
  "Metro",
  "Rádio",
  "Night",
  "Coast",
  "Sender",
  "Studio",
];
const second = [
  "Nord",
  "Lumière",
  "Tropical",
  "Eins",
  "Jazz",
  "Wave",
  "Livre",
  "Classic",
  "Folk",
  "Sur",
  "Nova",
  "FM",
  "Echo",
  "Public",
  "Tide",
];
const genres = ["jazz", "news", "classical", "pop", "folk", "electronic", "highlife", "talk", "regional"];
const causes = [
  "not_found",
  "refused",
  "timeout",
  "stalled",
  "not_media",
  "silent",
  "looped",
  "redirect_loop",
  "server_error",
];
const titles = [
  "Paper Lanterns",
  "Slow Ferry",
  "Última Estación",
  "Glass Orchard",
  "Kite Weather",
  "Winterhafen",
  "Salt and Signal",
  "Half a Moon",
  "Les Toits",
  "Copper Line",
  "Monsoon Radio",
  "Tide Table",
];
const artists = [
  "Ada Lindqvist",
  "The Quiet Hours",
  "Marisol Vega",
  "Nkem & Brass",
  "Ensemble Ost",
  "Kōji Mori",
  "Bellwether",
];

/** The UUID that stands for number `n` of a kind. */
const uuid = (kind, n) => `0000000${kind}-0000-4000-8000-${String(n).padStart(12, "0")}`;

export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const pick = (roll, list) => list[Math.floor(roll() * list.length)];
const iso = (msAgo) => new Date(Date.now() - msAgo).toISOString();
const minute = 60_000;

function stateOf(roll) {
  const value = roll();
  return value < 0.74 ? "playing" : value < 0.88 ? "failing" : value < 0.985 ? "unproven" : "retired";
}

function soundOf(roll, state) {
  const codec = pick(roll, ["mp3", "mp3", "aac", "opus", "vorbis"]);
  const bitrate = pick(roll, [64, 96, 128, 128, 192, 320]);
  const lying = roll() < 0.05;
  return {
    codec: state === "unproven" ? null : codec,
    bitrate,
    bitrate_measured_kbps: state === "playing" ? Math.round(bitrate * (lying ? 0.5 : 0.99)) : null,
    warnings: lying && state === "playing" ? ["false_bitrate"] : [],
  };
}

function placeOf(roll) {
  const [country_code, country_name, language, towns] = pick(roll, cities);
  const [city, latitude, longitude] = pick(roll, towns);
  // A third has only its country's place, so that several stand at exactly one point.
  const exact = roll() < 0.66;
  const near = (degrees) => (exact ? degrees + (roll() - 0.5) * 1.5 : degrees);
  const placeless = roll() < 0.03;
  return {
    country_code,
    country_name,
    language,
    city: exact ? city : null,
    latitude: placeless ? null : near(latitude),
    longitude: placeless ? null : Math.max(-180, Math.min(180, near(longitude))),
    accuracy_radius_km: exact ? 25 : 400,
  };
}

function stream(id, roll) {
  const state = stateOf(roll);
  const proven = state === "playing" || state === "failing";
  const reliability = state === "playing" ? 0.86 + roll() * 0.14 : state === "failing" ? roll() * 0.6 : 1;
  const tv = roll() < 0.08;
  const title = pick(roll, titles);
  const artist = pick(roll, artists);
  return {
    id,
    uuid: `00000000-0000-4000-8000-${String(id).padStart(12, "0")}`,
    url: `http://stream${id}.example/live`,
    name: `${pick(roll, first)} ${pick(roll, second)}${roll() < 0.3 ? ` ${(87 + roll() * 20).toFixed(1)}` : ""}`,
    type: tv ? "tv" : "radio",
    genre: pick(roll, genres),
    ...placeOf(roll),
    ...soundOf(roll, state),
    website: `https://station${id}.example/`,
    description: null,
    tags: [pick(roll, genres)],
    is_active: state !== "retired",
    last_checked: proven ? iso(roll() * 25 * minute) : null,
    last_success: state === "playing" ? iso(roll() * 25 * minute) : null,
    check_frequency: 900,
    reliability_score: reliability,
    reliability_lower_bound: reliability * 0.92,
    quality_score: 0.5 + roll() * 0.5,
    created_at: iso(3 * 86_400_000),
    state,
    cause: state === "failing" ? pick(roll, causes) : null,
    has_picture: tv,
    is_hls: false,
    playable_url: `/mock/sound/${id}`,
    now_playing:
      state === "playing" && roll() < 0.4
        ? { recording_id: uuid(2, 1), title, artist, since: iso(roll() * 3 * minute) }
        : null,
    stream_title: state === "playing" && roll() < 0.5 ? `${artist} - ${title}` : null,
  };
}

export function inventStreams(count) {
  const roll = dice(7);
  return Array.from({ length: count }, (_, index) => stream(index + 1, roll));
}

export const recordings = titles.flatMap((title, at) =>
  [0, 1, 2].map((version) => ({
    id: uuid(2, at * 3 + version + 1),
    label: "Tidal Recordings",
    title: version === 0 ? title : `${title} (${["", "live", "radio edit"][version]})`,
    artist: artists[(at + version) % artists.length],
    album: version === 0 ? "Long Wave" : null,
    isrc: `QZAAA26${String(at * 3 + version).padStart(5, "0")}`,
    duration_ms: 130_000 + at * 11_000 + version * 7_000,
    recording_class: at === 3 && version === 2 ? "jingle" : "music",
    created_at: iso(86_400_000),
    plays: (at * 7 + version * 3) % 41,
  })),
);

export function play(n, on, roll, agoMs, finished) {
  const recording = pick(roll, recordings);
  const started = new Date(Date.now() - agoMs).toISOString();
  return {
    id: uuid(3, n),
    station_id: on.id,
    stream_id: on.id,
    station_name: on.name,
    recording_id: recording.id,
    title: recording.title,
    artist: recording.artist,
    album: recording.album,
    isrc: recording.isrc,
    started_at: started,
    ended_at: new Date(Date.now() - (finished ? agoMs - recording.duration_ms : 0)).toISOString(),
    duration_ms: finished ? recording.duration_ms : agoMs,
    is_short_use: false,
    status: finished ? "finished" : "playing",
    confidence_score: 0.83 + roll() * 0.17,
    detection_source: "local",
    speed: roll() < 0.1 ? 1.02 : 1,
    is_partial: false,
    latitude: on.latitude,
    longitude: on.longitude,
  };
}

export const checks = (on, roll) =>
  Array.from({ length: 14 }, (_, at) => {
    const good = on.state === "playing" ? roll() < 0.95 : at > 3;
    return {
      checked_at: iso((at * 15 + 2) * minute),
      level: 4,
      is_healthy: good,
      cause: good ? null : (on.cause ?? "timeout"),
      permanent: good ? null : on.cause === "not_found",
      detail: null,
      response_time_ms: good ? 60 + Math.round(roll() * 90) : null,
      bandwidth_kbps: good ? Math.round(on.bitrate * (0.97 + roll() * 0.05)) : null,
      codec: good ? on.codec : null,
      bitrate_claimed: on.bitrate,
      stream_title: on.stream_title,
    };
  });

export function coverage(on) {
  const roll = dice(on.id);
  const rows = [];
  let at = Date.now() - 82_000_000;
  while (at < Date.now() - 600_000) {
    const kind = roll() < 0.82 ? "heard" : pick(roll, ["gap", "silent", "looped"]);
    const end = Math.min(
      Date.now() - 60_000,
      at + (kind === "heard" ? 9_000_000 * roll() + 3_000_000 : 300_000 + roll() * 900_000),
    );
    rows.push({
      started_at: new Date(at).toISOString(),
      ended_at: new Date(end).toISOString(),
      kind,
      cause: kind === "gap" ? "stalled" : null,
    });
    at = end;
  }
  return rows.concat({
    started_at: new Date(at).toISOString(),
    ended_at: new Date().toISOString(),
    kind: "heard",
    cause: null,
  });
}

export const processes = () =>
  ["api", "worker", "scheduler", "listener"].map((role, at) => ({
    role,
    pid: 4100 + at,
    host: "studio-1",
    started_at: iso(7_300_000),
    seen_at: iso(4000),
    stats: role === "listener" ? { sessions: 48, real_time_factor: 1.0 } : role === "worker" ? { tasks_done: 812 } : {},
  }));

export const tasks = () => [
  ...Array.from({ length: 9 }, (_, at) => ({
    id: at,
    name: "probe stream",
    queue: "probe",
    status: at < 3 ? "running" : "pending",
    attempts: 1,
    created_at: iso(at * 5000),
    error: null,
  })),
  {
    id: 20,
    name: "enrol recording",
    queue: "recognise",
    status: "running",
    attempts: 1,
    created_at: iso(20_000),
    error: null,
  },
  {
    id: 21,
    name: "crawl radio_browser",
    queue: "default",
    status: "failed",
    attempts: 3,
    created_at: iso(500_000),
    error: "The directory's host has no address. It is tried again in 15 minutes.",
  },
];

export const schedules = () => [
  { name: "probe streams", every_s: 60, next_due: iso(-31_000), last_run: iso(29_000), enabled: true },
  { name: "crawl directories", every_s: 21_600, next_due: iso(-9_000_000), last_run: iso(12_600_000), enabled: true },
  { name: "forget old checks", every_s: 86_400, next_due: iso(-40_000_000), last_run: null, enabled: false },
];
