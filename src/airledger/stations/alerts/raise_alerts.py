"""Opening and closing alerts as the catalogue's events tell, and noting who shall hear of it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.events import Told
from airledger.stations.alerts.models import CLOSED, OPENED, Alert, AlertNotice, AlertSubscription
from airledger.stations.cause import Cause
from airledger.stations.events import StreamClassChanged, StreamDegrading, StreamFlapping, StreamStateChanged
from airledger.stations.models import FAILING, OFF_HOURS, PLAYING, RETIRED, Stream, Verification
from airledger.stations.watching.network import network_of

DOWN, FLAPPING, DEGRADING, SILENCE, WRONG_PROGRAMME = "down", "flapping", "degrading", "silence", "wrong_programme"
KINDS = (DOWN, SILENCE, FLAPPING, DEGRADING, WRONG_PROGRAMME)
EVENTS = (StreamStateChanged, StreamFlapping, StreamDegrading, StreamClassChanged)
PROGRAMME = frozenset({"music", "speech", "mixed"})  # classes that a station may go between at any time
SILENT_CAUSES = frozenset({Cause.SILENT, Cause.LOOPED})
# Causes that a host's other streams are likely to share: they are looked at soon, so that one message tells of all.
SHARED_CAUSES = frozenset(
    {
        Cause.DEAD_HOST,
        Cause.REFUSED,
        Cause.UNREACHABLE,
        Cause.TIMEOUT,
        Cause.STALLED,
        Cause.TLS,
        Cause.SERVER_ERROR,
        Cause.FORBIDDEN,
    }
)
HURRIED = 16
JUST_CHECKED = timedelta(minutes=1)


def hear(unit: Unit, told: Told, now: datetime) -> None:
    """Take in an event of the catalogue: `EVENTS` are those that matter. In the unit that moves the cursor."""
    stream = unit.session.get(Stream, told.payload["stream_id"])
    if stream is None:
        return
    if told.type == StreamStateChanged.name:
        _state_changed(unit, stream, told, now)
    elif told.type == StreamFlapping.name:
        detail = "It has come and gone several times within its last 21 checks."
        _open_or_close(unit, stream, FLAPPING, told, is_open=told.payload["is_flapping"], detail=detail)
    elif told.type == StreamDegrading.name:
        reasons = " ".join(told.payload["reasons"])
        _open_or_close(unit, stream, DEGRADING, told, is_open=bool(told.payload["reasons"]), detail=reasons)
    elif told.type == StreamClassChanged.name:
        was, now_is = told.payload["from_class"], told.payload["to_class"]
        if now_is in PROGRAMME or was in PROGRAMME:
            detail = f"It is heard to be {now_is.replace('_', ' ')}, and was {was} before."
            _open_or_close(unit, stream, WRONG_PROGRAMME, told, is_open=now_is not in PROGRAMME, detail=detail)


def open_alert(
    unit: Unit, stream: Stream, kind: str, *, at: datetime, cause: str | None = None, detail: str = ""
) -> int | None:
    """Open an alert and note who shall hear of it; None when one of this kind is open already.

    Args:
        unit: The unit to work in.
        stream: What it is about.
        kind: One of `KINDS`.
        at: When it began.
        cause: A value of `Cause`.
        detail: A sentence for people.
    """
    row = {
        "stream_id": stream.id,
        "kind": kind,
        "opened_at": at,
        "cause": cause,
        "detail": detail,
        "name": (stream.name or stream.url)[:200],
        "host": stream.host,
        "network": network_of(stream.remote_address),
    }
    statement = _insert(unit.session, Alert).values(row).on_conflict_do_nothing().returning(Alert.id)
    alert_id: int | None = unit.session.scalar(statement)
    if alert_id is not None:
        wanted = unit.session.scalars(select(AlertSubscription))
        channels = {one.channel_id for one in wanted if wants(one, stream, kind)}
        _note(unit.session, [(alert_id, channel_id) for channel_id in sorted(channels)], OPENED, at)
    return alert_id


def close_alerts(unit: Unit, stream_id: int, kinds: Collection[str], *, at: datetime) -> list[int]:
    """Close a stream's open alerts of some kinds, and note it for those who were to hear of them; return which."""
    closed = unit.session.scalars(
        update(Alert)
        .where(Alert.stream_id == stream_id, Alert.kind.in_(kinds), Alert.closed_at.is_(None))
        .values(closed_at=at)
        .returning(Alert.id)
        .execution_options(synchronize_session=False)
    ).all()
    if closed:
        query = select(AlertNotice.alert_id, AlertNotice.channel_id)
        query = query.where(AlertNotice.alert_id.in_(closed), AlertNotice.what == OPENED)
        _note(unit.session, [(row.alert_id, row.channel_id) for row in unit.session.execute(query)], CLOSED, at)
    return list(closed)


