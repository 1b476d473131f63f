"""Hold a log of plays against the truth. Pure: values in, a report out.

Rules, all in sample positions of the station:

* Songs are judged that were audible for at least 15 s, wholly inside one span in which we listened to that station.
  Shorter airings are counted apart.
* A song is **found** when heard plays of the same recording cover at least half of its audible length.
* A heard play is **false** when less than half of its length lies on airings of the same recording (any airing, also
  one cut by the span's edge or too short to be judged), or when its station never was on air.
* Start error is the heard start less the first audible sample, of the earliest heard play on that airing; end error
  the same with the last one. Given as absolute seconds (p50, p95) and as signed median.
* **Split**: each further heard play of the same recording on one airing. **Merge**: each further airing under one
  heard play, where the two share at least 15 s.
* Seconds: precision is the share of the seconds heard that were right, recall the share of the seconds aired that were
  heard, both inside the listened spans.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airledger.testing.truth import AiredPlay

SHORTEST_JUDGED_S = 15.0
FOUND_SHARE = 0.5
MERGE_S = 15.0


@dataclass(frozen=True)
class HeardPlay:
    """A play as somebody logged it: the station's key, the recording's ISRC, start and end in epoch seconds."""

    station: str
    recording: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Listened:
    """A span, epoch seconds, in which a station was heard without a gap."""

    station: str
    from_s: float
    to_s: float


@dataclass(frozen=True)
class ScoreReport:
    """The result; errors in seconds, shares 0..1 (None where there was nothing to judge)."""

    aired: int
    found: int
    recall: float | None
    aired_fast: int
    found_fast: int
    recall_fast: float | None
    short_aired: int
    short_found: int
    heard: int
    false_plays: int
    start_error_p50_s: float | None
    start_error_p95_s: float | None
    start_bias_s: float | None
    end_error_p50_s: float | None
    end_error_p95_s: float | None
    end_bias_s: float | None
    splits_per_100: float | None
    merges_per_100: float | None
    seconds_precision: float | None
    seconds_recall: float | None
    missed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the report as plain values for `json.dumps`."""
        return asdict(self)


@dataclass(frozen=True)
class _Placed:
    """A heard play on the clock of one airing's station: sample positions, end exclusive."""

    start: float
    end: float
    play: HeardPlay


def score(truth: Sequence[AiredPlay], plays: Sequence[HeardPlay], window: Sequence[Listened]) -> ScoreReport:
    """Judge a log.

    Args:
        truth: what was aired, of one run or several; only kind "song" is judged.
        plays: what was logged.
        window: where it was listened. Heard plays outside all spans of their station are left out.

    Returns:
        The report. Every airing missed and every false play is named in it.
    """
    songs = [play for play in truth if play.kind == "song"]
    heard = [play for play in plays if any(_touches(play, span) for span in window if span.station == play.station)]
    whole = [song for song in songs if any(_contains(span, song) for span in window)]
    judged = [song for song in whole if song.audible_s >= SHORTEST_JUDGED_S]
    short = [song for song in whole if song.audible_s < SHORTEST_JUDGED_S]
    on = _attributed(songs, heard)
    found = [song for song in judged if _is_found(song, on[id(song)])]
    fast = [song for song in judged if song.speed != 1.0]
    fast_found = [song for song in found if song.speed != 1.0]
    starts = [(min(p.start for p in on[id(s)]) - s.first) / s.clock.rate_hz for s in found]
    ends = [(max(p.end for p in on[id(s)]) - (s.last + 1)) / s.clock.rate_hz for s in found]
    false = [play for play in heard if not _is_right(play, songs)]
    splits = sum(len(on[id(song)]) - 1 for song in found)
    precision, recall_s = _seconds(songs, heard, window)
    return ScoreReport(
        aired=len(judged),
        found=len(found),
        recall=_share(len(found), len(judged)),
        aired_fast=len(fast),
        found_fast=len(fast_found),
        recall_fast=_share(len(fast_found), len(fast)),
        short_aired=len(short),
        short_found=sum(_is_found(song, on[id(song)]) for song in short),
        heard=len(heard),
        false_plays=len(false),
        start_error_p50_s=_quantile(np.abs(starts), 50),
        start_error_p95_s=_quantile(np.abs(starts), 95),
        start_bias_s=_quantile(starts, 50),
        end_error_p50_s=_quantile(np.abs(ends), 50),
        end_error_p95_s=_quantile(np.abs(ends), 95),
        end_bias_s=_quantile(ends, 50),
        splits_per_100=_per_100(splits, len(judged)),
        merges_per_100=_per_100(_merges(judged, on), len(judged)),
        seconds_precision=precision,
        seconds_recall=recall_s,
        missed=tuple(
            f"{s.clock.station} {s.recording} at {s.clock.time_of(s.first):.1f}" for s in judged if s not in found
        ),
        wrong=tuple(f"{p.station} {p.recording} at {p.start_s:.1f}" for p in false),
    )


def _touches(play: HeardPlay, span: Listened) -> bool:
    return play.start_s < span.to_s and play.end_s > span.from_s


def _contains(span: Listened, song: AiredPlay) -> bool:
    if span.station != song.clock.station:
        return False
    return song.clock.time_of(song.first) >= span.from_s and song.clock.time_of(song.last + 1) <= span.to_s


