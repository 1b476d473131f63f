"""What recognition costs and keeps in a large index: `python -m bench.scale FOLDER --hours 10000 [--kit KIT]`.

The index holds real references and, up to the wanted size, synthetic tracks made of their peaks: pieces of 5 to 12 s of
random tracks, backwards, up to a tenth faster or slower and slightly detuned, so that none is a true match of anything.
What makes an index slow and its answers doubtful is how long the lists of postings are that queries read; the bench
shows that these are what the real references lead to expect. Then it asks the queries.

KIT is a folder with `queries/enrol.txt`, `queries/queries.txt` (name, tab, WAV file) and `queries/truth.csv` (query,
condition, length_s, track, offset_s). Without it, songs composed by `airledger.testing.songs` are cut and disturbed.

FOLDER keeps the peaks and the index; a second run goes on with them. CPU time of one thread is measured, in a process
of its own that has opened the index afresh, the second time that each query is asked.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from bench.results import write_row
from numpy.typing import NDArray

from airledger.audio.resample import to_8k
from airledger.cli.fingerprint import _read_list, _read_wav
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.index import Index
from airledger.fingerprint.manifest import Listed, Manifest, write_manifest
from airledger.fingerprint.match import DEFAULT_THRESHOLD, match
from airledger.fingerprint.params import PROFILES, Params, params_hash
from airledger.fingerprint.peaks import Density, Peaks, extract
from airledger.fingerprint.postings import bucket_words, read_list
from airledger.testing.pcm import SONG_RATE_HZ
from airledger.testing.songs import render_song

PIECE_S = (5.0, 12.0)
TEMPO = (0.9, 1.1)
DETUNE = 0.003
ADD_H = 46.0
FIRST_SYNTHETIC = 1_000_000
LONG_S = 20.0
MOST_LISTS = 400_000
NEGATIVE = "neg"


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and what it is: of which track, from where; no track for what is not enrolled."""

    condition: str
    peaks: Peaks
    track: str
    offset_s: float


@dataclass(frozen=True, slots=True)
class Material:
    """Real references by name, and queries."""

    references: dict[str, Peaks]
    queries: list[Asked]


def main() -> None:
    """Build, measure and write the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kit", type=Path)
    parser.add_argument("--hours", type=float, default=10_000)
    parser.add_argument("--profile", choices=PROFILES, default="balanced")
    parser.add_argument("--each", type=int, default=30, help="queries of each condition")
    parser.add_argument("--workers", type=int, default=2, help="processes that build")
    parser.add_argument("--parts", action="store_true", help="leave as many segments as processes")
    parser.add_argument("--measure", action="store_true", help="only ask an index that is there")
    parser.add_argument("--lists", action="store_true", help="only compare the lengths of lists")
    parser.add_argument("--no-row", action="store_true", help="print the figures, write no row")
    options = parser.parse_args()
    params = PROFILES[options.profile]
    options.folder.mkdir(parents=True, exist_ok=True)
    material = read_material(options.folder, options.kit, params)
    where = options.folder / f"index-{options.profile}-{options.hours:g}"
    if not options.measure and not options.lists:
        build(where, params, material, options.hours, options.workers, keep_parts=options.parts)
        subprocess.run([sys.executable, "-m", "bench.scale", *sys.argv[1:], "--measure"], check=True)
        return
    small = options.folder / f"index-{options.profile}-real"
    if not small.exists():
        Index.create(small, params).add(dict(enumerate(material.references.values())))
    names = list(material.references)
    chosen = choose(material.queries, options.each)
    if options.lists:
        print(json.dumps(compare_lists(Index.open(where, params), material), indent=1))
        return
    del material
    figures = measure(where, params, names, chosen)
    alone = ask(Index.open(small, params), names, chosen)
    figures |= {f"real_only_{name}": alone[name] for name in ("right", "answered_ms", "unanswered_ms")}
    command = [sys.executable, "-m", "bench.scale", *sys.argv[1:], "--lists"]
    figures |= json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(json.dumps(figures, indent=1))
    if not options.no_row:
        kind = "kit" if options.kit else "composed songs"
        what = f"{options.profile} index of {options.hours:,.0f} h, {kind}"
        write_row(f"Search at scale: {what}", _told(figures), "≤ 1.2 (fast 0.5) MB/h; ≤ 40 and 200 ms; ≤ 1 point lost")


def read_material(folder: Path, kit: Path | None, params: Params) -> Material:
    """Peaks of the kit's files, or of composed songs, kept in `folder` for the next time."""
    cached = folder / f"material-{'kit' if kit else 'songs'}-{params_hash(params)[:12]}-{params.query_peaks_per_s}.npz"
    if not cached.exists():
        named = list(_kit_peaks(kit, params) if kit else _song_peaks(params))
        columns = {f"{which}_{name}": np.array(values) for which, name, values in _columns(named)}
        np.savez(cached, allow_pickle=False, **columns)
    held = np.load(cached)
    references = _restored(held, "reference")
    asked = _restored(held, "query")
    truth = [json.loads(one) for one in held["query_truth"].tolist()]
    queries = [
        Asked(condition, peaks, track, offset_s)
        for (condition, track, offset_s), peaks in zip(truth, asked.values(), strict=True)
    ]
    return Material(references, queries)


