"""From windows to plays: the alignment tracker. Pure: `track(state, window) -> state, changes`.

A hypothesis is (recording, alignment): alignment = the air time of the reference's first sample. While a recording
plays, every window that hears it agrees on the alignment, so a run of agreeing windows is one play.

TENTATIVE -> ACTIVE (believed, told to others) -> HOLD (not heard in the newest window) -> CLOSED.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from airledger.recognition.answer import Identified

TENTATIVE, ACTIVE, HOLD, CLOSED = "tentative", "active", "hold", "closed"


@dataclass(frozen=True)
class TrackerParams:
    """Times in seconds."""

    tolerance_s: float = 1.5
    votes: int = 2
    sure_score: float = 0.90
    sure_matched_s: float = 8.0
    max_gap_s: float = 45.0
    tentative_gap_s: float = 15.0
    overrun_s: float = 10.0
    crossfade_s: float = 8.0
    edge_s: float = 12.0
    restart_below_s: float = 20.0
    restart_jump_s: float = 60.0
    restart_jump_part: float = 0.3
    minimum_play_s: float = 15.0
    overlap_s: float = 10.0
    speed_weight: float = 0.2
    origin_votes: int = 4


@dataclass(frozen=True)
class Window:
    """What was recognised in a stretch of sound; `start_s` and `end_s` are air times."""

    start_s: float
    end_s: float
    matches: tuple[Identified, ...] = ()


@dataclass(frozen=True)
class Hypothesis:
    """A run of windows at one alignment.

    `alignment_s` follows the newest windows; `origin_s` is what the first few said, so that a small error of speed
    does not move the start of a long song.
    """

    id: UUID
    recording_id: UUID
    alignment_s: float
    origin_s: float
    speed: float
    audible_from_s: float
    audible_to_s: float
    state: str
    votes: int
    best_score: float
    first_heard_s: float
    last_heard_s: float
    reference_first_s: float
    reference_last_s: float
    segments: int = 1
    is_partial: bool = False
    cut_s: float | None = None
    revision: int = 0

    @property
    def reference_end_s(self) -> float:
        """Air time at which the reference would end."""
        return self.alignment_s + self.audible_to_s / self.speed

    def started_s(self, params: TrackerParams) -> float:
        """Air time of the first audible sample: the reference's start when the first match lies near it."""
        if self.reference_first_s <= params.edge_s and self.segments == 1:
            return min(self.origin_s + self.audible_from_s / self.speed, self.first_heard_s)
        return self.first_heard_s

    def ended_s(self, params: TrackerParams) -> float:
        """Air time of the last audible sample."""
        end_s = self.last_heard_s
        if self.state == CLOSED and self.audible_to_s - self.reference_last_s <= params.edge_s:
            end_s = max(end_s, self.reference_end_s)
        return end_s if self.cut_s is None else max(self.last_heard_s, min(end_s, self.cut_s))

    def reference_at_s(self, air_time_s: float) -> float:
        """Place in the reference that plays at an air time."""
        return (air_time_s - self.alignment_s) * self.speed


@dataclass(frozen=True)
class TrackerState:
    """Everything the tracker remembers of one station."""

    hypotheses: tuple[Hypothesis, ...] = ()
    heard_until_s: float | None = None


@dataclass(frozen=True)
class Step:
    """The outcome of one window: the next state, and the plays that began, changed or ended."""

    state: TrackerState
    changed: tuple[Hypothesis, ...]


def track(state: TrackerState, window: Window, params: TrackerParams) -> Step:
    """Take one window into account.

    Args:
        state: What is remembered; windows come in order of air time, and may overlap.
        window: The next window.
        params: Times and thresholds.

    Returns:
        The next state and the believed hypotheses that changed, each with a higher revision.
    """
    before = {hypothesis.id: hypothesis for hypothesis in state.hypotheses}
    living = _mark_gap(state, window)
    for match in sorted(window.matches, key=lambda match: -match.score):
        living = _take(living, window, match, params)
    heard_now = {one.id for one in living if one.last_heard_s > window.start_s and one != before.get(one.id)}
    settled = [_settle(one, window, params, is_heard=one.id in heard_now) for one in living]
    settled = _cut_by_successors(settled, params)
    return _step(settled, before, window, state)


