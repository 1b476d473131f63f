"""One station's ear: what is this sound, given what was heard just before?

While something plays it is followed (`fingerprint.follow`), which costs next to nothing; the library is searched when
that no longer explains the newest sound, near the recording's end, and now and then besides, for what may lie
underneath. Sound that nothing explains is searched as it is and at the station's usual speed in every window; all other
speeds, tempi and pitches are tried in every few windows only, and what they find is followed back to its beginning.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.follow import Course, Followed, apart, follow, look_back
from airledger.fingerprint.match import Candidate, match
from airledger.fingerprint.params import SAMPLE_RATE_HZ, Params
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.unbroken import PeakStream, ahead_samples
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.identify import CANDIDATES, LEAST_SCORE, SILENCE_DBFS, level_dbfs
from airledger.recognition.library_index import LibraryIndex
from airledger.recognition.usual_speed import UsualSpeed

FULL_SCALE = np.float32(1 / 32_768)
MOST_FOLLOWED = 4
MOST_MISSED = 2
EDGE_S = 1.5  # what is heard up to here before the window's end is heard to its end
LEAST_HEARD = 0.6  # of what was usual for this play: less, and something else has come on top
NEAR_END_S = 8.0
SEARCH_EVERY = 6
BANK_EVERY = 6
BANK_SELDOM = 12
BANK_FIRST = 2
ESTABLISHED = 3  # recordings that tell a station's usual speed well enough to try others seldom
BACK_S = 60.0
BACK_BEYOND_S = 2.0


@dataclass(frozen=True, slots=True)
class Play:
    """A recording that is followed: where it was in the last window, and how much of it is usually heard."""

    course: Course
    heard: float
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds by what they were spent on, and how often the library was searched."""

    peaks_ms: float = 0.0
    follow_ms: float = 0.0
    search_ms: float = 0.0
    searches: int = 0
    banks: int = 0


