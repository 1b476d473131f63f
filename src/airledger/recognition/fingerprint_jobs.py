"""Fingerprinting on request, as tasks under the mission's names."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airledger.platform.audit import Actor
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.platform.tasks.run import HandedBackError

if TYPE_CHECKING:  # the engine loads only in processes that do these tasks
    from airledger.recognition.enrol import Enroller
    from airledger.recognition.fingerprint_track import FingerprintMade
    from airledger.recognition.profiles import ProfileName

TRACK = "enhanced_fingerprint_track"
BATCH = "batch_enhanced_fingerprint"
MOST_TRACKS = 200
MOST_WORKERS = 4


@dataclass(frozen=True)
class Deps:
    """What the tasks need; the enroller loads the engine."""

    storage: Storage
    enroller: "Callable[[UUID, Actor], Enroller]"


def declare(registry: Registry, deps: Deps) -> None:
    """Make the tasks known.

    A track is `{"key", "name", "row"}` of an upload in storage, which is deleted once it was dealt with, or
    `{"recording_id"}`. The result tells what became of each.
    """

    def enhanced_fingerprint_track(
        context: Context, *, organisation_id: str, actor: str, profile: "ProfileName", track: dict[str, Any]
    ) -> Result:
        del context
        (made,) = _make(deps, Actor(actor, UUID(organisation_id)), profile, [track], 1)
        _delete_uploads(deps.storage, [track])
        return made.as_json()

    def batch_enhanced_fingerprint(
        context: Context,
        *,
        organisation_id: str,
        actor: str,
        profile: "ProfileName",
        tracks: list[dict[str, Any]],
        max_workers: int = MOST_WORKERS,
    ) -> Result:
        results = []
        for made in _make(deps, Actor(actor, UUID(organisation_id)), profile, tracks, max_workers):
            results.append(made.as_json())
            context.progress(len(results) / len(tracks))
            if context.stopping() and len(results) < len(tracks):
                raise HandedBackError  # what is done is known then, and passed over
        _delete_uploads(deps.storage, tracks)
        outcomes = [one["outcome"] for one in results]
        counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
        return {"tracks": len(tracks), "outcomes": counts, "results": results}

    registry.declare(TRACK, "analyse", enhanced_fingerprint_track)
    registry.declare(BATCH, "analyse", batch_enhanced_fingerprint)


def _make(
    deps: Deps, actor: Actor, profile: "ProfileName", tracks: list[dict[str, Any]], workers: int
) -> "Iterator[FingerprintMade]":
    """Fingerprint tracks, some at a time, each thread with a decoder of its own; results come in their order."""
    from airledger.recognition.decode import FileDecoder
    from airledger.recognition.fingerprint_track import Wish, fingerprint_track, with_profile

    assert actor.organisation_id is not None  # noqa: S101  made by the callers above
    enroller = with_profile(deps.enroller(actor.organisation_id, actor), profile)

    own = threading.local()

    def make(track: dict[str, Any]) -> "FingerprintMade":
        return fingerprint_track(enroller, deps.storage, Wish(**track), own.decoder)

    def give_decoder() -> None:
        own.decoder = decoders.enter_context(FileDecoder())

    width = max(1, min(workers, MOST_WORKERS, len(tracks)))
    with contextlib.ExitStack() as decoders:
        pool = ThreadPoolExecutor(width, thread_name_prefix="fingerprint", initializer=give_decoder)
        try:
            yield from pool.map(make, tracks)
        finally:
            pool.shutdown(cancel_futures=True)


def _delete_uploads(storage: Storage, tracks: list[dict[str, Any]]) -> None:
    for track in tracks:
        if track.get("key"):
            storage.delete(track["key"])
