"""An archive's rows: its station and stream, which files were heard, and what was heard in them."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.listening.archive_files import ArchivedFile
from airledger.listening.archive_hear import Heard, Progress, stretch_id
from airledger.listening.coverage import GAP, JOIN_S, Stretch
from airledger.listening.models import ArchiveFile, AudioDetection, Coverage, ListeningSession
from airledger.listening.outbox import Batch, HeardPlay, Target
from airledger.listening.record import store
from airledger.listening.tracker import Hypothesis, TrackerState
from airledger.platform.audit import Actor, record_change
from airledger.platform.clock import from_epoch
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError
from airledger.platform.words import index_words
from airledger.stations.models import RETIRED, Station, Stream

HEARING, HEARD, UNREADABLE = "hearing", "heard", "unreadable"
ARCHIVE = "archive"
STOPPED = "stopped"
SAME_SHARE = 0.5


@dataclass(frozen=True)
class Opened:
    """An archive that may be heard."""

    target: Target
    station_name: str
    zone: ZoneInfo
    is_new: bool


def open_archive(
    unit: Unit, actor: Actor, organisation_id: UUID, station: str, zone: ZoneInfo | None, now: datetime
) -> Opened:
    """Find a station by its id or name, or make it; its archive is a stream of its own beside the live ones.

    Args:
        unit: To work in.
        actor: Who hears it.
        organisation_id: For whom.
        station: Id or name of the station.
        zone: Of local times in file names; None takes the station's own, or UTC. Told to a station that has none.
        now: The present.

    Raises:
        ConflictError: Several stations have this name.
        InputError: The name is empty.
    """
    row, is_new = _station(unit, actor, station, now)
    if zone is not None and row.time_zone is None:
        row.time_zone = zone.key
    stream = _stream(unit, row, now)
    session = unit.session.scalar(select(ListeningSession).where(ListeningSession.stream_id == stream.id))
    if session is None:
        session = ListeningSession(
            session_id=uuid4(),
            organisation_id=organisation_id,
            stream_id=stream.id,
            is_wanted=False,
            is_manual=True,
            status=STOPPED,
            config={"kind": ARCHIVE},
        )
        unit.session.add(session)
        unit.session.flush()
    target = Target(session.session_id, organisation_id, stream.id, row.id, stream.url, row.name)
    return Opened(target, row.name, zone or ZoneInfo(row.time_zone or "UTC"), is_new)


def _station(unit: Unit, actor: Actor, station: str, now: datetime) -> tuple[Station, bool]:
    name = " ".join(station.split())[:300]
    if not name:
        raise InputError("the station needs a name, or an id of the catalogue")
    known = unit.session.get(Station, int(name)) if name.isdecimal() and len(name) < 16 else None  # noqa: PLR2004
    if known is not None:
        return known, False
    same = unit.session.scalars(
        select(Station).where(func.lower(Station.name) == name.lower()).order_by(Station.id).limit(20)
    ).all()
    if len(same) > 1:
        ids = ", ".join(str(one.id) for one in same)
        raise ConflictError(f"{len(same)} stations are called {name!r}: name one by its id ({ids})")
    if same:
        return same[0], False
    made = Station(identity=f"archive:{uuid4()}", name=name, created_at=now)
    unit.session.add(made)
    unit.session.flush()
    record_change(unit, actor, "added", "station", made.id, {"name": name}, at=now)
    return made, True


def _stream(unit: Unit, station: Station, now: datetime) -> Stream:
    url = f"archive://{station.uuid}"
    key = hashlib.sha256(url.encode()).hexdigest()
    known = unit.session.scalar(select(Stream).where(Stream.url_key == key))
    if known is not None:
        return known
    stream = Stream(
        station_id=station.id,
        url=url,
        url_key=key,
        host=ARCHIVE,
        name=f"{station.name} (archive)",
        tags=[],
        warnings=[],
        is_active=False,  # nobody can tune in to it, so nobody shall try
        state=RETIRED,
        retired_reason=ARCHIVE,
        has_sound=True,
        search_text=index_words(station.name, ["archive"]),
        created_at=now,
        updated_at=now,
    )
    unit.session.add(stream)
    unit.session.flush()
    return stream


def file_rows(session: Session, stream_id: int) -> dict[str, ArchiveFile]:
    """Return what is known of an archive's files, by name."""
    return {row.path: row for row in session.scalars(select(ArchiveFile).where(ArchiveFile.stream_id == stream_id))}


@dataclass(frozen=True)
class FileState:
    """How far a file was heard."""

    file: ArchivedFile
    head_sha256: str
    state: str
    started_s: float
    ended_s: float
    position: int
    progress: Progress
    cause: str | None = None
    detail: str | None = None


def save(unit: Unit, target: Target, heard: Heard, files: Iterable[FileState], now: datetime) -> tuple[int, int]:
    """Store what was heard, and how far; return how many plays are new or changed, and how many were known already.

    Known are plays that the station's other streams logged: an archive shall fill what live listening missed.
    """
    fresh, known = _plays(unit.session, target, heard)
    gaps = _filled_gaps(unit.session, target, heard)
    coverage = {one.id: (target, one) for one in [*gaps, *heard.coverage.values()]}
    store(unit, Batch(plays=fresh, coverage=coverage), now)
    for one in files:
        _save_file(unit, target, one, now)
    row = unit.session.get(ListeningSession, target.session_id)
    if row is not None:
        row.windows, row.matched = row.windows + heard.windows, row.matched + heard.matched
        ends_s = [stretch.end_s for stretch in heard.coverage.values()]
        if ends_s:
            row.last_sound_at = max(row.last_sound_at or from_epoch(0), from_epoch(max(ends_s)))
    return len(fresh), known


