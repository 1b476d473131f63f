"""What the listening bench plays and what it knows: MP3s, the enrolled half, and a library filled up to many hours.

The filling is made of real peaks: pieces of the enrolled recordings, transposed and stretched further than the engine
would ever undo, and jittered. So keys are as frequent as in real music, and none of it is on air.
"""

import csv
import hashlib
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import insert

from airledger.app import Airledger
from airledger.fingerprint.params import ENGINE_VERSION, SAMPLE_RATE_HZ, Params, params_hash
from airledger.fingerprint.peaks import Peaks, extract
from airledger.recognition.changes import next_revision
from airledger.recognition.decode import decode_file
from airledger.recognition.local_segments import open_or_make
from airledger.recognition.models import Fingerprint
from airledger.repertoire.models import Recording
from airledger.testing.songs import make_library

SHORTEST_S, LONGEST_S = 50.0, 420.0
FILLER_S = 180.0
BATCH = 1_000
FACTORS = (0.72, 0.78, 0.84, 1.19, 1.27, 1.36)
RATE = ("-vn", "-ac", "2", "-ar", "44100")
MP3 = (*RATE, "-c:a", "libmp3lame", "-b:a", "128k", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3")


@dataclass(frozen=True)
class Piece:
    """One recording: what is enrolled (or would be), what is sent, and whether it is enrolled."""

    name: str
    reference: Path
    mp3: Path
    is_enrolled: bool

    @property
    def duration_s(self) -> float:
        """How long it is on air."""
        return self.mp3.stat().st_size / 16_000


def gather(folder: Path, corpus: Path | None, pieces: int) -> list[Piece]:
    """Find or make recordings, and encode them; half of them are enrolled."""
    found = _of_kit(corpus) if corpus else _of_demo(folder / "songs", pieces)
    halves = [[one for one in found if one[2] is flag][: pieces // 2] for flag in (True, False)]
    (folder / "mp3").mkdir(parents=True, exist_ok=True)
    chosen = [
        Piece(reference.stem, reference, folder / "mp3" / f"{reference.stem}.mp3", flag)
        for reference, _, flag in [*halves[0], *halves[1]]
    ]
    sources = {reference.stem: source for reference, source, _ in found}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: _encode(sources[one.name], one.mp3), chosen))
    return chosen


def _of_kit(corpus: Path) -> list[tuple[Path, Path, bool]]:
    """The recognition kit's corpus: (reference, what is sent, enrolled); the original in stereo where it is there."""
    with (corpus / "tracks.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if SHORTEST_S <= float(row["used_s"]) <= LONGEST_S]
    rows.sort(key=lambda row: hashlib.sha256(row["id"].encode()).digest())
    found = []
    for row in rows:
        reference = corpus / "wav" / f"{row['id']}.wav"
        originals = list((corpus / "raw" / row["package"]).rglob(row["file"]))
        is_whole = float(row["full_s"]) <= float(row["used_s"]) + 1
        found.append((reference, originals[0] if originals and is_whole else reference, row["split"] == "enrolled"))
    return found


def _of_demo(folder: Path, pieces: int) -> list[tuple[Path, Path, bool]]:
    songs = make_library(folder, seed=5, songs=pieces)
    return [(song.path, song.path, number % 2 == 0) for number, song in enumerate(songs)]


def _encode(source: Path, mp3: Path) -> None:
    if not mp3.exists():
        part = mp3.with_suffix(".part")
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), *MP3, str(part)]
        subprocess.run(command, check=True)
        part.rename(mp3)


def fill_library(app: Airledger, pieces: list[Piece], hours: float) -> dict[str, str]:
    """Enrol the pieces, and fill the library up to so many hours; return recording ids by name."""
    marker = app.settings.data / "library.json"
    if marker.exists():
        names: dict[str, str] = json.loads(marker.read_text(encoding="utf-8"))
        return names
    params = app.library.params
    names, real = {}, []
    for one in pieces:
        if one.is_enrolled:
            decoded = decode_file(one.reference)
            peaks = extract(decoded.pcm, params, dense="reference")
            real.append(peaks)
            names[one.name] = str(_add(app, params, {len(real): peaks})[len(real)])
    batch: dict[int, Peaks] = {}
    for number, peaks in enumerate(_filler(real, hours), start=1_000_000):
        batch[number] = peaks
        if len(batch) == BATCH:
            _add(app, params, batch)
            batch = {}
    if batch:
        _add(app, params, batch)
    open_or_make(app.settings.data / "index", params).compact()
    marker.write_text(json.dumps(names), encoding="utf-8")
    return names


def _filler(real: list[Peaks], hours: float) -> Iterator[Peaks]:
    draw = np.random.default_rng(20)
    for _ in range(round(hours * 3600 / FILLER_S)):
        peaks = real[draw.integers(len(real))]
        pitch, speed = draw.choice(FACTORS), draw.choice(FACTORS)
        start_s = draw.uniform(0, max(1.0, peaks.duration_s - FILLER_S * speed))
        inside = (peaks.times_s >= start_s) & (peaks.times_s < start_s + FILLER_S * speed)
        times_s = (peaks.times_s[inside] - start_s) / speed + draw.normal(0, 0.02, inside.sum()).clip(-0.1, 0.1) + 0.1
        freqs_hz = peaks.freqs_hz[inside] * pitch + draw.normal(0, 6, inside.sum())
        fits = (freqs_hz > 120) & (freqs_hz < SAMPLE_RATE_HZ / 2 - 100)
        order = np.argsort(times_s[fits])
        times_s, freqs_hz, levels = (
            column[fits][order].astype(np.float32) for column in (times_s, freqs_hz, peaks.levels[inside])
        )
        yield Peaks(times_s, freqs_hz, levels, float(FILLER_S + 1))


def _add(app: Airledger, params: Params, batch: dict[int, Peaks]) -> dict[int, UUID]:
    """Rows and postings; there are no objects, so this library cannot be made again from its rows."""
    now, ours = app.clock.now(), app.organisation_id
    index = open_or_make(app.settings.data / "index", params)
    recordings = {number: uuid4() for number in batch}
    lengths_ms = {number: round(1000 * peaks.duration_s) for number, peaks in batch.items()}
    with app.unit() as unit:
        revision = next_revision(unit.session)
        rows = [
            {
                "id": identity, "organisation_id": ours, "title": f"Track {number}", "artist": "Nobody", "tags": {},
                "duration_ms": lengths_ms[number], "source_name": "", "content_sha256": str(number), "created_at": now,
            }
            for number, identity in recordings.items()
        ]  # fmt: skip
        unit.session.execute(insert(Recording), rows)
        rows = [
            {
                "track": number, "recording_id": identity, "organisation_id": ours, "quality": {}, "peaks_key": "none",
                "engine_version": str(ENGINE_VERSION), "params_hash": params_hash(params), "revision": revision,
                "duration_ms": lengths_ms[number], "audible_from_ms": 0, "audible_to_ms": lengths_ms[number],
                "created_at": now,
            }
            for number, identity in recordings.items()
        ]  # fmt: skip
        unit.session.execute(insert(Fingerprint), rows)
    index.add(batch)
    return recordings
