"""Who is recognised under what, how surely, and at what cost: `python -m bench.recognition FOLDER [--kit KIT]`.

Songs composed by `airledger.testing.songs` are enrolled; excerpts of them are distorted as broadcasts are (noise,
talk-over, telephone, speed; codecs and radio processing where `ffmpeg` is installed), and others are asked that are not
enrolled. With `--kit`, a folder with `queries/enrol.txt`, `queries/queries.txt` (name, tab, WAV file) and
`queries/truth.csv` (query, condition, length_s, track, offset_s) is asked instead.

FOLDER keeps the songs and the answers (`answers.csv`). Writes rows of RESULTS.md, and the figure of reliability.
Where `fpcalc` (Chromaprint) is installed, fingerprinting is measured against it, on the same files in the same run.
"""

import argparse
import csv
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from bench import distort
from bench.reliability import Reliability, assess, draw
from bench.results import write_row
from numpy.typing import NDArray

from airledger.audio.resample import to_8k
from airledger.cli.fingerprint import _read_list, _read_wav
from airledger.fingerprint.index import Index
from airledger.fingerprint.match import DEFAULT_THRESHOLD, match
from airledger.fingerprint.params import PROFILES, Params
from airledger.fingerprint.peaks import Peaks, extract
from airledger.fingerprint.warm import warm
from airledger.testing.songs import make_library, read_pcm

FIGURE = Path(__file__).parents[1] / "docs" / "images" / "reliability.svg"
EXCERPT_S = 30
SHORT = ("@10", "@5")


@dataclass(frozen=True, slots=True)
class Heard:
    """One query, its truth, and the answer.

    Attributes:
        query: its name.
        condition: what was done to it; `neg_...` for what is not enrolled.
        truth: the track it is of, empty for none.
        offset_s: where in the track it begins.
        best: the best candidate, whatever its score.
        found_s: where the best candidate begins.
        score: its score.
        cpu_ms: of the match alone.
    """

    query: str
    condition: str
    truth: str
    offset_s: float
    best: str
    found_s: float
    score: float
    cpu_ms: float

    @property
    def is_answer(self) -> bool:
        """Whether it counts as an answer at the default threshold."""
        return self.score >= DEFAULT_THRESHOLD

    @property
    def is_right(self) -> bool:
        """Whether the best candidate is the truth."""
        return bool(self.truth) and self.best == self.truth


@dataclass(frozen=True, slots=True)
class Asked:
    """One query before it is asked."""

    name: str
    condition: str
    truth: str
    offset_s: float
    peaks: Peaks


