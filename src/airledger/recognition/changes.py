"""What has changed in the library since somebody looked: numbered changes, read in pages.

The number is that of `library_state`, whose row a writer holds until its commit. A reader that asks for everything
above the last number it saw misses nothing, on PostgreSQL too, where the numbers of a sequence may commit out of order.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row as ResultRow
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.recognition.models import Fingerprint, LibraryState, RemovedTrack
from airledger.repertoire.models import Recording

STATE_ID = 1
PAGE_ROWS = 10_000
IDS_AT_ONCE = 500

TrackRow = ResultRow[int, UUID, UUID, int, int, str, int]


@dataclass(frozen=True)
class Changes:
    """What changed up to `revision`: pages of rows that came, in order of their track numbers, and tracks that went."""

    revision: int
    pages: Iterator[Sequence[TrackRow]]
    removed: frozenset[int]


def next_revision(session: Session) -> int:
    """Take the next number; other writers of the library wait until this unit ends."""
    step = update(LibraryState).where(LibraryState.id == STATE_ID).values(revision=LibraryState.revision + 1)
    taken: int | None = session.scalar(step.returning(LibraryState.revision))
    if taken is not None:
        return taken
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    session.execute(insert(LibraryState).values(id=STATE_ID, revision=0).on_conflict_do_nothing())
    first: int = session.execute(step.returning(LibraryState.revision)).scalar_one()
    return first


def current_revision(session: Session) -> int:
    """Return the number of the last change."""
    return session.scalar(select(LibraryState.revision).where(LibraryState.id == STATE_ID)) or 0


def read_changes(session: Session, since: int, made_with: Collection[str]) -> Changes | None:
    """Read what changed after revision `since`, None when nothing has; -1 for the whole library.

    Args:
        session: The pages must be read while it is open.
        since: The last revision that was read.
        made_with: Hashes of the parameters whose peaks can be used.
    """
    revision = current_revision(session)
    if revision == since:
        return None
    removed: frozenset[int] = frozenset()
    if since >= 0:
        gone = select(RemovedTrack.track).where(RemovedTrack.revision > since)
        removed = frozenset(session.scalars(gone))
    return Changes(revision, _pages(session, since, made_with), removed)


def _pages(session: Session, since: int, made_with: Collection[str]) -> Iterator[Sequence[TrackRow]]:
    """Read the library by track number, or what is new in it by revision, which its index finds without a scan."""
    query = (
        select(
            Fingerprint.track,
            Fingerprint.recording_id,
            Fingerprint.organisation_id,
            Fingerprint.audible_from_ms,
            Fingerprint.audible_to_ms,
            Recording.recording_class,
            Fingerprint.revision,
        )
        .join(Recording, Recording.id == Fingerprint.recording_id)
        .where(Fingerprint.params_hash.in_(made_with), Fingerprint.stands_for.is_(None))  # see stand_ins.py
        .limit(PAGE_ROWS)
    )
    if since < 0:
        behind = Fingerprint.track > -1
        query = query.order_by(Fingerprint.track)
    else:
        behind = Fingerprint.revision > since
        query = query.order_by(Fingerprint.revision, Fingerprint.track)
    while page := session.execute(query.where(behind)).all():
        yield page
        if len(page) < PAGE_ROWS:
            return
        last = page[-1]
        behind = Fingerprint.track > last.track
        if since >= 0:
            behind = (Fingerprint.revision > last.revision) | ((Fingerprint.revision == last.revision) & behind)


def forget_tracks(unit: Unit, tracks: Sequence[int], now: datetime) -> None:
    """Stop listening for tracks: their fingerprints go, and every running process hears of it."""
    if not tracks:
        return
    revision = next_revision(unit.session)
    for start in range(0, len(tracks), IDS_AT_ONCE):
        some = tracks[start : start + IDS_AT_ONCE]
        unit.session.execute(
            delete(Fingerprint).where(Fingerprint.track.in_(some)).execution_options(synchronize_session=False)
        )
        unit.session.execute(delete(RemovedTrack).where(RemovedTrack.track.in_(some)))  # those that stood back
    unit.session.add_all(RemovedTrack(track=track, revision=revision, removed_at=now) for track in tracks)


def touch_tracks(unit: Unit, recording_ids: Sequence[UUID]) -> None:
    """Have every process read what is told of these recordings anew, as after a change of their class."""
    revision = next_revision(unit.session)
    for start in range(0, len(recording_ids), IDS_AT_ONCE):
        some = recording_ids[start : start + IDS_AT_ONCE]
        unit.session.execute(
            update(Fingerprint)
            .where(Fingerprint.recording_id.in_(some))
            .values(revision=revision)
            .execution_options(synchronize_session=False)
        )
