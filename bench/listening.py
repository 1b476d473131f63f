"""How many live stations one core hears: HTTP, MP3 at 128 kbit/s, a library of 1,000 h, half of the sound unknown.

    python -m bench.listening [--stations 150] [--minutes 10] [--hours 1000] [--corpus DIR] [--folder DIR] [--record]

The listener and its decoder children are pinned to core 0, the transmitter and the API to core 1. DIR is a corpus of
the recognition kit (`wav/`, `raw/`, `tracks.csv`); without it, made songs are used. `--record` writes RESULTS.md.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
from bench.material import Piece, fill_library, gather
from bench.results import write_row
from sqlalchemy import delete, insert, select

from airledger.app import Airledger
from airledger.listening.models import AudioDetection, Coverage, ListeningSession
from airledger.platform.presence import living
from airledger.platform.settings import Settings
from airledger.playlog.models import PlayLog
from airledger.stations.models import PLAYING, Stream

BYTES_PER_S = 16_000
START_S, CONNECT_S, SETTLE_S = 5.0, 120.0, 30.0
AFTER_S = 25.0  # until what was heard at the end is recognised and stored
LEAST_SHARE = 0.0005
LEAST_PLAY_S = 20.0
SLACK_S = 8.0


@dataclass(frozen=True)
class Aired:
    """One piece on one station's air."""

    station: int
    name: str
    start_s: float
    end_s: float
    is_enrolled: bool


def compose(pieces: list[Piece], stations: int, epoch_s: float) -> dict[str, object]:
    """Give each station its own order, enrolled and unknown by turns, so that half of the time is unknown."""
    known = [one for one in pieces if one.is_enrolled]
    unknown = [one for one in pieces if not one.is_enrolled]
    programmes = []
    for number in range(stations):
        draw = random.Random(number)  # noqa: S311  a programme, not a secret
        strange = _cycled(draw.sample(unknown, len(unknown)), len(known))
        pairs = zip(draw.sample(known, len(known)), strange, strict=True)
        programmes.append([{"file": str(one.mp3), "title": one.name} for pair in pairs for one in pair])
    return {"epoch_s": epoch_s, "files": sorted({str(one.mp3) for one in pieces}), "stations": programmes}


def _cycled(pieces: list[Piece], count: int) -> list[Piece]:
    return [pieces[number % len(pieces)] for number in range(count)]


