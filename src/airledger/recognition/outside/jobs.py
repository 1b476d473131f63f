"""Tasks of asking outside, under the mission's names."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from airledger.platform.audit import Actor
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.settings import Settings
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.platform.tasks.run import HandedBackError
from airledger.recognition.outside.affiliate import due_for_mapping, map_presumed
from airledger.recognition.outside.answer import ACRCLOUD, AUDD
from airledger.recognition.outside.budget import Asker
from airledger.recognition.outside.enrich import due_for_metadata, fill_from, isrcs_of_recordings
from airledger.recognition.outside.forget import QUESTIONS, forget_sounds, question_key
from airledger.recognition.outside.hybrid import HybridParts, ask_outside, identify_hybrid
from airledger.recognition.outside.isrc import IsrcDesk
from airledger.recognition.outside.refit import refit_all
from airledger.recognition.outside.sample import read_wav, wav_of
from airledger.recognition.outside.tell import answer_json, asked_json

HYBRID = "hybrid_audio_detection"
IDENTIFY = "acrcloud_identify_audio"
ISRC_METADATA = "update_isrc_metadata"
PRO_MAPPINGS = "batch_update_pro_mappings"
REFIT = "recognition.refit_outside"
FORGET = "recognition.forget_sounds"
BATCH = 50
NIGHTLY = 200


@dataclass(frozen=True)
class Deps:
    """What the tasks need; the heavy parts are made when first asked for."""

    database: Database
    clock: Clock
    storage: Storage
    settings: Settings
    hybrid: Callable[[], HybridParts]
    isrc: Callable[[], IsrcDesk]
    organisation_id: Callable[[], UUID]


def declare(registry: Registry, deps: Deps) -> None:
    """Make the tasks of this room known.

    The sound of the first two lies in storage as 8 kHz mono WAV under `sound_key`; a key that `store_question` gave
    out is deleted once it is answered. Their result is the answer as JSON.
    """

    def hybrid_audio_detection(
        context: Context, *, sound_key: str, organisation_id: str, started_at: str | None = None, **where: Any
    ) -> Result:
        del context
        pcm = _sound(deps.storage, sound_key)
        asker = _asker(organisation_id, where)
        answer = identify_hybrid(deps.hybrid(), pcm, asker=asker, started_at=_moment(deps.clock, started_at))
        _done_with(deps.storage, sound_key)
        return answer_json(answer)

    def acrcloud_identify_audio(
        context: Context, *, sound_key: str, organisation_id: str, started_at: str | None = None, **where: Any
    ) -> Result:
        del context
        pcm = _sound(deps.storage, sound_key)
        asker = _asker(organisation_id, where)
        moment = _moment(deps.clock, started_at)
        _, asked = ask_outside(deps.hybrid(), pcm, asker=asker, started_at=moment, only=ACRCLOUD)
        _done_with(deps.storage, sound_key)
        return {"asked": [asked_json(one) for one in asked], "outcome": asked[-1].answer.outcome if asked else "off"}

    def update_isrc_metadata(
        context: Context, *, recording_ids: list[str] | None = None, organisation_id: str | None = None
    ) -> Result:
        owner = UUID(organisation_id) if organisation_id else deps.organisation_id()
        return update_metadata(deps, context, owner, recording_ids)

    def batch_update_pro_mappings(context: Context, *, organisation_id: str | None = None) -> Result:
        owner = UUID(organisation_id) if organisation_id else deps.organisation_id()
        return update_mappings(deps, context, owner)

    def refit_outside(context: Context) -> Result:
        del context
        with deps.database.unit() as unit:
            return {"refitted": {name: asdict(curve) for name, curve in refit_all(unit, deps.clock.now()).items()}}

    def forget(context: Context) -> Result:
        days = deps.settings.evidence_days
        reviews, questions = forget_sounds(
            deps.database, deps.storage, deps.clock.now(), days=days, stopping=context.stopping
        )
        return {"reviews": reviews, "questions": questions}

    registry.declare(HYBRID, "recognise", hybrid_audio_detection)
    registry.declare(IDENTIFY, "recognise", acrcloud_identify_audio)
    registry.declare(ISRC_METADATA, "default", update_isrc_metadata)
    registry.declare(PRO_MAPPINGS, "default", batch_update_pro_mappings)
    registry.declare(REFIT, "default", refit_outside)
    registry.declare(FORGET, "default", forget)


def configured(settings: Settings) -> list[str]:
    """Name the providers that have an account, in the order in which they are asked."""
    has_cloud = settings.acrcloud_access_key.get_secret_value() and settings.acrcloud_access_secret.get_secret_value()
    has_audd = settings.audd_api_token.get_secret_value()
    return [name for name, has_account in ((ACRCLOUD, has_cloud), (AUDD, has_audd)) if has_account]


def is_configured(settings: Settings) -> bool:
    """Tell whether there is anybody outside who could be asked, and whether they shall be."""
    return settings.enable_hybrid_fallback and bool(configured(settings))


def store_question(storage: Storage, pcm: NDArray[np.float32], now: datetime) -> str:
    """Store a sound for the first two tasks (float32[n] within ±1, mono, 8 kHz); return its `sound_key`."""
    key = question_key(now, uuid4().hex)
    storage.put(key, wav_of(pcm))
    return key


def update_metadata(deps: Deps, context: Context, organisation_id: UUID, recording_ids: list[str] | None) -> Result:
    """Look up the ISRCs of recordings (those named, else those that lack album or label) and fill what is empty."""
    with deps.database.read() as session:
        if recording_ids is None:
            due = due_for_metadata(session, organisation_id, limit=NIGHTLY)
        else:
            due = isrcs_of_recordings(session, organisation_id, [UUID(one) for one in recording_ids])
    outcomes: dict[str, int] = {}
    filled = 0
    for done, (recording_id, isrc) in enumerate(due):
        if context.stopping():
            raise HandedBackError
        answer = deps.isrc().look_up(isrc)
        outcomes[answer.outcome] = outcomes.get(answer.outcome, 0) + 1
        with deps.database.unit() as unit:
            filled += fill_from(unit, Actor("system:isrc", organisation_id), recording_id, answer, deps.clock.now())
        context.progress((done + 1) / len(due))
    return {"looked_up": len(due), "filled": filled, "outcomes": outcomes}


def update_mappings(deps: Deps, context: Context, organisation_id: UUID) -> Result:
    """Note the presumed society of all music whose mapping is a day old or missing."""
    mapped = changed = 0
    while not context.stopping():
        now = deps.clock.now()
        with deps.database.unit() as unit:
            due = due_for_mapping(unit.session, organisation_id, now, limit=BATCH)
            changed += map_presumed(unit, due, deps.settings.default_pro, now)
        mapped += len(due)
        if len(due) < BATCH:
            break
    return {"mapped": mapped, "changed": changed}


def _sound(storage: Storage, key: str) -> NDArray[np.float32]:
    with storage.open(key) as file:
        return read_wav(file.read())


def _done_with(storage: Storage, key: str) -> None:
    if key.startswith(QUESTIONS):
        storage.delete(key)


def _asker(organisation_id: str, where: dict[str, Any]) -> Asker:
    return Asker(UUID(organisation_id), where.get("station_id"), where.get("stream_id"), where.get("sharers", 0))


def _moment(clock: Clock, started_at: str | None) -> datetime:
    return clock.now() if started_at is None else datetime.fromisoformat(started_at)
