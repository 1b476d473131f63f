"""Asking to be left out, and deciding about it: takedown requests, the block list, what it retires. Audit-logged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError, LimitError, NotFoundError
from airledger.stations.blocking.blocked import HOST, KINDS, PATTERN, URL, BlockList
from airledger.stations.blocking.models import DECLINED, GRANTED, OPEN, Blocked, TakedownRequest
from airledger.stations.models import RETIRED, Stream
from airledger.stations.submit import retire_stream, revive_stream
from airledger.stations.urls import parse_address

TAKEN_DOWN = "taken_down"
MOST_OPEN_OF_ONE = 20
MOST_OPEN = 2_000
CHUNK = 200
_MAILBOX = re.compile(r"[^@\s\x00-\x1f<>,;\"()]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_PATTERN = re.compile(r"[^\x00-\x20]{4,500}")
LEAST_PLAIN_CHARS = 8  # of a pattern: one that fits half the world is a mistake


@dataclass(frozen=True)
class Decided:
    """What a decision led to: how many streams were retired at once; the rest follow with the nightly clean-up."""

    retired: int


def request_takedown(
    unit: Unit, url: str, reason: str, contact: str, *, whole_host: bool, now: datetime
) -> TakedownRequest:
    """Ask, as anybody may, that a stream be left out. Asking again for the same is one request.

    Raises:
        UrlRefusedError: The address is none.
        InputError: The contact is no mail address.
        LimitError: Too many requests of this contact, or of all, wait for a decision.
    """
    address = parse_address(url)
    if not _MAILBOX.fullmatch(contact):
        raise InputError("contact must be a mail address that we can answer to")
    waiting = select(TakedownRequest).where(TakedownRequest.status == OPEN)
    same = waiting.where(TakedownRequest.url == address.url, TakedownRequest.contact == contact)
    known = unit.session.scalars(same.limit(1)).first()
    if known is not None:
        known.reason, known.whole_host = reason, whole_host
        return known
    count = select(func.count()).select_from(TakedownRequest).where(TakedownRequest.status == OPEN)
    mine = unit.session.scalar(count.where(TakedownRequest.contact == contact)) or 0
    if mine >= MOST_OPEN_OF_ONE or (unit.session.scalar(count) or 0) >= MOST_OPEN:
        raise LimitError("too many requests wait for a decision: please write to us")
    row = TakedownRequest(
        id=uuid4(), url=address.url, host=address.host, whole_host=whole_host, reason=reason, contact=contact, at=now
    )
    row.status = OPEN
    unit.session.add(row)
    unit.session.flush()
    return row


def grant(unit: Unit, actor: Actor, request_id: UUID, answer: str, *, now: datetime) -> Decided:
    """Grant a request: its address, or its host, is blocked and its streams are retired.

    Raises:
        NotFoundError: There is no such request.
        ConflictError: It has been decided.
    """
    request = _open_request(unit.session, request_id)
    kind, value = (HOST, request.host) if request.whole_host else (URL, request.url)
    _decide(unit, actor, request, GRANTED, answer, now)
    if not _is_listed(unit.session, kind, value):
        block(unit, actor, kind, value, f"takedown request {request.id}", now=now)
    return Decided(retire_blocked(unit, actor, now))


def decline(unit: Unit, actor: Actor, request_id: UUID, answer: str, *, now: datetime) -> None:
    """Decline a request.

    Raises:
        NotFoundError: There is no such request.
        ConflictError: It has been decided.
    """
    _decide(unit, actor, _open_request(unit.session, request_id), DECLINED, answer, now)


def block(unit: Unit, actor: Actor, kind: str, value: str, reason: str, *, now: datetime) -> Blocked:
    """Put an address, host or pattern on the block list; streams it fits are retired by `retire_blocked`.

    Raises:
        InputError: It is no address, host or pattern.
        ConflictError: It is on the list.
    """
    value = _checked(kind, value)
    if _is_listed(unit.session, kind, value):
        raise ConflictError(f"{value} is blocked already")
    row = Blocked(id=uuid4(), kind=kind, value=value, reason=reason, by=actor.name, since=now)
    unit.session.add(row)
    unit.session.flush()
    record_change(unit, actor, "blocked", "blocked", row.id, {"kind": kind, "value": value, "reason": reason}, at=now)
    return row


def unblock(unit: Unit, actor: Actor, blocked_id: UUID, *, now: datetime) -> None:
    """Take an entry off the block list; what it retired is taken in again, some hundreds at once.

    Raises:
        NotFoundError: There is no such entry.
    """
    row = unit.session.get(Blocked, blocked_id)
    if row is None:
        raise NotFoundError(f"there is no blocked entry {blocked_id}")
    record_change(unit, actor, "unblocked", "blocked", row.id, {"kind": row.kind, "value": row.value}, at=now)
    unit.session.delete(row)
    unit.session.flush()
    _forgive(unit, actor, now)


def retire_blocked(unit: Unit, actor: Actor, now: datetime, limit: int = CHUNK) -> int:
    """Retire streams that are on the block list, at most some; return how many."""
    rows = unit.session.execute(select(Blocked.kind, Blocked.value)).all()
    listed = BlockList.of((row.kind, row.value) for row in rows)
    conditions = [Stream.url == row.value for row in rows if row.kind == URL]
    for row in rows:
        if row.kind == HOST:
            conditions += [Stream.host == row.value, Stream.host.endswith(f".{row.value}", autoescape=True)]
        elif row.kind == PATTERN:
            plain = max(re.split(r"[*?]+", row.value), key=len)
            conditions.append(func.lower(Stream.url).contains(plain.lower(), autoescape=True))
    if not conditions:
        return 0
    found = unit.session.scalars(select(Stream).where(Stream.state != RETIRED, or_(*conditions)).limit(4 * limit))
    chosen = [stream for stream in found if listed.is_blocked(stream.url)][:limit]
    for stream in chosen:
        change = {"reason": TAKEN_DOWN, "was": stream.state}
        record_change(unit, actor, "retired", "stream", stream.id, change, at=now)
        retire_stream(unit, stream, TAKEN_DOWN, now)
    return len(chosen)


def find_requests(session: Session, status: str | None = None, limit: int = 200) -> Sequence[TakedownRequest]:
    """List requests, those that wait first, then the newest."""
    query = select(TakedownRequest)
    if status is not None:
        query = query.where(TakedownRequest.status == status)
    order = (TakedownRequest.status == OPEN).desc(), TakedownRequest.at.desc(), TakedownRequest.id
    return session.scalars(query.order_by(*order).limit(limit)).all()


def find_blocked(session: Session, limit: int = 1_000) -> Sequence[Blocked]:
    """List the block list, newest first."""
    return session.scalars(select(Blocked).order_by(Blocked.since.desc(), Blocked.id).limit(limit)).all()


def export_requests(session: Session, contact: str) -> list[dict[str, Any]]:
    """Return what is kept under a person's mail address."""
    query = select(TakedownRequest).where(func.lower(TakedownRequest.contact) == contact.lower())
    return [
        {"at": row.at.isoformat(), "url": row.url, "reason": row.reason, "status": row.status, "answer": row.answer}
        for row in session.scalars(query.order_by(TakedownRequest.at))
    ]