def _plays(session: Session, target: Target, heard: Heard) -> tuple[dict[UUID, HeardPlay], int]:
    rows = {
        row.detection_id: row
        for row in session.scalars(select(AudioDetection).where(AudioDetection.detection_id.in_(heard.plays)))
    }
    fresh, known = {}, 0
    for identity, play in heard.plays.items():
        row = rows.get(identity)
        if row is not None and _is_stored(row, play):
            continue
        if row is None and _is_logged_live(session, target, play):
            known += 1
            continue
        revision = row.revision + 1 if row is not None else 1
        fresh[identity] = replace(play, hypothesis=replace(play.hypothesis, revision=revision))
    return fresh, known


def _is_stored(row: AudioDetection, play: HeardPlay) -> bool:
    one = play.hypothesis
    return (row.started_at, row.ended_at, row.windows, row.segments, row.is_partial, row.processing_status) == (
        from_epoch(play.started_s),
        from_epoch(play.ended_s),
        one.votes,
        one.segments,
        one.is_partial,
        one.state,
    )


def _is_logged_live(session: Session, target: Target, play: HeardPlay) -> bool:
    started, ended = from_epoch(play.started_s), from_epoch(play.ended_s)
    others = session.execute(
        select(AudioDetection.started_at, AudioDetection.ended_at).where(
            AudioDetection.station_id == target.station_id,
            AudioDetection.stream_id != target.stream_id,
            AudioDetection.recording_id == play.hypothesis.recording_id,
            AudioDetection.started_at < ended,
            AudioDetection.ended_at > started,
        )
    )
    shared = sum(((min(end, ended) - max(begin, started)) for begin, end in others), start=timedelta())
    return shared >= SAME_SHARE * (ended - started)


def _filled_gaps(session: Session, target: Target, heard: Heard) -> list[Stretch]:
    """Shorten or delete gaps that were told before and are filled now; return what is left of them."""
    heard_now = [one for one in heard.coverage.values() if one.kind != GAP]
    if not heard_now:
        return []
    begin_s, end_s = min(one.start_s for one in heard_now), max(one.end_s for one in heard_now)
    gaps = session.scalars(
        select(Coverage).where(
            Coverage.stream_id == target.stream_id,
            Coverage.kind == GAP,
            Coverage.started_at < from_epoch(end_s),
            Coverage.ended_at > from_epoch(begin_s),
            Coverage.id.not_in(list(heard.coverage)),
        )
    ).all()
    left: list[Stretch] = []
    for gap in gaps:
        gap_begin_s, gap_end_s = gap.started_at.timestamp(), gap.ended_at.timestamp()
        for from_s, to_s in ((gap_begin_s, begin_s), (end_s, gap_end_s)):
            if to_s - from_s > JOIN_S:
                left.append(Stretch(stretch_id(target.stream_id, GAP, from_s), GAP, from_s, to_s, gap.cause))
        session.delete(gap)
    session.flush()
    return left


def _save_file(unit: Unit, target: Target, one: FileState, now: datetime) -> None:
    row = unit.session.scalar(
        select(ArchiveFile).where(ArchiveFile.stream_id == target.stream_id, ArchiveFile.path == one.file.name)
    )
    if row is None:
        row = ArchiveFile(stream_id=target.stream_id, path=one.file.name)
        unit.session.add(row)
    row.organisation_id, row.session_id = target.organisation_id, target.session_id
    row.size_bytes, row.modified_ns = one.file.size_bytes, one.file.modified_ns
    row.head_sha256, row.state, row.cause, row.detail = one.head_sha256, one.state, one.cause, one.detail
    row.dated_by, row.doubt = one.file.dated.by, one.file.dated.doubt
    row.started_at, row.ended_at = from_epoch(one.started_s), from_epoch(one.ended_s)
    row.position, row.progress, row.heard_at = one.position, progress_to_json(one.progress), now


def is_same(row: ArchiveFile, file: ArchivedFile, head_sha256: str) -> bool:
    """Tell whether a file is the one that a row speaks of; copying and touching do not change it."""
    if row.size_bytes != file.size_bytes:
        return False
    return row.modified_ns == file.modified_ns or row.head_sha256 == head_sha256


def progress_to_json(progress: Progress) -> dict[str, Any]:
    """Write a place to go on from."""
    plain: dict[str, Any] = {
        "tracker": {
            "heard_until_s": progress.tracker.heard_until_s,
            "hypotheses": [_plain(one) for one in progress.tracker.hypotheses],
        },
        "coverage": _plain(progress.coverage) if progress.coverage else None,
    }
    for name in ("last_speed", "origin_s", "taken", "held"):
        plain[name] = getattr(progress, name)
    return plain


def progress_from_json(plain: dict[str, Any]) -> Progress:
    """Read what `progress_to_json` wrote; one of another version begins anew."""
    try:
        hypotheses = tuple(
            Hypothesis(**{**one, "id": UUID(one["id"]), "recording_id": UUID(one["recording_id"])})
            for one in plain["tracker"]["hypotheses"]
        )
        coverage = plain["coverage"]
        return Progress(
            tracker=TrackerState(hypotheses, plain["tracker"]["heard_until_s"]),
            coverage=Stretch(**{**coverage, "id": UUID(coverage["id"])}) if coverage else None,
            last_speed=plain["last_speed"],
            origin_s=plain["origin_s"],
            taken=plain["taken"],
            held=plain["held"],
        )
    except (KeyError, TypeError, ValueError):
        return Progress()


def _plain(one: Hypothesis | Stretch) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in asdict(one).items()}