def _attributed(songs: Sequence[AiredPlay], heard: Sequence[HeardPlay]) -> dict[int, list[_Placed]]:
    """Give to each airing (by its id) the heard plays that belong to it, placed on its clock.

    A heard play belongs to the airing that it shares most with, and to every other one that it shares 15 s with: an
    end that is a little off must not make the play before the neighbour's.
    """
    on: dict[int, list[_Placed]] = {id(song): [] for song in songs}
    for play in heard:
        shared = [
            (_shared_s(song, placed), song, placed)
            for song in songs
            if song.clock.station == play.station and song.recording == play.recording
            for placed in [_placed(song, play)]
        ]
        most = max((seconds for seconds, _, _ in shared), default=0.0)
        for seconds, song, placed in shared:
            if seconds > 0 and (seconds == most or seconds >= MERGE_S):
                on[id(song)].append(placed)
    return on


def _placed(song: AiredPlay, play: HeardPlay) -> _Placed:
    return _Placed(song.clock.position_at(play.start_s), song.clock.position_at(play.end_s), play)


def _shared_s(song: AiredPlay, placed: _Placed) -> float:
    return (min(placed.end, song.last + 1) - max(placed.start, song.first)) / song.clock.rate_hz


def _is_found(song: AiredPlay, on: Sequence[_Placed]) -> bool:
    covered = _union([(max(p.start, song.first), min(p.end, song.last + 1)) for p in on])
    return covered >= FOUND_SHARE * (song.last + 1 - song.first)


def _is_right(play: HeardPlay, songs: Sequence[AiredPlay]) -> bool:
    same = [s for s in songs if s.clock.station == play.station and s.recording == play.recording]
    spans = [(s.clock.time_of(s.first), s.clock.time_of(s.last + 1)) for s in same]
    on_air = _union([(max(a, play.start_s), min(b, play.end_s)) for a, b in spans])
    return on_air > 0 and on_air >= FOUND_SHARE * (play.end_s - play.start_s)


def _merges(judged: Sequence[AiredPlay], on: Mapping[int, Sequence[_Placed]]) -> int:
    airings_under: dict[HeardPlay, int] = {}
    for song in judged:
        for placed in on[id(song)]:
            if _shared_s(song, placed) >= MERGE_S:
                airings_under[placed.play] = airings_under.get(placed.play, 0) + 1
    return sum(count - 1 for count in airings_under.values())


def _seconds(
    songs: Sequence[AiredPlay], heard: Sequence[HeardPlay], window: Sequence[Listened]
) -> tuple[float | None, float | None]:
    """Give precision and recall in seconds, each recording of each station by itself."""
    aired_s = heard_s = both_s = 0.0
    for station, recording in {(s.clock.station, s.recording) for s in songs} | {
        (p.station, p.recording) for p in heard
    }:
        aired = [
            (s.clock.time_of(s.first), s.clock.time_of(s.last + 1))
            for s in songs
            if (s.clock.station, s.recording) == (station, recording)
        ]
        logged = [(p.start_s, p.end_s) for p in heard if (p.station, p.recording) == (station, recording)]
        spans = [(w.from_s, w.to_s) for w in window if w.station == station]
        aired, logged = _common(aired, spans), _common(logged, spans)
        aired_s, heard_s = aired_s + _union(aired), heard_s + _union(logged)
        both_s += _union(_common(aired, logged))
    return _share(both_s, heard_s), _share(both_s, aired_s)


def _common(ones: list[tuple[float, float]], others: list[tuple[float, float]]) -> list[tuple[float, float]]:
    pairs = ((max(a, c), min(b, d)) for a, b in ones for c, d in others)
    return [(low, high) for low, high in pairs if low < high]


def _union(spans: list[tuple[float, float]]) -> float:
    """Measure the length of the union of spans; empty ones count nothing."""
    total, reached = 0.0, -np.inf
    for low, high in sorted(spans):
        total += max(0.0, high - max(low, reached))
        reached = max(reached, high)
    return total


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _per_100(count: int, whole: int) -> float | None:
    return 100.0 * count / whole if whole else None


def _quantile(values: Any, percent: float) -> float | None:
    return float(np.percentile(values, percent)) if len(values) else None


@dataclass(frozen=True)
class SeenStation:
    """What was concluded about a station: its state, the cause of failure (or empty), warnings beside it."""

    state: str
    cause: str = ""
    warnings: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class BadStation:
    """One bad station in the report: what must be seen, what was seen, whether that is right."""

    station: str
    expected: str
    seen: str
    right: bool


WARNING_CAUSES = frozenset({"false_bitrate"})
"""Causes that are warnings: the station plays, and says something untrue about itself."""


def judge_bad_stations(expected: Mapping[str, str], seen: Mapping[str, SeenStation]) -> list[BadStation]:
    """Compare causes.

    Args:
        expected: station key to expected cause, the bad ones only.
        seen: what was concluded, for those that were looked at.

    Returns:
        One row per bad station, in order of their keys. A cause that is a warning needs state "playing" as well.
    """
    report = []
    for station, cause in sorted(expected.items()):
        found = seen.get(station, SeenStation("unseen"))
        if cause in WARNING_CAUSES:
            right = found.state == "playing" and cause in found.warnings
        else:
            right = found.state != "playing" and found.cause == cause
        said = " ".join([found.state, found.cause, *sorted(found.warnings)])
        report.append(BadStation(station, cause, " ".join(said.split()), right))
    return report