def delete_requests(unit: Unit, actor: Actor, contact: str, *, now: datetime) -> int:
    """Delete what is kept under a person's mail address; entries on the block list stay. Return how many."""
    gone = unit.session.scalars(
        delete(TakedownRequest)
        .where(func.lower(TakedownRequest.contact) == contact.lower())
        .returning(TakedownRequest.id)
        .execution_options(synchronize_session=False)
    ).all()
    for request_id in gone:
        record_change(unit, actor, "deleted", "takedown_request", request_id, {"by": "request of the person"}, at=now)
    return len(gone)


def _open_request(session: Session, request_id: UUID) -> TakedownRequest:
    request = session.get(TakedownRequest, request_id)
    if request is None:
        raise NotFoundError(f"there is no takedown request {request_id}")
    if request.status != OPEN:
        raise ConflictError(f"this request was {request.status} already")
    return request


def _decide(unit: Unit, actor: Actor, request: TakedownRequest, status: str, answer: str, now: datetime) -> None:
    request.status, request.answer = status, answer
    request.decided_at, request.decided_by = now, actor.name
    record_change(unit, actor, status, "takedown_request", request.id, {"url": request.url}, at=now)


def _is_listed(session: Session, kind: str, value: str) -> bool:
    found = select(Blocked.id).where(Blocked.kind == kind, Blocked.value == value)
    return session.scalar(found.limit(1)) is not None


def _checked(kind: str, value: str) -> str:
    if kind == URL:
        return parse_address(value).url
    if kind == HOST:
        return parse_address(f"http://{value.strip().strip('.')}/").host
    plain = max(re.split(r"[*?]+", value), key=len, default="")
    if kind != PATTERN or not _PATTERN.fullmatch(value) or len(plain) < LEAST_PLAIN_CHARS:
        raise InputError(
            f"give one of {', '.join(KINDS)}; a pattern has {LEAST_PLAIN_CHARS} characters in a row without * and ?"
        )
    return value


def _forgive(unit: Unit, actor: Actor, now: datetime) -> None:
    """Take streams in again that nothing blocks any more."""
    rows = unit.session.execute(select(Blocked.kind, Blocked.value)).all()
    listed = BlockList.of((row.kind, row.value) for row in rows)
    query = select(Stream).where(Stream.state == RETIRED, Stream.retired_reason == TAKEN_DOWN)
    for stream in unit.session.scalars(query.limit(CHUNK)).all():
        if not listed.is_blocked(stream.url):
            revive_stream(unit, stream, now)
            record_change(unit, actor, "revived", "stream", stream.id, {"was": TAKEN_DOWN}, at=now)