_Named = tuple[Density, str, Peaks, tuple[str, str, float]]


def _kit_peaks(kit: Path, params: Params) -> Iterator[_Named]:
    lists: tuple[tuple[Density, str], ...] = (("reference", "enrol.txt"), ("query", "queries.txt"))
    with (kit / "queries" / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = {row["query"]: row for row in csv.DictReader(file)}
    for dense, name in lists:
        for one in _read_list(kit / "queries" / name):
            pcm, rate = _read_wav(one.path)
            peaks = extract(to_8k(pcm, rate), params, dense=dense)
            row = truth.get(one.name, {"condition": "", "track": "", "offset_s": ""})
            yield dense, one.name, peaks, (row["condition"], row["track"], float(row["offset_s"] or 0))


def _song_peaks(params: Params, enrolled: int = 100, others: int = 20) -> Iterator[_Named]:
    """Composed songs, and excerpts of them: as they are, in noise, and faster; and of songs that are not enrolled."""
    rng = np.random.default_rng(1)
    for number in range(enrolled + others):
        sound = to_8k(render_song(7, number).astype(np.float32) / np.float32(32768), SONG_RATE_HZ)
        if number < enrolled:
            yield "reference", str(number), extract(sound, params, dense="reference"), ("", "", 0.0)
        at = int(rng.uniform(0, len(sound) - 21 * 8000))
        part = sound[at : at + 20 * 8000]
        noise = rng.standard_normal(len(part)).astype(np.float32) * np.float32(np.sqrt(np.mean(part**2)) * 0.56)
        faster = np.interp(np.arange(0, len(part), 1.02), np.arange(len(part)), part).astype(np.float32)
        for condition, heard in (
            ("clean", part),
            ("noise_5", part + noise),
            ("speed+2", faster),
            ("clean@5", part[:40_000]),
        ):
            track = str(number) if number < enrolled else ""
            name = condition if track else f"{NEGATIVE}_{condition}"
            yield "query", f"{name}/{number}", extract(heard, params, dense="query"), (name, track, at / 8000)


def _columns(named: list[_Named]) -> Iterator[tuple[str, str, list[object] | NDArray[np.float32]]]:
    for which in ("reference", "query"):
        part = [one for one in named if one[0] == which]
        yield which, "names", [one[1] for one in part]
        yield which, "truth", [json.dumps(one[3]) for one in part]
        yield which, "counts", [len(one[2]) for one in part]
        yield which, "durations", [one[2].duration_s for one in part]
        for name in ("times_s", "freqs_hz", "levels"):
            yield which, name, np.concatenate([getattr(one[2], name) for one in part])


def _restored(held: "np.lib.npyio.NpzFile", which: str) -> dict[str, Peaks]:
    ends = np.cumsum(held[f"{which}_counts"])
    parts = [np.split(held[f"{which}_{name}"], ends[:-1]) for name in ("times_s", "freqs_hz", "levels")]
    durations = held[f"{which}_durations"].tolist()
    return {
        name: Peaks(times_s, freqs_hz, levels, duration_s)
        for name, times_s, freqs_hz, levels, duration_s in zip(
            held[f"{which}_names"].tolist(), *parts, durations, strict=True
        )
    }


def build(where: Path, params: Params, material: Material, hours: float, workers: int, *, keep_parts: bool) -> None:
    """Make the index, or go on making it, in several processes, and merge it into one segment."""
    if not where.exists():
        parts = [where.with_name(f"{where.name}-part{number}") for number in range(workers)]
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            made = [
                pool.submit(build_part, part, params, material.references, hours / workers, number)
                for number, part in enumerate(parts)
            ]
            for one in made:
                one.result()
        gather(where, parts, params)
    if not keep_parts:
        merge(Index.open(where, params), "all")


def merge(index: Index, name: str) -> None:
    """Merge an index into one segment, if it fits one."""
    if len(index.snapshot.segments) > 1:
        began_s = time.process_time()
        index.compact()
        print(f"{name}: merged in {time.process_time() - began_s:,.0f} s CPU", flush=True)


def build_part(where: Path, params: Params, references: dict[str, Peaks], hours: float, number: int) -> None:
    """Make one part of the index; the first holds the real references."""
    index = Index.open(where, params) if where.exists() else Index.create(where, params)
    pool = list(references.values())
    if not len(index) and number == 0:
        index.add(dict(enumerate(pool)))
    while _hours(index) < hours:
        rng = np.random.default_rng([number, len(index)])
        batch: dict[int, Peaks] = {}
        held_s = 0.0
        wanted_s = 3600 * min(ADD_H, hours - _hours(index))
        while held_s < wanted_s:
            made = synthetic(rng, pool)
            batch[FIRST_SYNTHETIC * (number + 1) + len(index) + len(batch)] = made
            held_s += made.duration_s
        index.add(batch)
        print(f"part {number}: {_hours(index):,.0f} h, {time.process_time():,.0f} s CPU", flush=True)
    merge(index, f"part {number}")


def gather(where: Path, parts: list[Path], params: Params) -> None:
    """Make one index of the segments of several, whose tracks have different numbers."""
    where.mkdir()
    names: list[str] = []
    for part in parts:
        for path in sorted(part.glob("segment-*.fp")):
            names.append(f"segment-{len(names) + 1:08d}.fp")
            path.rename(where / names[-1])
        shutil.rmtree(part)
    write_manifest(where, Manifest(params, 1, len(names) + 1, tuple(Listed(name) for name in names)))


def synthetic(rng: np.random.Generator, pool: list[Peaks]) -> Peaks:
    """A track as long as a random one, of pieces of random tracks, backwards, at another tempo, slightly detuned."""
    wanted_s = pool[rng.integers(len(pool))].duration_s
    detune = rng.uniform(1 - DETUNE, 1 + DETUNE)
    times, freqs = [], []
    at_s = 0.0
    while at_s < wanted_s:
        source = pool[rng.integers(len(pool))]
        length_s = min(rng.uniform(*PIECE_S), source.duration_s)
        from_s = rng.uniform(0, source.duration_s - length_s)
        low, high = np.searchsorted(source.times_s, [from_s, from_s + length_s])
        tempo = rng.uniform(*TEMPO)
        times.append((from_s + length_s - source.times_s[low:high][::-1]) * tempo + at_s)
        freqs.append(source.freqs_hz[low:high][::-1] * detune)
        at_s += length_s * tempo
    times_s, freqs_hz = np.concatenate(times).astype(np.float32), np.concatenate(freqs).astype(np.float32)
    order = np.argsort(times_s, kind="stable")
    order = order[freqs_hz[order] < 3950]
    return Peaks(np.maximum(times_s[order], 0), freqs_hz[order], np.zeros(len(order), np.float32), at_s)


def measure(where: Path, params: Params, names: list[str], chosen: list[Asked]) -> dict[str, float | int | str]:
    """All figures of the index that lies there."""
    anonymous_before = _anonymous_mb()
    began_s = time.perf_counter()
    index = Index.open(where, params)
    open_s = time.perf_counter() - began_s
    hours = _hours(index)
    disk_mb = sum(path.stat().st_size for path in where.iterdir()) / 1e6
    figures: dict[str, float | int | str] = {
        "hours": round(hours, 1),
        "tracks": len(index),
        "segments": len(index.snapshot.segments),
        "mb_per_hour": round(disk_mb / hours, 4),
        "open_s": round(open_s, 3),
        "rss_anon_open_mb": round(_anonymous_mb() - anonymous_before, 1),
    }
    figures |= ask(index, names, chosen)
    figures["rss_anon_mb"] = round(_anonymous_mb(), 1)
    return figures


def choose(queries: list[Asked], each: int) -> list[Asked]:
    """The first few queries of each condition, in memory of their own."""
    asked: dict[str, int] = defaultdict(int)
    chosen = []
    for one in queries:
        asked[one.condition] += 1
        if asked[one.condition] <= each:
            peaks = one.peaks
            own = Peaks(peaks.times_s.copy(), peaks.freqs_hz.copy(), peaks.levels.copy(), peaks.duration_s)
            chosen.append(replace(one, peaks=own))
    return chosen


def compare_lists(index: Index, material: Material) -> dict[str, float]:
    """How long the lists are that queries see, against what the real references lead to expect.

    A query's own track is left out of what is expected: no other hour of the library is like it.
    """
    params = index.params
    numbers = {name: number for number, name in enumerate(material.references)}
    per_track = [_keys(peaks, params, params.reference_fan) for peaks in material.references.values()]
    lengths_s = [peaks.duration_s for peaks in material.references.values()]
    all_keys = np.bincount(np.concatenate(per_track), minlength=params.key_count)
    hours = _hours(index)
    rng = np.random.default_rng(3)
    expected_sum = seen_sum = 0.0
    looked = 0
    expected_lists, seen_lists = [], []
    for at in rng.permutation(len(material.queries)).tolist():
        one = material.queries[at]
        made = _keys(one.peaks, params, params.query_fan)
        expected, rest_s = all_keys[made].astype(np.float64), sum(lengths_s)
        if one.track:
            own = numbers[one.track]
            expected -= np.bincount(per_track[own], minlength=params.key_count)[made]
            rest_s -= lengths_s[own]
        expected *= hours * 3600 / rest_s
        seen = _lengths(index, made)
        expected_sum, seen_sum = expected_sum + expected.sum(), seen_sum + seen.sum()
        expected_lists.append(expected)
        seen_lists.append(seen)
        looked += len(made)
        if looked > MOST_LISTS:
            break
    return {
        "lists_looked_at": looked,
        "list_mean": round(seen_sum / looked, 1),
        "list_mean_expected": round(expected_sum / looked, 1),
        "list_ratio": round(seen_sum / expected_sum, 4),
        "list_median": float(np.median(np.concatenate(seen_lists))),
        "list_median_expected": round(float(np.median(np.concatenate(expected_lists))), 1),
    }


def _keys(peaks: Peaks, params: Params, fan: int) -> NDArray[np.uint32]:
    made = keys(peaks, *pairs(peaks, params, fan), params)
    inside: NDArray[np.uint32] = made[made != NO_KEY]
    return inside


def _lengths(index: Index, made: NDArray[np.uint32]) -> NDArray[np.int64]:
    """How many postings each key has."""
    found = np.zeros(len(made), np.int64)
    for live in index.snapshot.segments:
        postings = live.segment.postings
        source = postings.source
        if postings.key_bits == 0:
            ends = postings.directory[made.astype(np.int64) + 1]
            starts = postings.directory[made]
            heads = postings.words[starts] & np.uint64(0xFFFFFFFF)
            found += np.where(ends > starts, heads, np.uint64(0)).astype(np.int64)
            continue
        room = np.empty(1 << 22, np.uint32)
        for at, key in enumerate(made.tolist()):
            found[at] += read_list(source, bucket_words(source, key >> postings.key_bits), key, 0, room, 0)
    return found


def ask(index: Index, names: list[str], chosen: list[Asked]) -> dict[str, float | int | str]:
    """Ask each query twice, and count the second time."""
    rows = []
    for one in chosen:
        match(index, one.peaks, limit=1)
        began_s = time.process_time()
        best = next(iter(match(index, one.peaks, limit=1)), None)
        cpu_ms = (time.process_time() - began_s) * 1000
        answered = best is not None and best.score >= DEFAULT_THRESHOLD
        told = "" if best is None else names[best.track] if best.track < len(names) else "synthetic"
        rows.append((one, answered, told == one.track, told, cpu_ms))
    right: dict[str, list[bool]] = defaultdict(list)
    for one, answered, is_right, _, _ in rows:
        if one.track:
            right[one.condition].append(answered and is_right)
    long = [row for row in rows if row[0].peaks.duration_s >= LONG_S - 1]
    with_answer = [row[4] for row in long if row[1]]
    without = [row[4] for row in long if not row[1]]
    return {
        "queries": len(rows),
        "right": round(float(np.mean([one for part in right.values() for one in part])), 4),
        "conditions": ", ".join(f"{name} {100 * np.mean(part):.0f}" for name, part in right.items()),
        "wrong_tracks": sum(row[1] and bool(row[0].track) and not row[2] for row in rows),
        "answers_on_negatives": sum(row[1] and not row[0].track for row in rows),
        "answered_ms": round(float(np.median(with_answer)), 1),
        "unanswered_ms": round(float(np.median(without)), 1) if without else 0.0,
        "answered_p95_ms": round(float(np.percentile(with_answer, 95)), 1),
        "unanswered_p95_ms": round(float(np.percentile(without, 95)), 1) if without else 0.0,
    }


def _hours(index: Index) -> float:
    return sum(float(live.segment.lengths[live.alive].sum()) for live in index.snapshot.segments) / 500 / 3600


def _anonymous_mb() -> float:
    status = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) / 1000


def _told(figures: dict[str, Any]) -> str:
    return (
        "{mb_per_hour} MB/h, opened in {open_s} s, RssAnon {rss_anon_mb} MB; lists {list_ratio} of those expected; "
        "right {right:.1%} of {queries} queries (real references alone {real_only_right:.1%}), {wrong_tracks} wrong, "
        "{answers_on_negatives} of nothing; 20 s: {answered_ms} ms with an answer, {unanswered_ms} without "
        "(alone {real_only_answered_ms} and {real_only_unanswered_ms})"
    ).format(**figures)


if __name__ == "__main__":
    main()