def main() -> None:
    """Ask, tell, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kit", type=Path)
    parser.add_argument("--profile", choices=PROFILES, default="balanced")
    parser.add_argument("--songs", type=int, default=60, help="how many are composed; a third is not enrolled")
    parser.add_argument("--no-row", action="store_true", help="print the figures, write no row and no figure")
    options = parser.parse_args()
    params = PROFILES[options.profile]
    warm()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.kit:
        references = _kit_references(options.kit, params)
        asked = _kit_queries(options.kit, params)
    else:
        enrolled, others = _composed(options.folder, options.songs)
        references = {path.stem: _peaks(read_pcm(path), 44_100, params, reference=True) for path in enrolled}
        asked = _composed_queries(enrolled, others, params)
    heard, mb_per_h = ask(references, asked, params)
    with (options.folder / "answers.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([field.name for field in fields(Heard)])
        rows.writerows(astuple(one) for one in heard)
    tell(heard)
    found = assess(np.array([one.score for one in heard]), np.array([one.is_right for one in heard]))
    print(f"Brier {found.brier:.5f} (constant {found.constant_brier:.4f})")
    print(f"log loss {found.log_loss:.5f} (constant {found.constant_log_loss:.4f})")
    files = [one.path for one in _read_list(options.kit / "queries" / "enrol.txt")] if options.kit else enrolled
    costs = list(extraction(files[:60]))
    if not options.no_row:
        what = f"{options.profile}, {'kit' if options.kit else 'composed songs'}"
        _write(what, heard, found, mb_per_h)
        for kind, ours, peers in costs:
            write_row(f"Fingerprinting from {kind}, whole process", ours, peers)
        if options.profile == "balanced":
            draw(found, FIGURE, f"Reliability of the score: {what}")


def _composed(folder: Path, songs: int) -> tuple[list[Path], list[Path]]:
    paths = [song.path for song in make_library(folder / "songs", seed=7, songs=songs)]
    return paths[: 2 * songs // 3], paths[2 * songs // 3 :]


def _composed_queries(enrolled: list[Path], others: list[Path], params: Params) -> Iterator[Asked]:
    rng = np.random.default_rng(5)
    for number, path in enumerate(enrolled):
        sound, at_s = _excerpt(path, rng)
        for condition, made in distort.conditions(sound, number):
            yield Asked(f"{condition}/{number:04d}", condition, path.stem, at_s, _peaks(made, 44_100, params))
    for number, path in enumerate(others):
        sound = _excerpt(path, rng)[0][: distort.QUERY_S * distort.RATE_HZ]
        radio, talk = distort.on_air(sound), distort.speech(1000 + number)
        for condition, made in (("neg_music", sound), ("neg_radio", radio), ("neg_speech", talk)):
            yield Asked(f"{condition}/{number:04d}", condition, "", 0.0, _peaks(made, 44_100, params))
    for name, made in distort.artificial():
        yield Asked(f"neg_synth/{name}", "neg_synth", "", 0.0, _peaks(made, 44_100, params))


def _excerpt(path: Path, rng: np.random.Generator) -> tuple[NDArray[np.float32], float]:
    pcm = read_pcm(path).astype(np.float32) / np.float32(32_768)
    at = int(rng.uniform(0, len(pcm) - EXCERPT_S * distort.RATE_HZ))
    return pcm[at : at + EXCERPT_S * distort.RATE_HZ], at / distort.RATE_HZ


def _kit_references(kit: Path, params: Params) -> dict[str, Peaks]:
    listed = _read_list(kit / "queries" / "enrol.txt")
    return {one.name: _peaks(*_read_wav(one.path), params, reference=True) for one in listed}


def _kit_queries(kit: Path, params: Params) -> Iterator[Asked]:
    with (kit / "queries" / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = {row["query"]: row for row in csv.DictReader(file)}
    for one in _read_list(kit / "queries" / "queries.txt"):
        row = truth[one.name]
        peaks = _peaks(*_read_wav(one.path), params)
        yield Asked(one.name, row["condition"], row["track"], float(row["offset_s"] or 0), peaks)


def _peaks(
    pcm: NDArray[np.float32] | NDArray[np.int16], rate: int, params: Params, *, reference: bool = False
) -> Peaks:
    return extract(to_8k(pcm, rate), params, dense="reference" if reference else "query")


def ask(references: dict[str, Peaks], asked: Iterator[Asked], params: Params) -> tuple[list[Heard], float]:
    """Enrol, ask everything, and give the answers and the index's megabytes per hour."""
    names = list(references)
    with tempfile.TemporaryDirectory() as folder, Index.create(Path(folder), params) as index:
        index.add(dict(enumerate(references.values())))
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        heard = []
        for one in asked:
            began_s = time.process_time()
            best = next(iter(match(index, one.peaks, limit=1)), None)
            cpu_ms = 1000 * (time.process_time() - began_s)
            told = ("", 0.0, 0.0) if best is None else (names[best.track], best.offset_s, best.score)
            heard.append(Heard(one.name, one.condition, one.truth, one.offset_s, *told, cpu_ms))
    hours = sum(peaks.duration_s for peaks in references.values()) / 3600
    return heard, size / 1e6 / hours


def tell(heard: list[Heard]) -> None:
    """Print a table by condition."""
    print(f"{'condition':22s} {'n':>4s} {'right %':>8s} {'best %':>7s} {'wrong':>6s} {'<0.1 s %':>9s} {'CPU ms':>7s}")
    for condition in dict.fromkeys(one.condition for one in heard):
        part = [one for one in heard if one.condition == condition]
        right = [one for one in part if one.is_answer and one.is_right]
        wrong = sum(one.is_answer and not one.is_right for one in part)
        near = np.mean([_error_s(one) <= 0.1 for one in right]) if right else np.nan
        best = np.mean([one.is_right for one in part])
        cpu_ms = float(np.median([one.cpu_ms for one in part]))
        shares = f"{100 * len(right) / len(part):8.1f} {100 * best:7.1f} {wrong:6d} {100 * near:9.1f}"
        print(f"{condition:22s} {len(part):4d} {shares} {cpu_ms:7.1f}")


def _error_s(one: Heard) -> float:
    return abs(one.found_s - one.offset_s)


