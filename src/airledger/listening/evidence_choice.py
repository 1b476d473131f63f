"""Which window of a detection is kept as evidence."""

import threading
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.peaks import Peaks
from airledger.listening.heard import HeardWindow
from airledger.listening.tracker import ACTIVE, HOLD, Hypothesis, Step
from airledger.listening.windows import RATE_HZ
from airledger.recognition.answer import Identified

CLIP_S = 12.0
AGREES_S = 2.0
CLEARLY_BETTER = 0.05
CANDIDATES_PER_SESSION = 4
FORGET_SESSION_S = 300.0


@dataclass(frozen=True, eq=False)
class Clip:
    """A window that speaks for a detection.

    Attributes:
        detection_id: Which one.
        score: How sure recognition was of this window.
        start_s: Air time of the first sample.
        pcm: int16[n], mono, 8 kHz, at most 12 s.
        peaks: Of the whole window, if they were given along.
    """

    detection_id: UUID
    score: float
    start_s: float
    pcm: NDArray[np.int16]
    peaks: Peaks | None


@dataclass
class _Heard:
    """What is remembered of one session: candidates that are not believed yet, and the scores of what was kept."""

    candidates: dict[UUID, Clip] = field(default_factory=dict)
    kept: dict[UUID, float] = field(default_factory=dict)
    last_s: float = 0.0


class BestWindows:
    """Chooses windows. Thread-safe; holds sound only until a detection is believed or given up."""

    def __init__(self) -> None:
        self._sessions: dict[UUID, _Heard] = {}
        self._lock = threading.Lock()

    def choose(self, heard: HeardWindow, step: Step) -> list[Clip]:
        """Return the clips that shall be kept now.

        They are the best one so far of each detection that is newly believed, and later ones that are clearly better.
        """
        with self._lock:
            return self._choose(self._of(heard), heard, step)

    def _of(self, heard: HeardWindow) -> _Heard:
        mine = self._sessions.get(heard.target.session_id)
        if mine is None:
            stale = [one for one, held in self._sessions.items() if heard.end_s - held.last_s > FORGET_SESSION_S]
            for one in stale:
                del self._sessions[one]
            mine = self._sessions[heard.target.session_id] = _Heard()
        mine.last_s = heard.end_s
        return mine

    def _choose(self, mine: _Heard, heard: HeardWindow, step: Step) -> list[Clip]:
        living = {one.id: one for one in step.state.hypotheses}
        mine.candidates = {identity: clip for identity, clip in mine.candidates.items() if identity in living}
        mine.kept = {identity: score for identity, score in mine.kept.items() if identity in living}
        chosen = []
        for one in step.state.hypotheses:
            match = _match_of(one, heard)
            if match is None:
                continue
            best = self._better(mine, one, match, heard)
            if best is not None and one.state in {ACTIVE, HOLD}:
                mine.candidates.pop(one.id, None)
                mine.kept[one.id] = best.score
                chosen.append(best)
        return chosen

    def _better(self, mine: _Heard, one: Hypothesis, match: Identified, heard: HeardWindow) -> Clip | None:
        """Return the best clip of a detection when it is worth keeping now, and remember it while it is not."""
        earlier = mine.candidates.get(one.id)
        least = mine.kept[one.id] + CLEARLY_BETTER if one.id in mine.kept else 0.0
        if match.score < least:
            return None
        if earlier is not None and earlier.score >= match.score:
            return earlier
        clip = _clip(one.id, match, heard)
        if one.state not in {ACTIVE, HOLD} and (
            one.id in mine.candidates or len(mine.candidates) < CANDIDATES_PER_SESSION
        ):
            mine.candidates[one.id] = replace(clip, pcm=clip.pcm.copy())
        return clip


def _match_of(one: Hypothesis, heard: HeardWindow) -> Identified | None:
    """Find what in this window speaks for a hypothesis."""
    agreeing = [
        match
        for match in heard.answer.found
        if match.recording_id == one.recording_id
        and abs(one.reference_at_s(heard.start_s) - match.offset_s) / match.speed <= AGREES_S
    ]
    return max(agreeing, key=lambda match: match.score, default=None)


def _clip(detection_id: UUID, match: Identified, heard: HeardWindow) -> Clip:
    """Cut a window to at most 12 s around what agreed in it."""
    longest = round(CLIP_S * RATE_HZ)
    middle = round((match.first_s + match.last_s) / 2 * RATE_HZ)
    begin = min(max(0, middle - longest // 2), max(0, len(heard.pcm) - longest))
    pcm = heard.pcm[begin : begin + longest]
    return Clip(detection_id, match.score, heard.start_s + begin / RATE_HZ, pcm, heard.answer.peaks)