def wants(one: AlertSubscription, stream: Stream, kind: str) -> bool:
    """Tell whether a subscription is for an alert. Empty lists do not narrow; several narrow together."""
    return (
        (not one.kinds or kind in one.kinds)
        and (not one.station_ids or stream.station_id in one.station_ids)
        and (not one.stream_ids or stream.id in one.stream_ids)
        and (not one.countries or stream.country_code in one.countries)
        and (not one.tags or not _folded(one.tags).isdisjoint(_folded(stream.tags)))
    )


def _state_changed(unit: Unit, stream: Stream, told: Told, now: datetime) -> None:
    before, after = told.payload["from_state"], told.payload["to_state"]
    if after == FAILING and before in (PLAYING, OFF_HOURS):
        cause = told.payload["cause"]
        kind = SILENCE if cause in SILENT_CAUSES else DOWN
        open_alert(unit, stream, kind, at=told.at, cause=cause, detail=_last_words(unit.session, stream.id))
        if cause in SHARED_CAUSES:
            _hurry_neighbours(unit.session, stream, now)
    elif after == PLAYING:
        close_alerts(unit, stream.id, (DOWN, SILENCE), at=told.at)
    elif after == RETIRED:
        close_alerts(unit, stream.id, KINDS, at=told.at)


def _open_or_close(unit: Unit, stream: Stream, kind: str, told: Told, *, is_open: bool, detail: str) -> None:
    if is_open:
        open_alert(unit, stream, kind, at=told.at, detail=detail)
    else:
        close_alerts(unit, stream.id, (kind,), at=told.at)


def _last_words(session: Session, stream_id: int) -> str:
    query = select(Verification.detail).where(Verification.stream_id == stream_id, Verification.is_healthy.is_(False))
    return session.scalar(query.order_by(Verification.checked_at.desc(), Verification.id.desc()).limit(1)) or ""


def _hurry_neighbours(session: Session, stream: Stream, now: datetime) -> None:
    """Have some other streams of the host looked at now: one that failed alone stays alone, a dead host shows."""
    neighbours = (
        select(Stream.id)
        .where(Stream.host == stream.host, Stream.id != stream.id, Stream.state == PLAYING)
        .where(Stream.next_check_at > now, Stream.last_checked < now - JUST_CHECKED)
        .order_by(Stream.last_checked)
        .limit(HURRIED)
    )
    ids: Sequence[int] = session.scalars(neighbours).all()
    if ids:
        change = update(Stream).where(Stream.id.in_(ids)).values(next_check_at=now)
        session.execute(change.execution_options(synchronize_session=False))


def _note(session: Session, whom: Iterable[tuple[int, UUID]], what: str, at: datetime) -> None:
    rows = [{"alert_id": alert_id, "channel_id": channel_id, "what": what, "at": at} for alert_id, channel_id in whom]
    if rows:
        session.execute(_insert(session, AlertNotice).on_conflict_do_nothing(), rows)


def _folded(words: Iterable[str]) -> set[str]:
    return {word.casefold() for word in words}


def _insert(session: Session, table: Any) -> Any:
    return (insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql)(table)