def _write(what: str, heard: list[Heard], found: Reliability, mb_per_h: float) -> None:
    """The rows of RESULTS.md."""
    asked = [one for one in heard if one.truth]
    negatives = [one for one in heard if not one.truth]
    answered = [one for one in asked if one.is_answer]
    errors_s = np.array([_error_s(one) for one in answered if one.is_right])
    for length, suffix in (("20 s", ""), ("10 s", "@10"), ("5 s", "@5")):
        part = [one for one in asked if _suffix(one) == suffix]
        if part:
            worst = min((_recall(part, name), name) for name in {one.condition for one in part})
            share = 100 * np.mean([one.is_answer and one.is_right for one in part])
            wrong = sum(one.is_answer and not one.is_right for one in part)
            figure = f"{share:.1f}% right, worst {worst[1]} {100 * worst[0]:.1f}%, {wrong} wrong of {len(part)}"
            write_row(f"Recognition of {length} ({what})", figure, "≥ 99% of 20 s; nothing wrong")
    false = sum(one.is_answer for one in negatives)
    write_row(f"What is not enrolled ({what})", f"{false} answers to {len(negatives)} queries", "0")
    near = [100 * np.mean(errors_s <= limit_s) for limit_s in (0.1, 0.5)]
    write_row(
        f"Place in the track ({what})",
        f"median error {1000 * np.median(errors_s):.1f} ms, {near[0]:.1f}% within 0.1 s, {near[1]:.1f}% within 0.5 s",
        "30 ms, 97%, 99%",
    )
    write_row(
        f"Score as a probability ({what})",
        f"Brier {found.brier:.4f}, log loss {found.log_loss:.4f}",
        f"{found.constant_brier:.4f} and {found.constant_log_loss:.4f} for a constant",
    )
    timed = [
        f"{np.median([one.cpu_ms for one in part]):.1f} ms {name}"
        for name, part in (("with an answer", answered), ("without", [one for one in negatives if not one.is_answer]))
    ]
    write_row(f"CPU of a match ({what}, {mb_per_h:.2f} MB/h)", ", ".join(timed), "10 and 30 ms at 10 h")


def _suffix(one: Heard) -> str:
    return next((short for short in SHORT if one.condition.endswith(short)), "")


def _recall(part: list[Heard], condition: str) -> float:
    return float(np.mean([one.is_answer and one.is_right for one in part if one.condition == condition]))


def extraction(files: list[Path]) -> Iterator[tuple[str, str, str]]:
    """What fingerprinting costs from WAV and from MP3, all processes counted: (kind, ours, against the peer)."""
    with tempfile.TemporaryDirectory() as folder:
        wavs = [_as_wav(path, Path(folder, f"{number}.wav")) for number, path in enumerate(files)]
        kinds = {"WAV": wavs}
        if shutil.which("ffmpeg"):
            kinds["MP3"] = [_as_mp3(path, Path(folder)) for path in wavs]
        sound_s = sum(_read_wav(path)[0].size / _read_wav(path)[1] for path in wavs)
        for kind, paths in kinds.items():
            once_s, twice_s = (_enrol_s(Path(folder, f"{kind}-{times}"), paths * times) for times in (1, 2))
            more = f"{1000 * (twice_s - once_s) / sound_s:.2f} ms for more of the same"
            ours = f"{1000 * once_s / sound_s:.2f} ms of CPU per second of sound, start-up included; {more}"
            against = "fpcalc is not installed"
            if shutil.which("fpcalc"):
                peer_s = sum(_cpu_s(["fpcalc", "-raw", "-length", "0", str(path)]) for path in paths)
                ratios = f"{once_s / peer_s:.2f} and {(twice_s - once_s) / peer_s:.2f} × fpcalc"
                against = f"{ratios} ({1000 * peer_s / sound_s:.2f} ms), {len(paths)} files"
            print(kind, ours, against)
            yield kind, ours, against


def _enrol_s(where: Path, paths: list[Path]) -> float:
    """CPU time to enrol files, all processes counted."""
    where.mkdir()
    listing, index = where / "list.txt", where / "index"
    listing.write_text("".join(f"{number}\t{path}\n" for number, path in enumerate(paths)), encoding="utf-8")
    spent_s = _cpu_s([sys.executable, "-m", "airledger", "fingerprint", "enrol", str(listing), str(index)])
    if not index.exists():
        raise SystemExit(f"Nothing was enrolled from {listing}.")
    return spent_s


def _as_wav(path: Path, wav: Path) -> Path:
    if path.suffix == ".wav":
        return path
    with wave.open(str(wav), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(read_pcm(path).tobytes())
    return wav


def _as_mp3(path: Path, folder: Path) -> Path:
    made = folder / f"{path.stem}.mp3"
    ffmpeg = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(path), "-b:a", "128k", "-ac", "2", str(made)]
    subprocess.run(ffmpeg, check=True)
    return made


def _cpu_s(command: list[str]) -> float:
    """CPU time of a command and its children; its exit status tells nothing: fpcalc calls a file's end an error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