def aired(programme: Any, pieces: list[Piece], begin_s: float, end_s: float) -> list[Aired]:
    """What was on air in a span, by the transmitter's own arithmetic."""
    by_file = {str(one.mp3): one for one in pieces}
    found = []
    for number, listed in enumerate(programme["stations"]):
        items = [by_file[item["file"]] for item in listed]
        total_s = sum(one.duration_s for one in items)
        offset_s = number * 997 * 1_400 / BYTES_PER_S - programme["epoch_s"]
        round_number = int((begin_s + offset_s) // total_s)
        at_s = round_number * total_s - offset_s
        while at_s < end_s:
            for one in items:
                if at_s < end_s and at_s + one.duration_s > begin_s:
                    found.append(Aired(number, one.name, at_s, at_s + one.duration_s, one.is_enrolled))
                at_s += one.duration_s
    return found


def prepare(app: Airledger, stations: int, port: int) -> list[int]:
    """Make the catalogue's rows; return stream ids by station."""
    now, ours = app.clock.now(), app.organisation_id
    with app.unit() as unit:
        for table in (PlayLog, AudioDetection, Coverage, ListeningSession, Stream):
            unit.session.execute(delete(table))
        ids = []
        for number in range(stations):
            stream = Stream(
                url=f"http://127.0.0.1:{port}/{number}", url_key=str(number), host="127.0.0.1", search_text="",
                name=f"Station {number}", tags=[], warnings=[], state=PLAYING, has_sound=True, created_at=now,
                updated_at=now,
            )  # fmt: skip
            unit.session.add(stream)
            unit.session.flush()
            ids.append(stream.id)
        rows = [
            {
                "session_id": uuid4(), "organisation_id": ours, "stream_id": one, "is_wanted": True,
                "is_manual": True, "status": "waiting", "config": {},
            }
            for one in ids
        ]  # fmt: skip
        unit.session.execute(insert(ListeningSession), rows)
    return ids


def pinned(core: int, command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process that stays on one core, with its children."""
    with log.open("wb") as file:
        return subprocess.Popen(["taskset", "-c", str(core), *command], stdout=file, stderr=file)


def cpu_by_thread(pid: int) -> dict[str, float]:
    """CPU seconds of a process by thread name (digits dropped), and of its children."""
    ticks = os.sysconf("SC_CLK_TCK")
    spent: dict[str, float] = defaultdict(float)
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        name = (task / "comm").read_text().strip().rstrip("0123456789-")
        spent["main" if task.name == str(pid) else name] += (int(fields[11]) + int(fields[12])) / ticks
    for child in psutil.Process(pid).children(recursive=True):
        spent["decoders"] += sum(child.cpu_times()[:2])
    return spent


def counts(app: Airledger) -> tuple[dict[str, float], dict[str, float]]:
    """The listener's own counters and gauges."""
    with app.read() as session:
        for row in living(session, app.clock.now()):
            if row.role == "listener":
                return row.stats["counts"], row.stats["gauges"]
    return {}, {}


def lost_seconds(app: Airledger, ids: list[int], span: "Watched") -> tuple[float, dict[str, float]]:
    """Seconds of all stations in a span that were not heard, and those of gaps by cause."""
    covered: dict[int, float] = defaultdict(float)
    causes: dict[str, float] = defaultdict(float)
    columns = (Coverage.stream_id, Coverage.kind, Coverage.cause, Coverage.started_at, Coverage.ended_at)
    with app.read() as session:
        rows = session.execute(select(*columns)).all()
    for stream_id, kind, cause, started_at, ended_at in rows:
        seconds = max(0.0, min(span.end_s, ended_at.timestamp()) - max(span.begin_s, started_at.timestamp()))
        if kind == "gap":
            causes[str(cause)] += seconds
        else:
            covered[stream_id] += seconds
    return sum(max(0.0, span.seconds - covered[one]) for one in ids), dict(causes)


def judge(
    app: Airledger, truth: list[Aired], ids: list[int], names: dict[str, str], span: "Watched"
) -> dict[str, float]:
    """Compare detections with what was on air."""
    with app.read() as session:
        rows = session.scalars(select(AudioDetection)).all()
    stations = {stream: number for number, stream in enumerate(ids)}
    by_station: dict[int, list[AudioDetection]] = defaultdict(list)
    for row in rows:
        by_station[stations[row.stream_id]].append(row)
    starts: list[float] = []
    ends: list[float] = []
    right: set[UUID] = set()
    due = found = 0
    for one in truth:
        if not one.is_enrolled:
            continue
        is_due = _within(one, span) >= LEAST_PLAY_S
        hits = [row for row in by_station[one.station] if _is_of(row, one, names)]
        right |= {row.detection_id for row in hits}
        due += is_due
        found += is_due and bool(hits)
        if is_due and hits and one.start_s > span.begin_s + 10:
            starts.append(abs(hits[0].started_at.timestamp() - one.start_s))
        if is_due and hits and one.end_s < span.end_s - 30:
            ends.append(abs(hits[-1].ended_at.timestamp() - one.end_s))
        if is_due and not hits:
            print("missed:", one)
    for row in rows:
        if row.detection_id not in right:
            print("false:", stations[row.stream_id], row.recording_id, row.started_at, row.ended_at, row.windows)
    known_s = sum(_within(one, span) for one in truth if one.is_enrolled)
    return {
        "due": due,
        "found": found,
        "false": len(rows) - len(right),
        "start_p50_s": _part(starts, 0.5),
        "start_p95_s": _part(starts, 0.95),
        "end_p95_s": _part(ends, 0.95),
        "unknown_share": 1 - known_s / sum(_within(one, span) for one in truth),
    }


def _within(one: Aired, span: "Watched") -> float:
    return max(0.0, min(one.end_s, span.end_s) - max(one.start_s, span.begin_s))


def _is_of(row: AudioDetection, one: Aired, names: dict[str, str]) -> bool:
    start_s, end_s = row.started_at.timestamp(), row.ended_at.timestamp()
    overlap_s = min(end_s, one.end_s + SLACK_S) - max(start_s, one.start_s - SLACK_S)
    return row.recording_id == UUID(names[one.name]) and overlap_s > 0


def _part(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))] if values else float("nan")


def wait_until_connected(app: Airledger, stations: int) -> None:
    deadline = time.monotonic() + CONNECT_S + stations
    while time.monotonic() < deadline:
        with app.read() as session:
            rows = session.scalars(select(ListeningSession)).all()
        live = [row for row in rows if row.status == "listening" and row.windows > 1]
        if len(live) == stations:
            return
        time.sleep(1)
    print(f"only {len(live)} of {stations} stations are heard")


@dataclass(frozen=True)
class Watched:
    """A listener over a span of time: CPU by part and its own counters, both per second; the greatest backlog."""

    begin_s: float
    end_s: float
    spent: dict[str, float]
    grown: dict[str, float]
    behind: float
    memory_mb: float

    @property
    def seconds(self) -> float:
        """Length of the span."""
        return self.end_s - self.begin_s

    @property
    def cores(self) -> float:
        """CPU seconds per second, children included."""
        return sum(self.spent.values())


