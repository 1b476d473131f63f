"""Tasks of the recognition room. The names of the first two are the mission's."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from airledger.platform.audit import Actor
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import InputError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.recognition.uploads import UPLOADS_QUEUE

if TYPE_CHECKING:  # the engine loads only in processes that do these tasks
    from airledger.recognition.enrol import Enroller
    from airledger.recognition.index_here import IndexHere

RECOGNISE_BATCH = "recognise_batch"
ANSWER_PART = "recognition.answer_part"
JOIN_ANSWERS = "recognition.join_answers"
PLAN_BUILDS = "recognition.plan_builds"
BUILD_SHARD = "recognition.build_shard"
TEND_INDEX = "recognition.tend_index"
AUTO_FINGERPRINT = "auto_fingerprint_new_tracks"
CLEANUP = "cleanup_old_fingerprints"
ENROL_UPLOAD = "recognition.enrol_upload"
COPY_BYTES = 1 << 20

log = logger(__name__)


@dataclass(frozen=True)
class Deps:
    """What the tasks need.

    Attributes:
        database: Rows.
        storage: Objects.
        clock: The time.
        organisation_id: Whose recordings the watched folders hold.
        folders: Watched folders.
        enroller: Makes the enroller of an organisation; loads the engine.
        index: The index of this machine, or its shards; loads the engine.
        shards: Into how many shards the index is cut.
        is_published: Whether its segments lie in storage.
    """

    database: Database
    storage: Storage
    clock: Clock
    organisation_id: UUID
    folders: tuple[Path, ...]
    enroller: "Callable[[UUID, Actor], Enroller]"
    index: "Callable[[], IndexHere]"
    shards: int = 1
    is_published: bool = False


def declare(registry: Registry, deps: Deps) -> None:
    """Make the tasks of this room known."""

    def auto_fingerprint_new_tracks(context: Context) -> Result:
        return _fingerprint_new(deps, context)

    def cleanup_old_fingerprints(context: Context) -> Result:
        from airledger.recognition.clear import clear_library

        return asdict(clear_library(deps.database, deps.storage, deps.clock, context.stopping))

    def enrol_upload(context: Context, run_id: str, key: str, name: str, row: dict[str, str]) -> Result:
        del context
        return _enrol_upload(deps, UUID(run_id), key, name, row)

    registry.declare(AUTO_FINGERPRINT, UPLOADS_QUEUE, auto_fingerprint_new_tracks)
    _declare_index(registry, deps)
    registry.declare(CLEANUP, "default", cleanup_old_fingerprints)
    registry.declare(ENROL_UPLOAD, UPLOADS_QUEUE, enrol_upload)


def _declare_index(registry: Registry, deps: Deps) -> None:
    """Declare what asks and builds the index."""

    def recognise_batch(context: Context, batch: str) -> Result:
        del context
        return _spread(deps, registry, batch)

    def answer_part(context: Context, batch: str, shard: int) -> Result:
        del context

        def join(session: Session) -> None:
            now, key = deps.clock.now(), f"join:{batch}"
            registry.enqueue(session, JOIN_ANSWERS, {"batch": batch}, now=now, unique_key=key)

        return deps.index().batches().answer_part(UUID(batch), shard, join)

    def join_answers(context: Context, batch: str) -> Result:
        del context
        return deps.index().batches().join(UUID(batch))

    def plan_builds(context: Context) -> Result:
        del context
        return _plan_builds(deps, registry)

    def build_shard(context: Context, shard: int) -> Result:
        del context
        return asdict(deps.index().builder().build(shard))

    def tend_index(context: Context) -> Result:
        added, merged = deps.index().tend(context.stopping)
        return {"added": added, "merged": merged}

    registry.declare(RECOGNISE_BATCH, "recognise", recognise_batch)
    registry.declare(ANSWER_PART, "recognise", answer_part)
    registry.declare(JOIN_ANSWERS, "recognise", join_answers)
    registry.declare(PLAN_BUILDS, "default", plan_builds)
    registry.declare(BUILD_SHARD, "analyse", build_shard)
    registry.declare(TEND_INDEX, "analyse", tend_index)


def _spread(deps: Deps, registry: Registry, batch: str) -> Result:
    """Have each shard asked by whichever worker is free."""
    now = deps.clock.now()
    with deps.database.unit() as unit:
        for shard in range(deps.shards):
            args = {"batch": batch, "shard": shard}
            registry.enqueue(unit.session, ANSWER_PART, args, now=now, unique_key=f"part:{batch}:{shard}")
    return {"shards": deps.shards}


def _plan_builds(deps: Deps, registry: Registry) -> Result:
    """Have those shards built that the library has changed since."""
    from airledger.recognition.changes import current_revision

    if not deps.is_published:
        return {"shards": []}
    with deps.database.read() as session:
        revision = current_revision(session)
    due = deps.index().due(revision)
    now = deps.clock.now()
    with deps.database.unit() as unit:
        for shard in due:
            registry.enqueue(unit.session, BUILD_SHARD, {"shard": shard}, now=now, unique_key=f"build-shard:{shard}")
    return {"shards": due}


def _fingerprint_new(deps: Deps, context: Context) -> Result:
    """Make stale fingerprints anew, and enrol what is new in the watched folders."""
    from airledger.recognition.enrol import sound_files
    from airledger.recognition.enrol_many import Manner, enrol_many
    from airledger.recognition.renew import renew_stale
    from airledger.recognition.runs import begin_run

    actor = Actor("system:library", deps.organisation_id)
    enroller = deps.enroller(deps.organisation_id, actor)
    renewed = renew_stale(deps.enroller, enroller, context.stopping)
    files: list[Path] = []
    for folder in deps.folders:
        try:
            files += sound_files([folder])
        except InputError as error:
            log.warning("library_folder_missing", folder=str(folder), error=error.message)
    counts: dict[str, int] = {}
    if files:
        run = begin_run(deps.database, deps.clock, deps.organisation_id, actor, len(files))
        for one in enrol_many(enroller, files, {}, Manner(workers=1, stopping=context.stopping)):
            run.note(one)
            context.progress(run.done / len(files))
        run.finish(stopped=context.stopping())
        counts = dict(run.counts)
    return {**counts, "stale_renewed": renewed.renewed, "needs_file": renewed.needs_file}


def _enrol_upload(deps: Deps, run_id: UUID, key: str, name: str, row: dict[str, str]) -> Result:
    """Enrol a file that was uploaded; its copy in storage is removed whatever comes of it."""
    from airledger.recognition.models import EnrolmentRun
    from airledger.recognition.runs import begin_run

    with deps.database.read() as session:
        found = session.get_one(EnrolmentRun, run_id)
        organisation_id, started_by = found.organisation_id, found.started_by
    actor = Actor(started_by, organisation_id)
    run = begin_run(deps.database, deps.clock, organisation_id, actor, 1, run_id=run_id)
    with tempfile.TemporaryDirectory(prefix="airledger-upload-") as folder:
        copy = Path(folder) / (Path(name).name[-100:] or "upload")
        with deps.storage.open(key) as source, copy.open("wb") as target:
            while block := source.read(COPY_BYTES):
                target.write(block)
        done = deps.enroller(organisation_id, actor).enrol(copy, row)
    run.note(done)
    run.finish()
    deps.storage.delete(key)
    return {"outcome": done.outcome, "recording_id": str(done.recording_id or ""), "reason": done.reason}