def close_all(state: TrackerState, params: TrackerParams) -> Step:
    """End every play, as when listening is stopped for good."""
    del params
    before = {hypothesis.id: hypothesis for hypothesis in state.hypotheses}
    closed = [replace(one, state=CLOSED) for one in state.hypotheses if one.state in (ACTIVE, HOLD)]
    changed = tuple(replace(one, revision=before[one.id].revision + 1) for one in closed)
    return Step(TrackerState((), state.heard_until_s), changed)


def _mark_gap(state: TrackerState, window: Window) -> list[Hypothesis]:
    """A play that spans time in which nothing could be heard is partial."""
    if state.heard_until_s is None or window.start_s <= state.heard_until_s + 1.0:
        return list(state.hypotheses)
    return [replace(one, is_partial=True) if one.reference_end_s > window.start_s else one for one in state.hypotheses]


def _take(living: list[Hypothesis], window: Window, match: Identified, params: TrackerParams) -> list[Hypothesis]:
    """Let one match strengthen the hypothesis it agrees with, continue an edit, or found a new one."""
    alignment_s = window.start_s - match.offset_s / match.speed
    same = [one for one in living if one.recording_id == match.recording_id]
    agreeing = [one for one in same if abs(_alignment_gap(one, match, window)) <= params.tolerance_s]
    if agreeing:
        nearest = min(agreeing, key=lambda one: abs(one.alignment_s - alignment_s))
        return [_strengthen(one, window, match, params) if one is nearest else one for one in living]
    edited = next((one for one in same if one.state in (ACTIVE, HOLD) and _continues(one, match, params)), None)
    if edited is not None:
        return [_splice(one, window, match, alignment_s) if one is edited else one for one in living]
    return [*living, _found(window, match, alignment_s)]


def _alignment_gap(one: Hypothesis, match: Identified, window: Window) -> float:
    """How far the match is from where the hypothesis expects the reference to be, mid-window, in seconds of air time.

    Compared in the middle of the window and not at the reference's start: a speed that is off by half a per cent would
    move the start by a second at the end of a long song.
    """
    middle_s = (window.start_s + window.end_s) / 2
    expected_s = one.reference_at_s(middle_s)
    heard_s = match.offset_s + (middle_s - window.start_s) * match.speed
    return (heard_s - expected_s) / match.speed


def _strengthen(one: Hypothesis, window: Window, match: Identified, params: TrackerParams) -> Hypothesis:
    votes = one.votes + 1
    weight = params.speed_weight if one.votes > 1 else 0.5
    speed = one.speed + (match.speed - one.speed) * weight
    # Re-anchored at the middle of what was heard, so that a small error of speed does not walk away with the start.
    gap_s = _alignment_gap(one, match, window)
    middle_s = (window.start_s + window.end_s) / 2
    reference_s = one.reference_at_s(middle_s) + gap_s * match.speed / votes
    alignment_s = middle_s - reference_s / speed if one.segments == 1 else one.alignment_s
    first_s, last_s = window.start_s + match.first_s, window.start_s + match.last_s
    return replace(
        one,
        votes=votes,
        speed=speed,
        alignment_s=alignment_s,
        origin_s=alignment_s if votes <= params.origin_votes and one.segments == 1 else one.origin_s,
        best_score=max(one.best_score, match.score),
        first_heard_s=min(one.first_heard_s, first_s),
        last_heard_s=max(one.last_heard_s, last_s),
        reference_first_s=min(one.reference_first_s, match.offset_s + match.first_s * match.speed),
        reference_last_s=max(one.reference_last_s, match.offset_s + match.last_s * match.speed),
    )


def _continues(one: Hypothesis, match: Identified, params: TrackerParams) -> bool:
    """Tell an edit (the same play jumps within the song) from a restart (a new play)."""
    reference_s = match.offset_s + match.first_s * match.speed
    jump_back_s = one.reference_last_s - reference_s
    threshold_s = min(params.restart_jump_s, params.restart_jump_part * one.audible_to_s)
    restarts = jump_back_s > threshold_s and reference_s < params.restart_below_s
    return not restarts and match.score >= params.sure_score


