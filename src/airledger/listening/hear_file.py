"""Hearing a file as a station is heard: windows, recognition, tracker, in the file's own time."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from airledger.listening.tracker import Hypothesis, TrackerParams, TrackerState, Window, close_all, track
from airledger.recognition.decode import decode_file
from airledger.recognition.identify import identify
from airledger.recognition.library_index import LibraryIndex

RATE_HZ = 8_000
WINDOW_S, HOP_S = 10.0, 5.0
LEAST_S = 3.0
SHORT_FILE = TrackerParams(minimum_play_s=0.0, votes=1)


@dataclass(frozen=True)
class HeardInFile:
    """A recording found in a file; times in seconds of the file, the reference's in its own."""

    recording_id: UUID
    start_s: float
    end_s: float
    reference_start_s: float
    speed: float
    score: float


def hear_file(library: LibraryIndex, file: Path) -> list[HeardInFile]:
    """Find the library's recordings in a file of any length, in order of time.

    Raises:
        MediaError: The file cannot be decoded.
    """
    decoded = decode_file(file)
    is_short = decoded.duration_s < 2 * WINDOW_S
    params = SHORT_FILE if is_short else TrackerParams()
    state = TrackerState()
    last: dict[UUID, Hypothesis] = {}
    for start, pcm in _windows(decoded.pcm):
        answer = identify(library, pcm)
        matches = answer.found[:1] if is_short else answer.found
        step = track(state, Window(start / RATE_HZ, (start + len(pcm)) / RATE_HZ, matches), params)
        state = step.state
        last.update({one.id: one for one in step.changed})
    last.update({one.id: one for one in close_all(state, params).changed})
    found = [_heard(one, params, decoded.duration_s) for one in last.values()]
    return sorted(found, key=lambda one: one.start_s)


def _windows(pcm: NDArray[np.float32]) -> list[tuple[int, NDArray[np.float32]]]:
    window, hop = round(WINDOW_S * RATE_HZ), round(HOP_S * RATE_HZ)
    starts = range(0, max(1, len(pcm) - window + hop), hop)
    cuts = [(start, pcm[start : start + window]) for start in starts]
    return [(start, cut) for start, cut in cuts if len(cut) >= LEAST_S * RATE_HZ]


def _heard(one: Hypothesis, params: TrackerParams, duration_s: float) -> HeardInFile:
    start_s, end_s = max(0.0, one.started_s(params)), min(duration_s, one.ended_s(params))
    return HeardInFile(
        one.recording_id, start_s, end_s, max(0.0, one.reference_at_s(start_s)), one.speed, one.best_score
    )
