"""Submitting streams by the list, and deciding about what waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, LimitError, NotFoundError
from airledger.stations.models import RETIRED, Stream
from airledger.stations.sources.base import LIMITS_CHARS, Entry, Refused, country, kbps, link, tags, text
from airledger.stations.submissions.models import ACCEPTED, PENDING, REFUSED, Submission
from airledger.stations.submit import submit_entry
from airledger.stations.urls import UrlRefusedError, parse_address

MAX_BATCH = 1_000
MAX_WAITING_EACH = 500
TAKEN, KNOWN, WAITING = "taken", "known", "waiting"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one submitted stream.

    Attributes:
        where: Its place in the list.
        outcome: `taken`, `known` (the catalogue has it), `waiting` (for a moderator) or `refused`.
        reason: Why it was refused.
    """

    where: str
    url: str | None
    outcome: str
    stream_id: int | None = None
    submission_id: UUID | None = None
    reason: str | None = None


def entry_of(told: Mapping[str, Any], where: str) -> Entry:
    """Make what a user says of a stream fit for the catalogue: within limits, one line each, no markup."""
    kind = told.get("type")
    return Entry(
        url=str(told.get("url", "")),
        name=text(told.get("name"), LIMITS_CHARS["name"]),
        type=kind if kind in {"radio", "tv"} else None,
        genre=text(told.get("genre"), LIMITS_CHARS["genre"]),
        bitrate=kbps(told.get("bitrate")),
        country_code=country(told.get("country_code")),
        city=text(told.get("city")),
        language=text(told.get("language")),
        website=link(told.get("website")),
        description=text(told.get("description"), LIMITS_CHARS["description"]),
        logo=link(told.get("logo")),
        tags=tags(told.get("tags")),
        where=where,
    )


def submit_all(
    unit: Unit,
    entries: Iterable[Entry | Refused],
    actor: Actor,
    *,
    now: datetime,
    may_write: bool,
    submitter: str | None = None,
) -> list[Outcome]:
    """Take a list of streams, or keep it for a moderator. The same list again changes nothing.

    Args:
        unit: The unit to work in.
        entries: At most 1,000.
        actor: Who submits.
        now: The present.
        may_write: Whether the submitter may change the catalogue.
        submitter: Whose the submissions are, whatever key they came by; None: the actor's.

    Raises:
        LimitError: The list is longer, or the submitter has too much waiting already.
    """
    outcomes: list[Outcome] = []
    for entry in entries:
        if len(outcomes) >= MAX_BATCH:
            raise LimitError(f"At most {MAX_BATCH:,} streams can be submitted at once: split the list.")
        if isinstance(entry, Refused):
            outcomes.append(Outcome(entry.where, None, REFUSED, reason=entry.reason))
            continue
        try:
            if may_write:
                done = submit_entry(unit, entry, actor, now=now)
                outcomes.append(Outcome(entry.where, entry.url, TAKEN if done.is_new else KNOWN, done.stream_id))
            else:
                outcomes.append(_propose(unit, entry, actor, submitter or actor.name, now))
        except UrlRefusedError as error:
            outcomes.append(Outcome(entry.where, entry.url[:200], REFUSED, reason=error.reason))
        except ConflictError:
            outcomes.append(Outcome(entry.where, entry.url[:200], REFUSED, reason="opted_out"))
    return outcomes


def _propose(unit: Unit, entry: Entry, actor: Actor, submitter: str, now: datetime) -> Outcome:
    address = parse_address(entry.url)
    stream = unit.session.execute(select(Stream.id, Stream.state).where(Stream.url_key == address.key)).first()
    if stream is not None and stream.state != RETIRED:
        return Outcome(entry.where, address.url, KNOWN, stream.id)
    row = unit.session.scalar(select(Submission).where(Submission.url_key == address.key))
    if row is None:
        if _waiting_of(unit.session, submitter) >= MAX_WAITING_EACH:
            raise LimitError(f"You have {MAX_WAITING_EACH} submissions waiting: a moderator has to decide first.")
        row = Submission(
            url=address.url,
            url_key=address.key,
            fields=_plain(entry),
            submitted_by=submitter,
            organisation_id=actor.organisation_id,
            created_at=now,
        )
        unit.session.add(row)
        unit.session.flush()
        record_change(unit, actor, "submitted", "submission", row.id, {"url": address.url}, at=now)
    outcome = {PENDING: WAITING, ACCEPTED: KNOWN, REFUSED: REFUSED}[row.status]
    return Outcome(entry.where, address.url, outcome, row.stream_id, row.id, row.reason)


def find_submissions(
    session: Session, status: str | None, *, limit: int, cursor: str | None = None
) -> tuple[list[Submission], str | None]:
    """List submissions, oldest first, and the cursor of the next page."""
    query = select(Submission)
    if status is not None:
        query = query.where(Submission.status == status)
    if cursor is not None:
        at, last_id = decode_place(cursor)
        later = Submission.created_at > at
        query = query.where(later | ((Submission.created_at == at) & (Submission.id > last_id)))
    rows = list(session.scalars(query.order_by(Submission.created_at, Submission.id).limit(limit + 1)))
    following = encode_place(rows[limit - 1].created_at, rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], following


def accept(unit: Unit, submission_id: UUID, actor: Actor, *, now: datetime) -> Submission:
    """Take a submission into the catalogue; its proof comes next.

    Raises:
        NotFoundError: There is no such submission.
        ConflictError: It is decided, or the stream's owner opted out.
    """
    row = _waiting(unit, submission_id)
    done = submit_entry(unit, entry_of({"url": row.url, **row.fields}, ""), actor, now=now)
    row.status, row.stream_id, row.decided_at, row.decided_by = ACCEPTED, done.stream_id, now, actor.name
    record_change(unit, actor, "accepted", "submission", row.id, {"stream_id": done.stream_id}, at=now)
    return row


def refuse(unit: Unit, submission_id: UUID, reason: str, actor: Actor, *, now: datetime) -> Submission:
    """Refuse a submission; whoever submits the address again hears why.

    Raises:
        NotFoundError: There is no such submission.
        ConflictError: It is decided.
    """
    row = _waiting(unit, submission_id)
    row.status, row.reason, row.decided_at, row.decided_by = REFUSED, reason, now, actor.name
    record_change(unit, actor, "refused", "submission", row.id, {"reason": reason}, at=now)
    return row


def _waiting(unit: Unit, submission_id: UUID) -> Submission:
    row = unit.session.get(Submission, submission_id)
    if row is None:
        raise NotFoundError(f"there is no submission {submission_id}")
    if row.status != PENDING:
        raise ConflictError(f"this submission is {row.status} already")
    return row


def _waiting_of(session: Session, submitter: str) -> int:
    query = select(func.count()).where(Submission.submitted_by == submitter, Submission.status == PENDING)
    return session.scalar(query) or 0


def _plain(entry: Entry) -> dict[str, Any]:
    names = ("name", "type", "genre", "bitrate", "country_code", "city", "language", "website", "description", "logo")
    told = {name: getattr(entry, name) for name in names} | {"tags": list(entry.tags)}
    return {name: value for name, value in told.items() if value}
