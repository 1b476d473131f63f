"""Tasks about unknown sound: judge, compare, look back, forget."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from airledger.audio.speech import SpeechModelMissingError
from airledger.listening.unknown_forget import forget_before, forget_clips, forget_speech
from airledger.listening.unknown_judge import judge_new
from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result

if TYPE_CHECKING:  # the engine loads only where these tasks run
    from airledger.listening.unknown_compare import Comparer
    from airledger.listening.unknown_look_back import LookBack

JUDGE = "listening.judge_unknown"
COMPARE = "listening.compare_unknown"
LOOK_BACK = "listening.look_back"
FORGET = "listening.forget_unknown"
CLIP_DAYS = 3  # sound is large, and by then it was asked about or is not worth it
SOON = timedelta(seconds=2)  # several recordings are usually enrolled at a time


class _Engines:
    """What the tasks keep between turns, made when the first one runs."""

    def __init__(self, database: Database, storage: Storage, clock: Clock, folder: Path) -> None:
        self._make = (database, storage, clock, folder)
        self._made: tuple[Comparer, LookBack] | None = None

    def get(self) -> "tuple[Comparer, LookBack]":
        """Return the comparer and what looks back; they share the index."""
        if self._made is None:
            from airledger.listening.unknown_compare import Comparer
            from airledger.listening.unknown_index import UnknownIndex
            from airledger.listening.unknown_look_back import LookBack

            database, storage, clock, folder = self._make
            index = UnknownIndex(folder, database, storage)
            self._made = Comparer(database, clock, index), LookBack(database, storage, clock, index)
        return self._made


def declare(registry: Registry, database: Database, storage: Storage, clock: Clock, *, folder: Path, days: int) -> None:
    """Make the tasks known.

    Args:
        registry: Of the application.
        database: Where the rows are.
        storage: Where the objects are.
        clock: Tells the time.
        folder: Of this machine's index of unknown sound.
        days: How long unknown sound is kept.
    """
    engines = _Engines(database, storage, clock, folder)

    def judge(context: Context) -> Result:
        try:
            return _until_done(
                lambda: asdict(judge_new(database, storage, stopping=context.stopping)), "sounds", context
            )
        except SpeechModelMissingError as error:
            return {"skipped": str(error)}

    def compare(context: Context) -> Result:
        comparer, _ = engines.get()
        return _until_done(lambda: asdict(comparer.turn(stopping=context.stopping)), "stretches", context)

    def look_back(context: Context) -> Result:
        _, looking = engines.get()
        return _until_done(lambda: asdict(looking.turn(stopping=context.stopping)), "recordings", context)

    def forget(context: Context) -> Result:
        now = clock.now()
        return {
            "speech": forget_speech(database, storage, stopping=context.stopping),
            "clips": forget_clips(database, storage, now - timedelta(days=CLIP_DAYS)),
            "sounds": forget_before(database, storage, now - timedelta(days=days), stopping=context.stopping),
        }

    registry.declare(JUDGE, "analyse", judge)
    registry.declare(COMPARE, "recognise", compare)
    registry.declare(LOOK_BACK, "recognise", look_back)
    registry.declare(FORGET, "default", forget)


def look_back_soon(unit: Unit, registry: Registry, now: datetime) -> None:
    """Have what was enrolled just now be sought in the unknown sound; once for all of it."""
    registry.enqueue(unit.session, LOOK_BACK, {}, now=now, run_at=now + SOON, unique_key="listening.look_back.soon")


def _until_done(turn: Callable[[], dict[str, float]], counted: str, context: Context) -> dict[str, float]:
    """Take turns until one had nothing to do; return the sums."""
    total: dict[str, float] = {}
    while not context.stopping():
        done = turn()
        total = {name: total.get(name, 0) + value for name, value in done.items()}
        if not done[counted]:
            break
    return total
