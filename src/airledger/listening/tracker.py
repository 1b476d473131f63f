"""From windows to plays: the alignment tracker: `track(state, window) -> state, changes`. Pure, save for new ids.

A hypothesis is (recording, alignment): alignment = the air time of the reference's first sample. While a recording
plays, every window that hears it agrees on the alignment, so a run of agreeing windows is one play.

TENTATIVE -> ACTIVE (believed, told to others) -> HOLD (not heard in the newest window) -> CLOSED.

While a play goes on, the same recording may be heard at another place of it. Either the station has jumped (an edit:
the same play goes on there; or a restart: a new play), or the music repeats itself, and the place is an echo. So such
a place only challenges the play, and is forgotten when the play is heard again where it was expected.

Jingles, adverts and beds are short: one sure window is enough for them, and three seconds are a play.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from airledger.recognition.answer import Identified
from airledger.repertoire.models import MUSIC

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
    challenge_votes: int = 4
    short_minimum_s: float = 3.0
    short_matched_share: float = 0.5
    short_edge_share: float = 0.25


@dataclass(frozen=True)
class Window:
    """What was recognised in a stretch of sound; `start_s` and `end_s` are air times."""

    start_s: float
    end_s: float
    matches: tuple[Identified, ...] = ()


NewId = Callable[[Window, Identified], UUID]
"""Gives the id of a hypothesis by the window and the match that found it."""


def random_id(window: Window, match: Identified) -> UUID:
    """Give a new id: live sound is heard once."""
    del window, match
    return uuid4()


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
    recording_class: str = MUSIC

    @property
    def is_short_class(self) -> bool:
        """Whether this is a jingle, an advert or a bed."""
        return self.recording_class != MUSIC

    def edge_s(self, params: TrackerParams) -> float:
        """How near to an end of the reference a match must lie to be taken for that end."""
        if not self.is_short_class:
            return params.edge_s
        return min(params.edge_s, params.short_edge_share * (self.audible_to_s - self.audible_from_s))

    @property
    def reference_end_s(self) -> float:
        """Air time at which the reference would end."""
        return self.alignment_s + self.audible_to_s / self.speed

    def started_s(self, params: TrackerParams) -> float:
        """Air time of the first audible sample: the reference's start when the first match lies near it."""
        if self.reference_first_s - self.audible_from_s <= self.edge_s(params):
            return min(self.origin_s + self.audible_from_s / self.speed, self.first_heard_s)
        return self.first_heard_s

    def ended_s(self, params: TrackerParams) -> float:
        """Air time of the last audible sample."""
        end_s = self.last_heard_s
        if self.state == CLOSED and self.audible_to_s - self.reference_last_s <= self.edge_s(params):
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


def track(state: TrackerState, window: Window, params: TrackerParams, *, new_id: NewId = random_id) -> Step:
    """Take one window into account.

    Args:
        state: What is remembered; windows come in order of air time, and may overlap.
        window: The next window.
        params: Times and thresholds.
        new_id: Gives the ids of what begins; for what is heard again, always the same ones.

    Returns:
        The next state and the believed hypotheses that changed, each with a higher revision.
    """
    before = {hypothesis.id: hypothesis for hypothesis in state.hypotheses}
    living = _mark_gap(state, window)
    for match in sorted(window.matches, key=lambda match: -match.score):
        living = _take(living, window, match, params, new_id)
    heard_now = {one.id for one in living if one.last_heard_s > window.start_s and one != before.get(one.id)}
    living, challenged = _judge_challenges(living, heard_now, params)
    waiting = set(challenged)
    settled = [
        one if one.id in waiting else _settle(one, window, params, is_heard=one.id in heard_now) for one in living
    ]
    settled = _cut_by_successors(settled, before, params)
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


def _take(
    living: list[Hypothesis], window: Window, match: Identified, params: TrackerParams, new_id: NewId
) -> list[Hypothesis]:
    """Let one match strengthen the hypothesis that it agrees with, or found a new one."""
    alignment_s = window.start_s - match.offset_s / match.speed
    same = [one for one in living if one.recording_id == match.recording_id]
    agreeing = [one for one in same if abs(_alignment_gap(one, match, window)) <= params.tolerance_s]
    if agreeing:
        nearest = min(agreeing, key=lambda one: abs(one.alignment_s - alignment_s))
        return [_strengthen(one, window, match, params) if one is nearest else one for one in living]
    return [*living, _found(window, match, alignment_s, new_id(window, match))]


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
    reference_first_s = match.offset_s + match.first_s * match.speed
    return replace(
        one,
        votes=votes,
        speed=speed,
        alignment_s=alignment_s,
        origin_s=alignment_s if votes <= params.origin_votes and one.segments == 1 else one.origin_s,
        best_score=max(one.best_score, match.score),
        first_heard_s=min(one.first_heard_s, first_s),
        last_heard_s=max(one.last_heard_s, last_s),
        reference_first_s=min(one.reference_first_s, reference_first_s) if one.segments == 1 else one.reference_first_s,
        reference_last_s=max(one.reference_last_s, match.offset_s + match.last_s * match.speed),
    )


