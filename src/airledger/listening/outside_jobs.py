"""Tasks that ask outside about what was heard."""

from typing import Any
from uuid import UUID

from airledger.listening.ask_parts import AskDeps
from airledger.listening.doubtful import ASK_DOUBTFUL, QUEUE, confirm
from airledger.platform.clock import from_epoch
from airledger.platform.errors import UnavailableError
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.outside.budget import Asker

ASK_UNKNOWN = "listening.ask_outside"
EVERY_S = 30


def declare(registry: Registry, deps: AskDeps) -> None:
    """Make the tasks known."""

    def ask_unknown(context: Context) -> Result:
        from airledger.listening.ask_outside import ask_about_unknown

        turn = ask_about_unknown(deps, stopping=context.stopping)
        return {"asked": turn.asked, "plays": turn.plays, "outcomes": turn.outcomes}

    def ask_doubtful(context: Context, **question: Any) -> Result:
        del context
        return ask_about_doubtful(deps, **question)

    registry.declare(ASK_UNKNOWN, QUEUE, ask_unknown)
    registry.declare(ASK_DOUBTFUL, QUEUE, ask_doubtful)


def ask_about_doubtful(
    deps: AskDeps,
    *,
    sound_key: str,
    organisation_id: str,
    stream_id: int,
    station_id: int | None,
    start_s: float,
    best: dict[str, Any],
) -> Result:
    """Ask about a window that our library half knows.

    Agreement marks the tracker's detection `hybrid`, a contradiction goes to people, no answer changes nothing.

    Raises:
        UnavailableError: No provider can be asked at present; the task tries again.
    """
    from airledger.listening.ask_outside import listeners
    from airledger.recognition.outside.hybrid import identify_hybrid
    from airledger.recognition.outside.sample import RATE_HZ, read_wav
    from airledger.recognition.outside.tell import answer_json

    parts = deps.hybrid()
    with deps.storage.open(sound_key) as file:
        pcm = read_wav(file.read())
    with deps.database.read() as session:
        sharers, silent = listeners(session)
    if stream_id in silent or not deps.is_wanted:
        deps.storage.delete(sound_key)
        return {"outcome": "off"}
    ours = Identified(**{**best, "recording_id": UUID(best["recording_id"])})
    answer = identify_hybrid(
        parts,
        pcm,
        asker=Asker(UUID(organisation_id), station_id, stream_id, sharers),
        started_at=from_epoch(start_s),
        local=Answer((ours,), is_silent=False, cpu_ms=0.0),
        context={"start_s": start_s},
    )
    if answer.outcome in ("circuit", "throttled", "failed"):
        raise UnavailableError("no outside provider can be asked at present")
    duration_s = len(pcm) / RATE_HZ
    with deps.database.unit() as unit:
        confirmed = confirm(unit, answer, stream_id, start_s, start_s + duration_s, deps.clock.now())
    deps.storage.delete(sound_key)
    return {**answer_json(answer), "confirmed": str(confirmed) if confirmed else None}
