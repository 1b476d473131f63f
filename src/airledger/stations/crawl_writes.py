"""Writing one chunk of a crawl: few statements, whatever the number of rows, so that the lock is held briefly."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.events import EventRow
from airledger.platform.logging import correlation_id
from airledger.stations.claims import FILLED, Claim, Draft, search_text
from airledger.stations.events import StreamAdded
from airledger.stations.models import UNPROVEN, Geolocation, Listing, Station, Stream


@dataclass(frozen=True, slots=True)
class KnownListing:
    """A listing of this source that is in the catalogue."""

    id: int
    stream_id: int
    claims: dict[str, Any]


@dataclass
class Chunk:
    """What one chunk of entries makes of the catalogue."""

    source: str
    drafts: dict[str, Draft] = field(default_factory=dict)
    listings_new: list[Claim] = field(default_factory=list)
    listings_changed: list[tuple[int, Claim]] = field(default_factory=list)
    listings_seen: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def known_streams(session: Session, url_keys: Iterable[str]) -> dict[str, Draft]:
    """Load the streams of some addresses as drafts without changes."""
    columns = [getattr(Stream, name) for name in FILLED]
    query = (
        select(Stream.url_key, Stream.id, Stream.url, Geolocation.geocoding_method, Geolocation.verified, *columns)
        .outerjoin(Geolocation, Geolocation.stream_id == Stream.id)
        .where(Stream.url_key.in_(list(url_keys)))
    )
    return {
        row.url_key: Draft(
            row.url_key,
            {"url": row.url} | dict(zip(FILLED, row[5:], strict=True)),
            id=row.id,
            method=row.geocoding_method,
            is_verified=bool(row.verified),
        )
        for row in session.execute(query)
    }


def known_listings(session: Session, source: str, keys: Iterable[str]) -> dict[str, KnownListing]:
    """Load this source's listings of some keys."""
    query = select(Listing.source_key, Listing.id, Listing.stream_id, Listing.claims)
    rows = session.execute(query.where(Listing.source == source, Listing.source_key.in_(list(keys))))
    return {row.source_key: KnownListing(row.id, row.stream_id, row.claims) for row in rows}


def write_chunk(session: Session, chunk: Chunk, now: datetime, *, check_frequency_s: int) -> int:
    """Write a chunk; return how many streams were really new (another crawl may have been faster).

    Args:
        session: Of a unit.
        chunk: What to write.
        now: Creation and update time.
        check_frequency_s: Nominal distance between checks of new streams.
    """
    # One order for all writers: two crawls that insert the same keys crosswise would wait for each other.
    drafts = sorted(chunk.drafts.values(), key=lambda draft: draft.url_key)
    fresh = [draft for draft in drafts if draft.id is None]
    added = _add_streams(session, fresh, now, check_frequency_s)
    _change_streams(session, [draft for draft in drafts if draft.changes], now)
    _write_positions(session, [draft for draft in drafts if draft.position])
    _write_listings(session, chunk, now)
    _tell_of(session, added, now)
    return len(added)


def _add_streams(session: Session, drafts: Sequence[Draft], now: datetime, check_frequency_s: int) -> list[Draft]:
    if not drafts:
        return []
    stations = _station_ids(session, drafts, now)
    rows = [
        {
            **{name: draft.values.get(name) for name in FILLED},
            "tags": draft.values.get("tags") or [],
            "url": draft.values["url"],
            "uuid": uuid4(),
            "url_key": draft.url_key,
            "host": draft.host,
            "station_id": stations[draft.identity],
            "search_text": search_text(draft.values),
            "state": UNPROVEN,
            "warnings": [],
            "check_frequency": check_frequency_s,
            "next_check_at": now,
            "created_at": now,
            "updated_at": now,
        }
        for draft in drafts
    ]
    session.execute(_insert_new(session, Stream.__table__), rows)
    wanted = select(Stream.url_key, Stream.id, Stream.uuid).where(Stream.url_key.in_([row["url_key"] for row in rows]))
    there = {row.url_key: row for row in session.execute(wanted)}
    added = []
    for draft, row in zip(drafts, rows, strict=True):
        found = there[draft.url_key]
        draft.id, draft.changes = found.id, {}
        if found.uuid == row["uuid"]:
            added.append(draft)
        else:  # somebody else added it between our look and our write, and knows where it is
            draft.position = None
    return added


