"""Asking outside about unknown music: what to ask next, what came of it, and whose past plays that names."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.listening.ask_parts import AskDeps
from airledger.listening.models import ListeningSession, UnknownSound
from airledger.listening.outside_play import (
    Heard,
    NamedSound,
    convinces,
    extent_of,
    name_sound,
    stretch_of,
    vote,
)
from airledger.listening.unknown_ask import LATER, AskCandidate, AskOutcome, answered, next_to_ask
from airledger.platform.audit import Actor
from airledger.platform.db import Database, Unit
from airledger.platform.errors import InputError, NotFoundError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.answer import Answer
from airledger.recognition.outside.answer import ANSWERED, Outcome
from airledger.recognition.outside.budget import Asker
from airledger.recognition.outside.hybrid import HybridAnswer, HybridParts, identify_hybrid
from airledger.recognition.outside.sample import read_wav

BATCH = 20
CANDIDATES_PER_CALL = 20  # enough to find other stations behind those whose share is used up
ACTOR = "system:recognition"
UNKNOWN = Answer((), is_silent=False, cpu_ms=0.0)  # what our library said of it
COVERED = 0.5  # a stretch of which so much belongs to a play that was named need not be asked about

log = logger(__name__)


@dataclass
class Turn:
    """What one turn has done."""

    asked: int = 0
    plays: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    def count(self, outcome: str) -> None:
        """Count an outcome."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def ask_about_unknown(deps: AskDeps, *, limit: int = BATCH, stopping: Callable[[], bool] = lambda: False) -> Turn:
    """Ask about the unknown music that is most worth it, as far as limits and circuits allow.

    A day that is used up is not "no match": it is noted as `budget` and asked again on the next day. A station whose
    share is used up is passed over until some of it is returned. While no provider can be asked, nothing is noted and
    the turn ends.
    """
    turn, parts = Turn(), _careful(deps)
    if not (deps.is_wanted and parts.providers and parts.routes.is_hybrid):
        return turn
    with deps.database.read() as session:
        candidates = next_to_ask(session, deps.clock.now(), limit=limit * CANDIDATES_PER_CALL)
        sharers, passed_over = listeners(session)
    for candidate in candidates:
        if stopping() or turn.asked >= limit:
            break
        if candidate.stream_id in passed_over or _is_answered(deps.database, candidate):
            continue
        outcome = _ask(deps, parts, candidate, sharers, turn)
        turn.count(outcome)
        if outcome == "share":
            passed_over.add(candidate.stream_id)
        if outcome in ("budget", "circuit", "throttled", "off"):
            break
    return turn


def _is_answered(database: Database, candidate: AskCandidate) -> bool:
    """Tell whether this turn has answered it already: it is part of a play that another stretch named."""
    with database.read() as session:
        row = session.scalar(select(UnknownSound).where(UnknownSound.id == candidate.sound_id))
        return row is None or (row.asked_at is not None and row.ask_outcome not in LATER)


def _careful(deps: AskDeps) -> HybridParts:
    """Believe the outside as far as the tracker would: what it would not make a play of goes to people."""
    parts = deps.hybrid()
    outside = max(parts.routes.outside, deps.tracker.sure_score)
    return replace(parts, routes=replace(parts.routes, outside=outside))


def _ask(
    deps: AskDeps, parts: HybridParts, candidate: AskCandidate, sharers: int, turn: Turn
) -> Outcome | Literal["share"]:
    try:
        pcm = _clip(deps.storage, candidate.clip_key)
        answer = identify_hybrid(
            parts,
            pcm,
            asker=Asker(candidate.organisation_id, candidate.station_id, candidate.stream_id, sharers),
            started_at=candidate.clip_at,
            local=UNKNOWN,
            context={"sound_id": str(candidate.sound_id)},
        )
    except (NotFoundError, InputError) as error:  # forgotten meanwhile, or damaged
        log.warning("unknown_not_asked", sound=str(candidate.sound_id), error=error.message)
        answer = HybridAnswer("none", 0.0, None, "ask", "unfit")
    turn.asked += any(one.attempts for one in answer.asked)
    outcome: Outcome = answer.outcome or "off"
    if outcome == "budget" and any(one.refused == "share" for one in answer.asked):
        return "share"
    with deps.database.unit() as unit:
        sound = unit.session.scalar(select(UnknownSound).where(UnknownSound.id == candidate.sound_id))
        if sound is None or outcome in ("circuit", "throttled", "off"):
            return outcome
        answered(unit, candidate.sound_id, _noted(outcome), deps.clock.now())
        if answer.recording_id is not None:
            turn.plays += _take(deps, unit, sound, answer)
    _keep_evidence(deps, candidate, answer)
    return outcome


def _keep_evidence(deps: AskDeps, candidate: AskCandidate, answer: HybridAnswer) -> None:
    """Keep the very sound that was sent as evidence of the play that came of it."""
    from airledger.listening.evidence_keeper import keep_sample  # with it comes the engine

    if answer.recording_id is None or answer.sample is None:
        return
    keep_sample(
        deps.database,
        deps.storage,
        deps.clock.now(),
        stream_id=candidate.stream_id,
        recording_id=answer.recording_id,
        start_s=candidate.clip_at.timestamp() + answer.sample.begins_s,
        pcm=np.rint(read_wav(answer.sample.wav) * 32_767).astype(np.int16),
        score=answer.confidence,
    )


def _take(deps: AskDeps, unit: Unit, sound: UnknownSound, answer: HybridAnswer) -> int:
    """Make the play, and name the cluster with all its past plays; return how many plays that were."""
    if answer.match is None or answer.sample is None or answer.recording_id is None or sound.clip_at is None:
        return 0
    begin_s, end_s, members = stretch_of(unit.session, sound, answer.match)
    sample_s = sound.clip_at.timestamp() + answer.sample.begins_s
    heard = Heard(begin_s, end_s, sample_s, answer.sample.duration_s, answer.match)
    extent = extent_of(heard, deps.tracker)
    votes = vote(unit, sound, answer.recording_id, heard, extent, deps.tracker, deps.clock.now())
    if not convinces(heard, extent, answer.confidence, votes, deps.tracker):
        return 0
    named = NamedSound(
        answer.recording_id,
        extent,
        answer.source,
        answer.confidence,
        answer.acrcloud_response,
        answer.external_metadata,
        answer.processing_time_ms,
        answer.retry_count,
    )
    plays = name_sound(unit, Actor(ACTOR, sound.organisation_id), sound, named, deps.default_pro, deps.clock.now())
    for member in members:
        shared_s = min(extent.to_s, member.ended_at.timestamp()) - max(extent.from_s, member.started_at.timestamp())
        length_s = member.ended_at.timestamp() - member.started_at.timestamp()
        if member.asked_at is None and shared_s >= COVERED * length_s:
            answered(unit, member.id, "hit", deps.clock.now())
    return plays


def listeners(session: Session) -> tuple[int, set[int]]:
    """Return how many stations share the day, and the streams for which asking is switched off."""
    rows = session.execute(
        select(ListeningSession.stream_id, ListeningSession.config).where(ListeningSession.is_wanted)
    ).all()
    silent = {stream_id for stream_id, config in rows if (config or {}).get("enable_hybrid_detection") is False}
    return max(1, len(rows) - len(silent)), silent


def _clip(storage: Storage, key: str) -> NDArray[np.float32]:
    with storage.open(key) as file:
        return read_wav(file.read())


def _noted(outcome: Outcome) -> AskOutcome:
    if outcome in ANSWERED or outcome == "budget":
        return outcome  # type: ignore[return-value]
    return "failed"
