"""What is stored of unknown sound: the newest state of each stretch. Storing the same twice changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.listening.models import KEPT, OPEN, UnknownSound
from airledger.platform.clock import from_epoch

FOLDER = "unknown"


@dataclass(frozen=True)
class KeptSound:
    """A stretch whose objects are stored, ready to be a row.

    Attributes:
        id: Of the stretch.
        organisation_id: For whom it was heard.
        session_id: In which session.
        stream_id: Where.
        station_id: The stream's station, if it is known.
        start_s: Air time, seconds since 1970.
        end_s: Likewise.
        is_closed: It grows no more.
        revision: Of the stretch; a lower one never replaces a higher one.
        peaks_key: Object with its peaks.
        clip_key: Object with some seconds of its sound.
        clip_s: Air time of the clip's first sample.
    """

    id: UUID
    organisation_id: UUID
    session_id: UUID
    stream_id: int
    station_id: int | None
    start_s: float
    end_s: float
    is_closed: bool
    revision: int
    peaks_key: str
    clip_key: str | None
    clip_s: float | None


def from_row(row: dict[str, Any]) -> KeptSound:
    """Read what `dataclasses.asdict` and JSON made of one.

    Raises:
        KeyError, TypeError, ValueError: It was written by another version, or cut off.
    """
    ids = {name: UUID(row[name]) for name in ("id", "organisation_id", "session_id")}
    return KeptSound(**{**row, **ids})


def store_kept(session: Session, kept: Iterable[KeptSound]) -> int:
    """Write rows; return how many are new or have grown."""
    return sum(_store(session, one) for one in kept)


def day_folder(at: datetime) -> str:
    """Return where the objects of a day lie, so that a day's leftovers can be found."""
    return f"{FOLDER}/{at:%Y%m%d}/"


def _store(session: Session, one: KeptSound) -> bool:
    known = session.scalar(select(UnknownSound.revision).where(UnknownSound.id == one.id))
    if known is not None and known >= one.revision:
        return False
    values = {
        "id": one.id,
        "organisation_id": one.organisation_id,
        "session_id": one.session_id,
        "stream_id": one.stream_id,
        "station_id": one.station_id,
        "started_at": from_epoch(one.start_s),
        "ended_at": from_epoch(one.end_s),
        "state": KEPT if one.is_closed else OPEN,
        "revision": one.revision,
        "peaks_key": one.peaks_key,
        "clip_key": one.clip_key,
        "clip_at": None if one.clip_s is None else from_epoch(one.clip_s),
    }
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    growing = {name: value for name, value in values.items() if name != "id"}
    session.execute(insert(UnknownSound).values(values).on_conflict_do_update(index_elements=["id"], set_=growing))
    return True