def _station_ids(session: Session, drafts: Sequence[Draft], now: datetime) -> dict[str, int]:
    rows = {
        draft.identity: {
            "identity": draft.identity,
            "name": draft.values.get("name") or draft.host,
            "country_code": draft.values.get("country_code"),
            "website": draft.values.get("website"),
            "created_at": now,
        }
        for draft in reversed(drafts)
    }
    session.execute(_insert_new(session, Station.__table__), [rows[name] for name in sorted(rows)])
    found = session.execute(select(Station.identity, Station.id).where(Station.identity.in_(list(rows))))
    return {row.identity: row.id for row in found}


def _change_streams(session: Session, drafts: Sequence[Draft], now: datetime) -> None:
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for draft in drafts:
        row = {"id": draft.id, **draft.changes, "search_text": search_text(draft.values), "updated_at": now}
        by_columns.setdefault(tuple(sorted(draft.changes)), []).append(row)
    for rows in by_columns.values():
        session.execute(update(Stream), rows)


def _write_positions(session: Session, drafts: Sequence[Draft]) -> None:
    rows = [
        {
            "stream_id": draft.id,
            "latitude": draft.position.latitude,
            "longitude": draft.position.longitude,
            "accuracy_radius_km": draft.position.accuracy_radius_km,
            "geocoding_method": draft.position.method,
            "confidence_score": draft.position.confidence,
            "verified": False,
        }
        for draft in drafts
        if draft.position
    ]
    if rows:
        statement = _dialect_insert(session, Geolocation.__table__)
        replaced = {name: statement.excluded[name] for name in rows[0] if name != "stream_id"}
        session.execute(statement.on_conflict_do_update(index_elements=["stream_id"], set_=replaced), rows)


def _write_listings(session: Session, chunk: Chunk, now: datetime) -> None:
    if chunk.listings_new:
        rows = [
            {
                "stream_id": chunk.drafts[found.url_key].id,
                "source": chunk.source,
                "source_key": found.key,
                "claims": found.fields,
                "first_seen": now,
                "last_seen": now,
            }
            for found in sorted(chunk.listings_new, key=lambda found: found.key)
        ]
        session.execute(_insert_new(session, Listing.__table__), rows)
    if chunk.listings_changed:
        changes = [
            {
                "id": listing_id,
                "claims": found.fields,
                "stream_id": chunk.drafts[found.url_key].id,
                "last_seen": now,
            }
            for listing_id, found in chunk.listings_changed
        ]
        session.execute(update(Listing), changes)
    if chunk.listings_seen:
        session.execute(
            update(Listing)
            .where(Listing.id.in_(chunk.listings_seen))
            .values(last_seen=now)
            .execution_options(synchronize_session=False)
        )


def _tell_of(session: Session, added: Sequence[Draft], now: datetime) -> None:
    rows = [
        {
            "type": StreamAdded.name,
            "at": now,
            "correlation_id": correlation_id(),
            "payload": {
                "stream_id": draft.id,
                "title": draft.values.get("name"),
                "type": draft.values.get("type"),
                "country_code": draft.values.get("country_code"),
                "source": draft.source,
            },
        }
        for draft in added
    ]
    if rows:
        session.execute(insert(EventRow.__table__), rows)  # type: ignore[arg-type]


def _insert_new(session: Session, table: Any) -> Any:
    return _dialect_insert(session, table).on_conflict_do_nothing()


def _dialect_insert(session: Session, table: Any) -> Any:
    return (insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql)(table)