def watch(app: Airledger, listener: int, seconds: float) -> Watched:
    """Watch the listener for a while."""
    before, counted = cpu_by_thread(listener), counts(app)[0]
    begin_s, behind = time.time(), 0.0
    while time.time() < begin_s + seconds:
        time.sleep(min(5.0, max(0.1, begin_s + seconds - time.time())))
        behind = max(behind, counts(app)[1].get("windows_waiting", 0.0))
    after, now_counted = cpu_by_thread(listener), counts(app)[0]
    end_s = time.time()
    family = [psutil.Process(listener), *psutil.Process(listener).children(recursive=True)]
    return Watched(
        begin_s,
        end_s,
        {name: (after[name] - before.get(name, 0.0)) / (end_s - begin_s) for name in after},
        {name: (value - counted.get(name, 0)) / (end_s - begin_s) for name, value in now_counted.items()},
        behind,
        sum(one.memory_info().rss for one in family) / 1e6,
    )


def run(options: argparse.Namespace) -> None:
    """Prepare, start the transmitter, the API and the listener, watch, and judge."""
    folder: Path = options.folder
    pieces = gather(folder, options.corpus, options.pieces)
    data = folder / f"library-{options.hours:g}h-{'kit' if options.corpus else 'demo'}"
    os.environ.update(
        AIRLEDGER_DATA=str(data),
        AIRLEDGER_LOG_LEVEL="WARNING",
        AIRLEDGER_ALLOW_NETWORKS='["127.0.0.0/8"]',
        AIRLEDGER_LISTEN_TO_ALL="false",
        AIRLEDGER_MAX_SESSIONS="2000",
        AIRLEDGER_PORT=str(options.port + 1),
    )
    with Airledger.open(Settings()) as app:
        names = fill_library(app, pieces, options.hours)
        app.library.sync()
        print(f"library: {len(app.library.index)} tracks in {len(app.library.index.snapshot.segments)} segments")
        ids = prepare(app, options.stations, options.port)
        programme = compose(pieces, options.stations, time.time() - 3_600)
        listing = folder / "programme.json"
        listing.write_text(json.dumps(programme), encoding="utf-8")
        mounts = [sys.executable, str(Path(__file__).with_name("mounts.py")), str(listing), str(options.port)]
        airledger = [sys.executable, "-m", "airledger"]
        processes = [pinned(1, mounts, folder / "mounts.log")]
        try:
            if options.api:
                processes.append(pinned(1, [*airledger, "api"], folder / "api.log"))
            time.sleep(START_S)
            processes.append(pinned(0, [*airledger, "listener"], folder / "listener.log"))
            wait_until_connected(app, options.stations)
            time.sleep(options.settle)
            watched = watch(app, processes[-1].pid, options.minutes * 60)
            time.sleep(AFTER_S)
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait(60)
        truth = aired(programme, pieces, watched.begin_s - 300, watched.end_s + 10)
        report(options, watched, lost_seconds(app, ids, watched), judge(app, truth, ids, names, watched))


def report(
    options: argparse.Namespace, watched: Watched, lost: tuple[float, dict[str, float]], judged: dict[str, float]
) -> None:
    """Print all figures, and write the row if that is wanted."""
    stations, total = options.stations, watched.cores
    heard = watched.grown.get("windows", 0.0) * 5 / stations
    print(f"{stations} stations, {watched.seconds:.0f} s: {total:.1%} of a core, {total / stations:.3%} each")
    print(f"  {stations / total:.0f} stations per core; heard at {heard:.2f} × real time; {watched.memory_mb:.0f} MB")
    for name, share in sorted(watched.spent.items(), key=lambda one: -one[1]):
        if share > LEAST_SHARE:
            print(f"  {name:<14} {share:7.1%}  {1000 * share / stations:6.3f} ms per station and second")
    for name, rate in sorted(watched.grown.items()):
        print(f"  {name:<22} {rate:9.3f} per second   {1000 * rate / stations:9.3f} per station and 1,000 s")
    print(f"  backlog at most {watched.behind:.0f} windows; lost {lost[0]:.1f} station seconds; gaps {lost[1]}")
    print("  " + ", ".join(f"{name} {value:.3g}" for name, value in judged.items()))
    if options.record:
        write_row(
            f"live on one core: MP3 128 kbit/s, {options.hours:g} h of references, half of the sound unknown",
            f"{stations} stations for {options.minutes:g} min with {total:.0%} of the core, so {stations / total:.0f} "
            f"stations; lost {lost[0]:.0f} s, backlog at most {watched.behind:.0f} windows; "
            f"{judged['found']:.0f} of {judged['due']:.0f} plays found, {judged['false']:.0f} false, "
            f"start error p95 {judged['start_p95_s']:.2f} s; {watched.memory_mb:.0f} MB",
            f"{total / watched.spent['decoders']:.2f} × decoding alone",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=150)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--hours", type=float, default=1_000)
    parser.add_argument("--pieces", type=int, default=120)
    parser.add_argument("--port", type=int, default=8_820)
    parser.add_argument("--settle", type=float, default=SETTLE_S)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "airledger-bench-listening")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--api", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    run(options)


if __name__ == "__main__":
    main()