def _judge_challenges(
    living: list[Hypothesis], heard_now: set[UUID], params: TrackerParams
) -> tuple[list[Hypothesis], list[UUID]]:
    """Decide between a play and the other places at which its recording seems to be.

    Returns:
        What lives on, and which of it must wait: challengers that are neither refuted nor proven yet, and the plays
        that they challenge, which may not end before that is decided.
    """
    waiting: list[UUID] = []
    for challenger in [one for one in living if one.state == TENTATIVE]:
        play = _challenged(challenger, living, params)
        if play is None:
            continue
        if play.id in heard_now:
            living = [one for one in living if one.id != challenger.id]
        elif challenger.votes < params.challenge_votes:
            waiting += [challenger.id, *([play.id] if challenger.id in heard_now else [])]
        elif not _is_restart(play, challenger, params):
            spliced = _splice(play, challenger)
            heard_now.add(play.id)
            living = [spliced if one.id == play.id else one for one in living if one.id != challenger.id]
    gone = [one.id for one in living if one.id in waiting and one.state == TENTATIVE and one.id not in heard_now]
    return living, [identity for identity in waiting if identity not in gone]


def _challenged(challenger: Hypothesis, living: list[Hypothesis], params: TrackerParams) -> Hypothesis | None:
    """Find the play of the same recording that would have gone on where the challenger was first heard."""
    return next(
        (
            one
            for one in living
            if one.recording_id == challenger.recording_id
            and one.state in (ACTIVE, HOLD)
            and one.reference_end_s > challenger.first_heard_s + params.tolerance_s
        ),
        None,
    )


def _is_restart(play: Hypothesis, challenger: Hypothesis, params: TrackerParams) -> bool:
    """Tell a restart (a new play) from an edit (the same play jumps within the song)."""
    jump_back_s = play.reference_last_s - challenger.reference_first_s
    threshold_s = min(params.restart_jump_s, params.restart_jump_part * play.audible_to_s)
    return jump_back_s > threshold_s and challenger.reference_first_s < params.restart_below_s


def _splice(play: Hypothesis, edit: Hypothesis) -> Hypothesis:
    return replace(
        play,
        alignment_s=edit.alignment_s,
        speed=edit.speed,
        votes=play.votes + edit.votes,
        segments=play.segments + 1,
        best_score=max(play.best_score, edit.best_score),
        last_heard_s=max(play.last_heard_s, edit.last_heard_s),
        reference_last_s=edit.reference_last_s,
    )


def _found(window: Window, match: Identified, alignment_s: float, identity: UUID) -> Hypothesis:
    return Hypothesis(
        id=identity,
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
        recording_class=match.recording_class,
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
    minimum_s, sure_s = params.minimum_play_s, params.sure_matched_s
    if one.is_short_class:
        minimum_s = min(minimum_s, params.short_minimum_s)
        sure_s = min(sure_s, params.short_matched_share * (one.audible_to_s - one.audible_from_s))
    is_sure = one.best_score >= params.sure_score and heard_s >= sure_s
    long_enough = one.last_heard_s - one.started_s(params) >= minimum_s
    return (one.votes >= params.votes or is_sure) and long_enough


def _cut_by_successors(
    living: list[Hypothesis], before: dict[UUID, Hypothesis], params: TrackerParams
) -> list[Hypothesis]:
    """Let a song that has taken over end the one that is only held, and cut the end of one that has ended."""
    told = [one for one in living if one.state in (ACTIVE, HOLD) and not one.is_short_class]
    result = []
    for one in living:
        later = [other for other in told if other.started_s(params) > one.started_s(params) and other.id != one.id]
        starts_s = [other.started_s(params) for other in later]
        has_taken_over = any(
            other.state == ACTIVE
            and other.last_heard_s - max(one.last_heard_s, other.started_s(params)) > params.crossfade_s
            for other in later
        )
        has_ended = one.state == CLOSED and one.id in before and before[one.id].state in (ACTIVE, HOLD)
        if (one.state == HOLD and has_taken_over) or (has_ended and starts_s):
            result.append(_cut(replace(one, state=CLOSED), min(starts_s), params))
        else:
            result.append(one)
    return result


def _cut(one: Hypothesis, successor_s: float, params: TrackerParams) -> Hypothesis:
    """Let a play end with the start of the next one, unless the two are so near that they may have been faded.

    What was heard stays heard; only the silent rest of the reference is left out.
    """
    is_faded = one.reference_end_s - successor_s <= params.crossfade_s
    return replace(one, cut_s=successor_s + (params.overlap_s if is_faded else 0.0))


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
