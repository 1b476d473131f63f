"""The truth about what was aired: one JSON object per line in ``truth.jsonl``, appended as it happens.

Rows: ``{"row": "station", ...}`` once per station and run of the transmitter, ``{"row": "aired", ...}`` when an element
begins (with its planned end), ``{"row": "alive", ...}`` every few seconds, ``{"row": "stopped", ...}`` when a run ends
cleanly. A line cut off by a crash is skipped by the reader, and what a run had planned beyond its end is cut there.
Positions are sample positions of the station, 0 at the run's epoch.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TRUTH_FILE = "truth.jsonl"


@dataclass(frozen=True)
class StationClock:
    """A station in one run of the transmitter, and its clock.

    At wall time t its live edge is sample ``(t - epoch_s) * rate_hz * speed``. ``expected_cause`` is empty for a good
    station, else the cause by which it must be recognised as bad. ``url`` is the one that the directories publish.
    """

    station: str
    run: str
    name: str
    url: str
    rate_hz: int
    epoch_s: float
    speed: float
    expected_cause: str = ""

    def position_at(self, at_s: float) -> float:
        """Map wall time (epoch seconds) to a sample position of this station."""
        return (at_s - self.epoch_s) * self.rate_hz * self.speed

    def time_of(self, position: float) -> float:
        """Map a sample position of this station to wall time (epoch seconds)."""
        return self.epoch_s + position / (self.rate_hz * self.speed)


@dataclass(frozen=True)
class AiredPlay:
    """One thing aired.

    ``recording`` is the ISRC of a song, else the name of the jingle or voice; ``first``/``last`` are the first and last
    audible sample (station positions, inclusive; see `airledger.testing.playout.Audible`); ``start``/``end`` are the
    element's own bounds, end exclusive. ``reference_start``/``reference_end`` are samples of the recording (44.1 kHz).
    """

    clock: StationClock
    kind: str
    recording: str
    title: str
    number: int
    start: int
    end: int
    first: int
    last: int
    speed: float
    reference_start: int
    reference_end: int

    @property
    def audible_s(self) -> float:
        """How long it can be heard, in seconds of the station's time."""
        return (self.last + 1 - self.first) / self.clock.rate_hz


@dataclass(frozen=True)
class Truth:
    """All that the file says.

    ``stations`` of each run, ``plays`` that they aired, ``stopped_s`` by run: when it ended cleanly, epoch seconds.
    """

    stations: tuple[StationClock, ...]
    plays: tuple[AiredPlay, ...]
    stopped_s: dict[str, float]

    def songs(self) -> list[AiredPlay]:
        """Give the songs only."""
        return [play for play in self.plays if play.kind == "song"]

    def talk_over(self, song: AiredPlay) -> list[tuple[int, int]]:
        """Give the spans (station positions, end exclusive) of a song that somebody talks over."""
        voices = (p for p in self.plays if p.kind == "voice" and p.clock == song.clock)
        spans = ((max(song.start, v.start), min(song.end, v.end)) for v in voices)
        return [(low, high) for low, high in spans if low < high]

    def station_by_url(self) -> dict[str, str]:
        """Map each published URL to the station's key."""
        return {clock.url: clock.station for clock in self.stations}


class TruthWriter:
    """Append rows to ``truth.jsonl`` in a folder; thread-safe, each row is flushed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / TRUTH_FILE
        broken_line = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        if broken_line:
            self._file.write("\n")

    def stations(self, clocks: Iterable[StationClock]) -> None:
        """Write the heads of a run."""
        self._write([{"row": "station", **asdict(clock)} for clock in clocks])

    def aired(self, play: AiredPlay) -> None:
        """Write one thing aired."""
        row = asdict(play)
        del row["clock"]
        self._write([{"row": "aired", "station": play.clock.station, "run": play.clock.run, **row}])

    def alive(self, run: str, at_s: float) -> None:
        """Write that a run is still on air."""
        self._write([{"row": "alive", "run": run, "at_s": at_s}])

    def stopped(self, run: str, at_s: float) -> None:
        """Write that a run ended: nothing planned later than this was aired."""
        self._write([{"row": "stopped", "run": run, "at_s": at_s}])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _write(self, rows: list[dict[str, Any]]) -> None:
        with self._lock:
            self._file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            self._file.flush()


def read_truth(folder: Path) -> Truth:
    """Read ``truth.jsonl`` of a folder.

    Raises:
        FileNotFoundError: no transmitter has written there.
    """
    clocks: dict[tuple[str, str], StationClock] = {}
    plays: list[AiredPlay] = []
    stopped: dict[str, float] = {}
    alive: dict[str, float] = {}
    for line in (folder / TRUTH_FILE).read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # the line being written when a transmitter was killed
        kind = row.pop("row")
        if kind == "station":
            clock = StationClock(**row)
            clocks[clock.station, clock.run] = clock
            alive.setdefault(clock.run, clock.epoch_s)
        elif kind == "aired":
            plays.append(AiredPlay(clock=clocks[row.pop("station"), row.pop("run")], **row))
        elif kind == "alive":
            alive[row["run"]] = row["at_s"]
        elif kind == "stopped":
            stopped[row["run"]] = row["at_s"]
    # The newest run may be on air still; one before it that did not stop cleanly was killed soon after it last said so.
    ends_s = {run: at_s for run, at_s in alive.items() if run != list(alive)[-1]} | stopped
    cut = (_cut(play, ends_s.get(play.clock.run)) for play in plays)
    return Truth(tuple(clocks.values()), tuple(play for play in cut if play is not None), stopped)


def _cut(play: AiredPlay, end_s: float | None) -> AiredPlay | None:
    """Cut off what was planned beyond the end of the run; None if nothing audible is left."""
    end = play.end if end_s is None else int(play.clock.position_at(end_s))
    if end >= play.end:
        return play
    if end <= play.first:
        return None
    reference_end = play.reference_start + round((end - play.start) * play.speed)
    return replace(play, end=end, last=min(play.last, end - 1), reference_end=min(play.reference_end, reference_end))
