"""How surely streams of one programme are told from others by their sound: `python -m bench.same_sound FOLDER`.

Programmes are made of music and talk (`--music` and `--talk` name folders with real recordings; else the demo's own
songs and announcer), sent in several ways and imitated in several (`same_sound_material`). Every two sendings of a
programme are a pair, all else is none. FOLDER keeps the peaks, so a second run only judges; `--scale N` measures what
finding candidates among N streams costs instead. Writes rows of RESULTS.md.
"""

import argparse
import pickle
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from bench.results import write_row
from bench.same_sound_material import LOOK_S, Records, Sent, artificial, sendings

from airledger.fingerprint.alike import Placed, alike
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.same_sound import Sameness, peaks_same
from airledger.testing.songs import make_library

LEAST_MUSIC_BYTES = 700_000
LEAST_TALK_BYTES = 60_000
THRESHOLD = 0.5
MOST_OTHERS = 2_000
START_S = 1_000.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Two sendings, the truth, and what was found."""

    one: Sent
    other: Sent
    is_pair: bool
    found: Sameness
    cpu_ms: float

    @property
    def kind(self) -> str:
        """What the two have in common."""
        kinds = {self.one.kind, self.other.kind} - {"sent"}
        if self.one.programme != self.other.programme:
            return "artificial" if "artificial" in kinds else "other programmes"
        return next(iter(kinds), "one programme")

    @property
    def is_right(self) -> bool:
        """Whether the verdict at the threshold is the truth, and the delay with it."""
        said = self.found.probability >= THRESHOLD
        if not (said and self.is_pair):
            return said == self.is_pair
        wanted_s = self.other.delay_s - self.one.delay_s
        return abs((self.found.delay_s or 0.0) - wanted_s) < 0.5


def main() -> None:
    """Make, judge, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--music", type=Path, help="folder with music (.ogg, .mp3, .flac)")
    parser.add_argument("--talk", type=Path, help="folder with recorded speech (.wav)")
    parser.add_argument("--programmes", type=int, default=6)
    parser.add_argument("--scale", type=int, help="measure candidates among so many streams")
    parser.add_argument("--no-row", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    sent = list(_made(options.folder, options.music, options.talk, options.programmes))
    if options.scale:
        _scale(sent, options.scale, is_written=not options.no_row)
        return
    judged = judge(sent)
    right, wrong = tell(judged)
    if not options.no_row:
        what = "real music and speech" if options.music else "composed songs, made speech"
        write_row(f"One programme by its sound, one look of {LOOK_S:.0f} s ({what})", right, wrong)


def _made(folder: Path, music: Path | None, talk: Path | None, programmes: int) -> Sequence[Sent]:
    """All sendings; what was made before is read."""
    records = None
    sent: list[Sent] = []
    for number in range(-1, programmes):
        kept = folder / f"programme-{number}.pickle"
        if not kept.exists():
            records = records or Records(*_files(folder, music, talk))
            fresh = list(artificial() if number < 0 else sendings(records, number))
            kept.write_bytes(pickle.dumps(fresh))
            print(f"made {kept.name}", flush=True)
        sent += pickle.loads(kept.read_bytes())  # noqa: S301  # this bench wrote it
    return sent


def _files(folder: Path, music: Path | None, talk: Path | None) -> tuple[list[Path], list[Path]]:
    if music is None:
        return [song.path for song in make_library(folder / "songs", seed=9, songs=60)], []
    kinds = {".ogg", ".mp3", ".flac"}
    songs = [one for one in sorted(music.rglob("*")) if one.suffix in kinds and one.stat().st_size > LEAST_MUSIC_BYTES]
    spoken = sorted(talk.rglob("*.wav")) if talk else []
    return songs, [one for one in spoken if one.stat().st_size > LEAST_TALK_BYTES]


def judge(sent: Sequence[Sent]) -> list[Judged]:
    """Judge all pairs, all imitations against what they imitate, and some thousands of others."""
    pairs = list(combinations(sent, 2))
    near = [pair for pair in pairs if pair[0].programme == pair[1].programme and "sent" in (pair[0].kind, pair[1].kind)]
    far = [pair for pair in pairs if pair[0].programme != pair[1].programme]
    chance = np.random.default_rng(1)
    chosen = chance.permutation(len(far))[:MOST_OTHERS]
    peaks_same(sent[0].peaks, sent[1].peaks)  # compiled before anything is measured
    judged = []
    for one, other in [*near, *(far[at] for at in chosen)]:
        began_s = time.process_time()
        found = peaks_same(one.peaks, other.peaks)
        cpu_ms = 1000 * (time.process_time() - began_s)
        is_pair = one.programme == other.programme and one.kind == other.kind == "sent"
        judged.append(Judged(one, other, is_pair, found, cpu_ms))
    return judged


def tell(judged: Sequence[Judged]) -> tuple[str, str]:
    """Print a table by what two have in common, and what was judged wrongly; the figure and the bar."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.kind].append(one)
    print(f"{'in common':20s} {'n':>5s} {'said same':>9s} {'related':>8s} {'wrong':>6s} {'p 5..95 %':>16s}")
    for kind, group in groups.items():
        said = sum(one.found.probability >= THRESHOLD for one in group)
        related = sum(one.found.is_related for one in group)
        wrong = sum(not one.is_right for one in group)
        low, high = np.percentile([one.found.probability for one in group], [5, 95])
        print(f"{kind:20s} {len(group):5d} {said:9d} {related:8d} {wrong:6d} {low:8.4f}{high:8.4f}")
    for one in judged:
        if not one.is_right:
            print(f"wrong: {one.kind}: {one.one.how} | {one.other.how}: {one.found}")
    pairs = [one for one in judged if one.is_pair]
    others = [one for one in judged if not one.is_pair]
    true = sum(one.is_right for one in pairs)
    false = sum(not one.is_right for one in others)
    recall = true / len(pairs)
    misplaced = sum(one.found.probability >= THRESHOLD and not one.is_right for one in pairs)
    precision = true / max(1, true + false + misplaced)
    cpu_ms = float(np.mean([one.cpu_ms for one in judged]))
    print(Counter(one.kind for one in others))
    figure = f"precision {precision:.1%}, recall {recall:.1%} of {len(pairs)} pairs among {len(others)} that are none"
    return f"{figure}; {cpu_ms:.1f} ms of CPU a pair", "≥ 99 %, ≥ 95 %; 200 pairs, 2,000 others"


def _scale(sent: Sequence[Sent], streams: int, *, is_written: bool) -> None:
    """Candidates among many streams: those that were made, and as many variations of them as it takes."""
    chance = np.random.default_rng(2)
    real = [one for one in sent if one.kind == "sent"]
    placed = [Placed(one.peaks, START_S) for one in real]
    while len(placed) < streams:
        placed.append(Placed(_another(real[int(chance.integers(len(real)))].peaks, chance), START_S))
    alike(placed[:50])
    began_s, wall_s = time.process_time(), time.perf_counter()
    found = set(alike(placed))
    cpu_s, wall_s = time.process_time() - began_s, time.perf_counter() - wall_s
    wanted = {(a, b) for a, b in combinations(range(len(real)), 2) if real[a].programme == real[b].programme}
    recall = len(found & wanted) / len(wanted)
    figure = f"{cpu_s:.1f} s of CPU, {len(found)} candidates, {recall:.1%} of {len(wanted)} pairs among them"
    print(figure, f"({wall_s:.1f} s)")
    if is_written:
        every = streams * (streams - 1) // 2
        write_row(f"Candidates of one programme among {streams} streams", figure, f"{every} pairs if all were compared")


def _another(peaks: Peaks, chance: np.random.Generator) -> Peaks:
    """Peaks as frequent as in real music, of nothing on air: transposed, stretched, and cut at another place."""
    pitch, speed = chance.choice([0.72, 0.84, 1.19, 1.27]), chance.choice([0.78, 0.9, 1.15, 1.3])
    times_s = (peaks.times_s / speed + chance.uniform(0, LOOK_S)) % LOOK_S
    freqs_hz = peaks.freqs_hz * pitch + chance.normal(0, 4, len(peaks))
    fits = (freqs_hz > 120) & (freqs_hz < 3_900)
    order = np.argsort(times_s[fits])
    times, freqs, levels = (column[fits][order].astype(np.float32) for column in (times_s, freqs_hz, peaks.levels))
    return Peaks(times, freqs, levels, LOOK_S)


if __name__ == "__main__":
    main()
