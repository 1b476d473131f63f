"""A station's logger: a planned programme as sound files of an hour each, and the truth beside them.

What goes on air passes a radio chain (compressor, equaliser, limiter) and an MP3 encoder, as a real aircheck does.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from airledger.testing.pcm import SONG_RATE_HZ, Pcm, Pcm16
from airledger.testing.playout import audible, contribution
from airledger.testing.rotation import faded_into
from airledger.testing.truth import AiredPlay, StationClock, TruthWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airledger.testing.programme import Element, Take

RADIO = (
    "highpass=f=40,bass=g=3:f=90,equalizer=f=3200:t=q:w=1:g=3,treble=g=3:f=8000,"
    "acompressor=threshold=0.06:ratio=6:attack=5:release=80:makeup=4,alimiter=limit=0.8:attack=2:release=40,"
    "lowpass=f=15000"
)
"""The recognition kit's radio processing."""
BLOCK = 60 * SONG_RATE_HZ
LOUDEST = np.float32(0.98)
NAME = "%Y-%m-%d_%H-%M-%S.mp3"


@dataclass(frozen=True)
class LoggerFiles:
    """Where and how a logger writes.

    Attributes:
        folder: For the files and ``truth.jsonl``.
        station: The station's key in the truth.
        began: When the first sample was aired; UTC, a whole second.
        hour_s: Length of one file.
        ffmpeg: The program.
        filters: The radio chain; empty for none.
    """

    folder: Path
    station: str
    began: datetime
    hour_s: int = 3_600
    ffmpeg: str = "ffmpeg"
    filters: str = RADIO
    bitrate_kbps: int = 128

    def clock(self) -> StationClock:
        """The station's clock in the truth."""
        epoch_s = self.began.timestamp()
        return StationClock(self.station, "logger", self.station, "", SONG_RATE_HZ, epoch_s, 1.0)


def write_programme(
    files: LoggerFiles, elements: Iterator[Element], seconds: int, sound_of: Callable[[Take], Pcm16]
) -> list[Path]:
    """Air a programme into files; those that are there already are kept, so an interrupted run goes on.

    Args:
        files: Where to.
        elements: The plan, `plan_rotation`'s for example, endless.
        seconds: How long the station is on air.
        sound_of: Gives a take's int16 sound at 44.1 kHz.

    Returns:
        The files in order of time.
    """
    files.folder.mkdir(parents=True, exist_ok=True)
    end = seconds * SONG_RATE_HZ
    planned = faded_into(list(takewhile(lambda one: one.start < end, elements)))
    _write_truth(files, planned, end, sound_of)
    hour = files.hour_s * SONG_RATE_HZ
    cuts = [*range(0, end, hour), end]
    return [_write_hour(files, planned, first, last, sound_of) for first, last in pairwise(cuts)]


def _write_truth(files: LoggerFiles, planned: Sequence[Element], end: int, sound_of: Callable[[Take], Pcm16]) -> None:
    (files.folder / "truth.jsonl").unlink(missing_ok=True)
    clock = files.clock()
    writer = TruthWriter(files.folder)
    writer.stations([clock])
    for one in planned:
        heard = audible(one, sound_of(one.take))
        if heard is None or heard.first >= end:
            continue
        name, _, into = one.take.name.partition("@")
        begin = int(into or 0)
        last = min(heard.last, end - 1)
        play = AiredPlay(
            clock=clock,
            kind=one.take.kind,
            recording=name,
            title=name,
            number=one.number,
            start=one.start,
            end=min(one.end, end),
            first=heard.first,
            last=last,
            speed=one.speed,
            reference_start=begin,
            reference_end=begin + one.reference_end,
        )
        writer.aired(play)
    writer.stopped(clock.run, clock.time_of(end))
    writer.close()


def _write_hour(
    files: LoggerFiles, planned: Sequence[Element], first: int, last: int, sound_of: Callable[[Take], Pcm16]
) -> Path:
    moment = datetime.fromtimestamp(files.began.timestamp() + first / SONG_RATE_HZ, UTC)
    path = files.folder / moment.strftime(NAME)
    if path.exists():
        return path
    partial = path.with_suffix(".part")
    command = [files.ffmpeg, "-v", "error", "-nostdin", "-y", "-f", "f32le", "-ar", str(SONG_RATE_HZ), "-ac", "1"]
    command += ["-i", "pipe:0", *(["-af", files.filters] if files.filters else [])]
    command += ["-c:a", "libmp3lame", "-b:a", f"{files.bitrate_kbps}k", "-write_xing", "0", "-f", "mp3", str(partial)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:  # noqa: S603  our own words
        if encoder.stdin is None:
            raise ValueError("the encoder has no input")
        for start in range(first, last, BLOCK):
            encoder.stdin.write(_render(planned, start, min(start + BLOCK, last), sound_of).tobytes())
        encoder.stdin.close()
    if encoder.returncode:
        raise RuntimeError(f"the encoder failed ({encoder.returncode})")
    partial.rename(path)
    return path


def _render(planned: Sequence[Element], start: int, end: int, sound_of: Callable[[Take], Pcm16]) -> Pcm:
    block = np.zeros(end - start, dtype=np.float32)
    for one in planned:
        low, high = max(start, one.start), min(end, one.end)
        if low < high:
            block[low - start : high - start] += contribution(one, sound_of(one.take), low, high)
    return np.clip(block, -LOUDEST, LOUDEST, out=block)