class Ear:
    """Hears one connection of one station, window by window. Not thread-safe."""

    def __init__(self, library: LibraryIndex, organisations: Sequence[UUID], last_speed: float | None) -> None:
        self._library = library
        self._organisations = frozenset(organisations)
        self._speed = UsualSpeed(last_speed)
        self._stream = PeakStream(library.params, BACK_S)
        self._plays: list[Play] = []
        self._position = 0
        self._since_search = 0
        self._unknown = 0
        self._tracks = library.tracks  # as they are during one window
        self.cost = Cost()

    @staticmethod
    def ahead_samples(params: Params) -> int:
        """How much sound behind a window helps to see its end."""
        return ahead_samples(params)

    @property
    def usual_speed(self) -> float | None:
        """How fast the station usually plays."""
        return self._speed.speed

    def restart(self) -> None:
        """What comes does not continue what was."""
        self._stream = PeakStream(self._library.params, BACK_S)
        self._plays = []
        self._position = 0

    def hear(self, sound: NDArray[np.int16], position: int, samples: int) -> Answer:
        """Say what a window is.

        Args:
            sound: int16[n], mono, 8 kHz: the window, and some of what follows it.
            position: of its first sample in the connection; windows come in order.
            samples: length of the window.

        Returns:
            All that was found with a probability of at least 0.5; nothing for silence.
        """
        began = time.thread_time()
        self._tracks = self._library.tracks
        pcm = sound.astype(np.float32) * FULL_SCALE
        peaks = self._stream.window(pcm, position, samples, self._library.params.query_peaks_per_s)
        step_s = (position - self._position) / SAMPLE_RATE_HZ
        self._position = position
        looked = time.thread_time()
        if level_dbfs(pcm[:samples]) < SILENCE_DBFS:
            self._miss(step_s)
            self.cost = Cost(peaks_ms=(looked - began) * 1000)
            return Answer((), is_silent=True, cpu_ms=(looked - began) * 1000, usual_speed=self.usual_speed)
        followed = self._follow(peaks, step_s)
        after = time.thread_time()
        found = [one.candidate for one in followed]
        bank = False
        is_searched = self._is_search_due(followed, peaks.duration_s)
        if is_searched:
            bank = self._is_bank_due(is_known=bool(followed))
            found = self._with_search(found, peaks, bank=bank)
        found = [one for one in found if self._is_ours(one)]
        self._remember(found, followed)
        ended = time.thread_time()
        self.cost = Cost((looked - began) * 1000, (after - looked) * 1000, (ended - after) * 1000, is_searched, bank)
        answers = tuple(self._identified(one) for one in sorted(found, key=lambda one: -one.score)[:CANDIDATES])
        return Answer(
            answers, is_silent=False, cpu_ms=(ended - began) * 1000, peaks=peaks, usual_speed=self.usual_speed
        )

    # Following

    def _follow(self, peaks: Peaks, step_s: float) -> list[Followed]:
        """Lay the window over what plays; forget what was not there twice."""
        newest_s = min(peaks.duration_s, max(step_s, 1.0))
        plays = [replace(play, course=play.course.after(step_s)) for play in self._plays]
        laid = [one for one in (follow(peaks, play.course, newest_s) for play in plays) if one is not None]
        told = apart(peaks, laid) if len(laid) > 1 else laid
        followed = {one.candidate.track: one for one in told if one.candidate.score >= LEAST_SCORE}
        self._plays = [gone for play in plays if (gone := _gone_on(play, followed.get(play.course.track))) is not None]
        return list(followed.values())

    def _miss(self, step_s: float) -> None:
        """What plays may go on behind a pause."""
        moved = [replace(play, course=play.course.after(step_s)) for play in self._plays]
        self._plays = [gone for play in moved if (gone := _gone_on(play, None)) is not None]

    def _is_search_due(self, followed: list[Followed], duration_s: float) -> bool:
        usual = {play.course.track: play.heard for play in self._plays}
        self._since_search += 1
        explained = any(
            one.candidate.last_s >= duration_s - EDGE_S
            and one.heard >= LEAST_HEARD * usual.get(one.candidate.track, 0.0)
            and one.course.left_s > duration_s + NEAR_END_S
            for one in followed
        )
        return not explained or self._since_search >= SEARCH_EVERY

    # Searching

    def _is_bank_due(self, *, is_known: bool) -> bool:
        """Whether to try all speeds: soon after nothing is known any more, then in every sixth window."""
        self._unknown = 0 if is_known else self._unknown + 1
        every = BANK_EVERY if self._speed.recordings < ESTABLISHED else BANK_SELDOM
        return self._unknown % every == BANK_FIRST

    def _with_search(self, followed: list[Candidate], peaks: Peaks, *, bank: bool) -> list[Candidate]:
        self._since_search = 0
        known = {one.track for one in followed}
        searched = match(self._library.index, peaks, speeds_hint=self.usual_speed, limit=CANDIDATES, bank=bank)
        fresh = [one for one in searched if one.track not in known and one.score >= LEAST_SCORE]
        return [*followed, *(self._since_when(one, peaks) for one in fresh)]

    def _since_when(self, one: Candidate, peaks: Peaks) -> Candidate:
        """Look back for the beginning of what was found late."""
        reference = self._reference(one.track)
        starts_at_s = one.offset_s + one.first_s * one.speed
        if reference is None or starts_at_s < BACK_BEYOND_S or one.first_s > EDGE_S:
            return one
        earlier, back_s = self._stream.back(peaks, self._position)
        if back_s < EDGE_S:
            return one
        found = look_back(earlier, Course.of(one, reference).after(-back_s))
        if found is None or found.score < one.score or found.first_s >= back_s + one.first_s:
            return one
        return _moved(found, one, back_s)

    def _remember(self, found: list[Candidate], followed: list[Followed]) -> None:
        """Follow from now on what was found."""
        known = {one.candidate.track for one in followed}
        for one in found:
            enrolled = self._tracks.get(one.track)
            if enrolled is not None:
                self._speed.learn(enrolled.recording_id, one.speed, one.pitch, one.score)
            reference = self._reference(one.track) if one.track not in known else None
            if reference is not None:
                self._plays = [play for play in self._plays if play.course.track != one.track]
                self._plays.append(Play(Course.of(one, reference), 0.0))
        self._plays = self._plays[-MOST_FOLLOWED:]
        if found:
            self._unknown = 0

    def _reference(self, track: int) -> Peaks | None:
        try:
            return self._library.index.peaks_of(track)
        except KeyError:  # taken out of the library a moment ago
            return None

    def _is_ours(self, one: Candidate) -> bool:
        enrolled = self._tracks.get(one.track)
        return enrolled is not None and enrolled.organisation_id in self._organisations

    def _identified(self, one: Candidate) -> Identified:
        enrolled = self._tracks.get(one.track)
        if enrolled is None:
            raise LookupError(f"There is no track {one.track}.")
        return Identified(
            recording_id=enrolled.recording_id,
            offset_s=one.offset_s,
            speed=one.speed,
            score=one.score,
            votes=one.votes,
            first_s=one.first_s,
            last_s=one.last_s,
            audible_from_s=enrolled.audible_from_s,
            audible_to_s=enrolled.audible_to_s,
            recording_class=enrolled.recording_class,
        )


def _gone_on(play: Play, followed: Followed | None) -> Play | None:
    """A play after one more window, in which it was found or not; None once it is over."""
    if followed is not None:
        heard = max(play.heard, followed.heard) * 0.9 + followed.heard * 0.1
        return Play(followed.course, heard)
    if play.missed + 1 >= MOST_MISSED or play.course.left_s <= 0:
        return None
    return replace(play, missed=play.missed + 1)


def _moved(found: Candidate, one: Candidate, back_s: float) -> Candidate:
    """What a longer query has told, in the time of the window that ends it."""
    return replace(
        one,
        offset_s=found.offset_s + back_s * found.speed,
        speed=found.speed,
        pitch=found.pitch,
        first_s=found.first_s - back_s,
        last_s=max(one.last_s, found.last_s - back_s),
    )
