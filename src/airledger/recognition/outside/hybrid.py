"""What is this sound? Our library first; the outside where the library is not sure; people where the two differ."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.storage import Storage
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.outside.answer import Outcome, OutsideAnswer, OutsideMatch, Provider
from airledger.recognition.outside.ask import Asked, Desk
from airledger.recognition.outside.budget import Asker
from airledger.recognition.outside.calibrate import Curve, prior
from airledger.recognition.outside.compare import is_same
from airledger.recognition.outside.models import OutsideCalibration
from airledger.recognition.outside.recordings import find_outside, metadata_of, recording_of
from airledger.recognition.outside.reviews import Doubt, queue_review
from airledger.recognition.outside.route import Routes, Source, Verdict, settle, way
from airledger.recognition.outside.sample import Sample, cut_sample
from airledger.repertoire.models import Recording

ACTOR = "system:recognition"


@dataclass(frozen=True)
class HybridParts:
    """What identification needs; `app.hybrid` has it put together.

    Attributes:
        identify_local: Asks our library: the sound and whose recordings may answer.
        providers: In the order in which they are asked; empty: nobody outside.
    """

    database: Database
    clock: Clock
    storage: Storage
    desk: Desk
    providers: tuple[Provider, ...]
    routes: Routes
    identify_local: Callable[[NDArray[np.float32], UUID], Answer]

    def close(self) -> None:
        """Give back the providers' connections."""
        for provider in self.providers:
            provider.close()


@dataclass(frozen=True)
class HybridAnswer:
    """Who it is, who says so, and how that came about.

    Attributes:
        source: Who is believed: `local`, `acrcloud`, `audd`, `hybrid` (both agree) or `none`.
        confidence: Probability that `recording_id` is right; 0 for `none`.
        recording_id: The recording; None for `none`.
        route: The way the sound went: `local`, `ask` or `nobody`.
        outcome: What became of asking outside; None when nobody was asked.
        local: Our own best candidate.
        match: The outside's best match.
        outside_confidence: Its calibrated probability.
        review_id: Where people decide.
        sample: The piece that was sent; None when nobody was asked.
        asked: Every provider's answer, in order.
        again_at: When asking again makes sense, where the budget or the circuit said no.
    """

    source: Source
    confidence: float
    recording_id: UUID | None
    route: str
    outcome: Outcome | None = None
    title: str | None = None
    artist: str | None = None
    isrc: str | None = None
    local: Identified | None = None
    match: OutsideMatch | None = None
    outside_confidence: float | None = None
    review_id: UUID | None = None
    sample: Sample | None = None
    asked: tuple[Asked, ...] = ()
    again_at: datetime | None = None
    external_metadata: Mapping[str, Any] = field(default_factory=dict)
    acrcloud_response: Mapping[str, Any] | None = None
    processing_time_ms: int = 0

    @property
    def retry_count(self) -> int:
        """Attempts beyond the first one of each provider."""
        return sum(max(0, one.attempts - 1) for one in self.asked)


@dataclass(frozen=True)
class _Found:
    """The outside's best match, judged."""

    match: OutsideMatch
    score: float
    do_agree: bool


def identify_hybrid(
    parts: HybridParts,
    pcm: NDArray[np.float32],
    *,
    asker: Asker,
    started_at: datetime,
    local: Answer | None = None,
    context: Mapping[str, Any] | None = None,
) -> HybridAnswer:
    """Identify a sound by our library and, where that is not sure enough, by the outside.

    Args:
        parts: What it needs.
        pcm: float32[n] within ±1, mono, 8 kHz, 5 to 30 s.
        asker: For whom; the station whose share of the budget is used.
        started_at: When the first sample was aired.
        local: What the library said of it, where that is known already.
        context: Kept with a review, for whoever carries out the decision.

    Returns:
        What is believed. An outside match that is believed, or agrees, is a recording of the organisation afterwards.

    Raises:
        InputError: Less than 3 s of sound.
    """
    begun = time.perf_counter()
    ours = local if local is not None else parts.identify_local(pcm, asker.organisation_id)
    best = _still_known(parts, ours)
    score = best.score if best else None
    route = way(score, parts.routes)
    if ours.is_silent or route != "ask" or not parts.providers:
        outcome: Outcome | None = "off" if route == "ask" and not parts.providers else None
        answer = _ours_alone(parts, best, route, outcome)
    else:
        answer = _with_outside(parts, pcm, asker, started_at, best, context or {})
    return _timed(answer, begun)


def ask_outside(
    parts: HybridParts, pcm: NDArray[np.float32], *, asker: Asker, started_at: datetime, only: str | None = None
) -> tuple[Sample, tuple[Asked, ...]]:
    """Ask the providers alone (or the one named `only`), in order, until one has an answer; not our library.

    Raises:
        InputError: Less than 3 s of sound.
    """
    sample = cut_sample(pcm)
    providers = [one for one in parts.providers if only is None or one.name == only]
    return sample, _ask_in_order(parts.desk, providers, sample, asker, started_at)


def curve_of(session: Session, provider: str) -> Curve:
    """Return how a provider's score maps to a probability: as last refitted, else the prior."""
    row = session.get(OutsideCalibration, provider)
    return prior(provider) if row is None else Curve(tuple((float(x), float(y)) for x, y in row.points))