def _splice(one: Hypothesis, window: Window, match: Identified, alignment_s: float) -> Hypothesis:
    return replace(
        one,
        alignment_s=alignment_s,
        speed=match.speed,
        votes=one.votes + 1,
        segments=one.segments + 1,
        best_score=max(one.best_score, match.score),
        last_heard_s=max(one.last_heard_s, window.start_s + match.last_s),
        reference_first_s=min(one.reference_first_s, match.offset_s + match.first_s * match.speed),
        reference_last_s=match.offset_s + match.last_s * match.speed,
    )


def _found(window: Window, match: Identified, alignment_s: float) -> Hypothesis:
    return Hypothesis(
        id=uuid4(),
        recording_id=match.recording_id,
        alignment_s=alignment_s,
        origin_s=alignment_s,
        speed=match.speed,
        audible_from_s=match.audible_from_s,
        audible_to_s=match.audible_to_s,
        state=TENTATIVE,
        votes=1,
        best_score=match.score,
        first_heard_s=window.start_s + match.first_s,
        last_heard_s=window.start_s + match.last_s,
        reference_first_s=match.offset_s + match.first_s * match.speed,
        reference_last_s=match.offset_s + match.last_s * match.speed,
    )


def _settle(one: Hypothesis, window: Window, params: TrackerParams, *, is_heard: bool) -> Hypothesis:
    """Move a hypothesis along its states."""
    if is_heard:
        if one.state == HOLD or (one.state == TENTATIVE and _is_believed(one, params)):
            return replace(one, state=ACTIVE, cut_s=None)
        return one
    silent_s = window.end_s - one.last_heard_s
    if one.state == TENTATIVE:
        return replace(one, state=CLOSED) if silent_s > params.tentative_gap_s else one
    left_s = max(0.0, one.reference_end_s - one.last_heard_s) + params.overrun_s
    if silent_s > min(params.max_gap_s, left_s):
        return replace(one, state=CLOSED)
    return replace(one, state=HOLD) if window.start_s >= one.last_heard_s else one


def _is_believed(one: Hypothesis, params: TrackerParams) -> bool:
    heard_s = one.last_heard_s - one.first_heard_s
    is_sure = one.best_score >= params.sure_score and heard_s >= params.sure_matched_s
    long_enough = one.last_heard_s - one.started_s(params) >= params.minimum_play_s
    return (one.votes >= params.votes or is_sure) and long_enough


def _cut_by_successors(living: list[Hypothesis], params: TrackerParams) -> list[Hypothesis]:
    """Let a song that has taken over end the one that is only held."""
    active = [one for one in living if one.state == ACTIVE]
    result = []
    for one in living:
        successors = [
            other.started_s(params)
            for other in active
            if other.id != one.id
            and other.started_s(params) > one.started_s(params)
            and other.last_heard_s - max(one.last_heard_s, other.started_s(params)) > params.crossfade_s
        ]
        if one.state == HOLD and successors:
            result.append(replace(one, state=CLOSED, cut_s=min(successors) + params.overlap_s))
        else:
            result.append(one)
    return result


def _step(living: Iterable[Hypothesis], before: dict[UUID, Hypothesis], window: Window, state: TrackerState) -> Step:
    kept: list[Hypothesis] = []
    changed: list[Hypothesis] = []
    for one in living:
        earlier = before.get(one.id)
        was_told = earlier is not None and earlier.state in (ACTIVE, HOLD)
        is_told = one.state in (ACTIVE, HOLD) or (one.state == CLOSED and was_told)
        current = one
        if is_told and one != earlier:
            current = replace(one, revision=one.revision + 1)
            changed.append(current)
        if one.state != CLOSED:
            kept.append(current)
    heard_until_s = window.end_s if state.heard_until_s is None else max(state.heard_until_s, window.end_s)
    return Step(TrackerState(tuple(kept), heard_until_s), tuple(changed))
