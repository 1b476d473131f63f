"""What is this sound? The enrolled library's answer."""

import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.match import match
from airledger.fingerprint.peaks import Peaks, extract
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.library_index import LibraryIndex

CANDIDATES = 5
LEAST_SCORE = 0.5
SILENCE_DBFS = -60.0


def identify(
    library: LibraryIndex,
    pcm: NDArray[np.float32],
    *,
    organisations: Sequence[UUID] | None = None,
    last_speed: float | None = None,
) -> Answer:
    """Ask the library what a sound is.

    Args:
        library: The index; call its `sync` from time to time.
        pcm: float32[n], mono, 8 kHz, 5 to 30 seconds.
        organisations: Whose recordings may answer; None for all.
        last_speed: The speed this station was last heard at, tried first.

    Returns:
        All candidates with a probability of at least 0.5; nothing for silence.
    """
    began = time.thread_time()
    if level_dbfs(pcm) < SILENCE_DBFS:
        return Answer((), is_silent=True, cpu_ms=(time.thread_time() - began) * 1000)
    peaks = extract(pcm, library.params, dense="query")
    answer = identify_peaks(library, peaks, organisations=organisations, last_speed=last_speed)
    return replace(answer, cpu_ms=(time.thread_time() - began) * 1000)


def identify_peaks(
    library: LibraryIndex,
    peaks: Peaks,
    *,
    organisations: Sequence[UUID] | None = None,
    last_speed: float | None = None,
) -> Answer:
    """Ask the library what a sound is whose peaks were found elsewhere; the rest as with `identify`."""
    began = time.thread_time()
    found: list[Identified] = []
    for candidate in match(library.index, peaks, speeds_hint=last_speed, limit=CANDIDATES):
        enrolled = library.tracks.get(candidate.track)
        is_ours = enrolled is not None and (organisations is None or enrolled.organisation_id in organisations)
        if enrolled is None or not is_ours or candidate.score < LEAST_SCORE:
            continue
        found.append(
            Identified(
                recording_id=enrolled.recording_id,
                offset_s=candidate.offset_s,
                speed=candidate.speed,
                score=candidate.score,
                votes=candidate.votes,
                first_s=candidate.first_s,
                last_s=candidate.last_s,
                audible_from_s=enrolled.audible_from_s,
                audible_to_s=enrolled.audible_to_s,
                recording_class=enrolled.recording_class,
            )
        )
    return Answer(tuple(found), is_silent=False, cpu_ms=(time.thread_time() - began) * 1000, peaks=peaks)


def level_dbfs(pcm: NDArray[np.float32]) -> float:
    """Return the level of a sound in dB below full scale, -200 for digital silence."""
    if not len(pcm):
        return -200.0
    power = float(np.mean(np.square(pcm, dtype=np.float64)))
    return 10 * float(np.log10(power)) if power > 0 else -200.0