def _still_known(parts: HybridParts, ours: Answer) -> Identified | None:
    """Return our best candidate, unless its recording was deleted since it was indexed."""
    if not ours.found:
        return None
    best = ours.found[0]
    with parts.database.read() as session:
        return None if session.get(Recording, best.recording_id) is None else best


def _ask_in_order(
    desk: Desk, providers: Sequence[Provider], sample: Sample, asker: Asker, started_at: datetime
) -> tuple[Asked, ...]:
    asked: list[Asked] = []
    for provider in providers:
        one = desk.ask(provider, sample, started_at, asker)
        asked.append(one)
        if one.answer.outcome in ("hit", "unfit"):  # what one cannot fingerprint, the next cannot either
            break
    return tuple(asked)


def _with_outside(
    parts: HybridParts,
    pcm: NDArray[np.float32],
    asker: Asker,
    started_at: datetime,
    best: Identified | None,
    context: Mapping[str, Any],
) -> HybridAnswer:
    sample, asked = ask_outside(parts, pcm, asker=asker, started_at=started_at)
    found = _judge(parts, asker.organisation_id, best, asked)
    verdict = settle(
        best.score if best else None,
        found.score if found else None,
        _source(found),
        parts.routes,
        do_agree=found is not None and found.do_agree,
    )
    return _carry_out(parts, verdict, found, asker, started_at, best, sample, asked, context)


def _judge(
    parts: HybridParts, organisation_id: UUID, best: Identified | None, asked: tuple[Asked, ...]
) -> _Found | None:
    """Pick the outside's best match; among several, the one that agrees with ours comes first."""
    matches = [match for one in asked for match in one.answer.matches]
    if not matches:
        return None
    with parts.database.read() as session:
        recording = session.get(Recording, best.recording_id) if best else None
        judged = [
            _Found(
                match,
                curve_of(session, match.provider).probability(match.score),
                recording is not None and _means(session, organisation_id, match, recording),
            )
            for match in matches
        ]
    return next((one for one in judged if one.do_agree), judged[0])


def _means(session: Session, organisation_id: UUID, match: OutsideMatch, ours: Recording) -> bool:
    known = find_outside(session, organisation_id, match)
    if known is not None and known.id == ours.id:
        return True
    return is_same((ours.title, ours.artist, ours.isrc), match.title, match.artists, match.isrcs)


def _carry_out(
    parts: HybridParts,
    verdict: Verdict,
    found: _Found | None,
    asker: Asker,
    started_at: datetime,
    best: Identified | None,
    sample: Sample,
    asked: tuple[Asked, ...],
    context: Mapping[str, Any],
) -> HybridAnswer:
    """Write what was decided, in one unit; the sound that people shall hear is stored before it."""
    now, organisation_id = parts.clock.now(), asker.organisation_id
    sound_key = None
    if verdict.review is not None:
        sound_key = f"reviews/{organisation_id.hex}/{sample.sha256}.wav"
        parts.storage.put(sound_key, sample.wav)
    review_id, recording = None, None
    with parts.database.unit() as unit:
        if verdict.source in ("local", "hybrid") and best is not None:
            recording = unit.session.get(Recording, best.recording_id)
        elif verdict.source != "none" and found is not None:
            recording = recording_of(unit, Actor(ACTOR, organisation_id), organisation_id, found.match, now)
        if verdict.review is not None and found is not None:
            doubt = Doubt(
                asker, started_at, sample.sha256, sound_key, verdict.review, best, found.match, found.score, context
            )
            review_id = queue_review(unit, doubt, now)
    last = asked[-1]
    return HybridAnswer(
        source=verdict.source,
        confidence=verdict.probability if recording is not None else 0.0,
        recording_id=recording.id if recording is not None else None,
        route="ask",
        outcome="hit" if found is not None else last.answer.outcome,
        title=recording.title if recording is not None else None,
        artist=recording.artist if recording is not None else None,
        isrc=recording.isrc if recording is not None else None,
        local=best,
        match=found.match if found else None,
        outside_confidence=found.score if found else None,
        review_id=review_id,
        sample=sample,
        asked=asked,
        again_at=next((one.again_at for one in asked if one.again_at is not None), None),
        external_metadata=metadata_of(found.match) if found else {},
        acrcloud_response=_raw(asked),
    )


def _ours_alone(parts: HybridParts, best: Identified | None, route: str, outcome: Outcome | None) -> HybridAnswer:
    if best is None:
        return HybridAnswer("none", 0.0, None, route, outcome)
    with parts.database.read() as session:
        recording = session.get(Recording, best.recording_id)
    if recording is None:  # deleted this very moment
        return HybridAnswer("none", 0.0, None, route, outcome)
    return HybridAnswer(
        "local", best.score, recording.id, route, outcome, recording.title, recording.artist, recording.isrc, best
    )


def _source(found: _Found | None) -> Source:
    provider = found.match.provider if found else "none"
    return "acrcloud" if provider == "acrcloud" else "audd" if provider == "audd" else "none"


def _raw(asked: tuple[Asked, ...]) -> Mapping[str, Any] | None:
    """Return ACRCloud's answer as it came, trimmed; for the mission's column of that name."""
    answers: list[OutsideAnswer] = [one.answer for one in asked if one.provider == "acrcloud"]
    return answers[-1].raw if answers and answers[-1].raw else None


def _timed(answer: HybridAnswer, begun: float) -> HybridAnswer:
    return replace(answer, processing_time_ms=round((time.perf_counter() - begun) * 1000))
