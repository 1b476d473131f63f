"""What people do to the catalogue by hand: submit a stream, have it proven now, retire it. All audit-logged."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, NotFoundError
from airledger.platform.events import publish
from airledger.platform.tasks.registry import Registry
from airledger.stations.blocking.blocked import load_block_list
from airledger.stations.events import StreamStateChanged
from airledger.stations.models import RETIRED, UNPROVEN, Stream
from airledger.stations.sources.base import LIMITS_CHARS, Entry, text
from airledger.stations.taking import take_one
from airledger.stations.urls import parse_address

PROBE_TASK = "stations.probe"
REQUESTED_PRIORITY = 10
OPTED_OUT = "opted_out"
BY_REQUEST = "by_request"
BY_USERS = "user"


@dataclass(frozen=True)
class Submitted:
    """A submitted stream; `is_new` is False when the catalogue had it already."""

    stream_id: int
    is_new: bool


def submit(
    unit: Unit, registry: Registry, url: str, actor: Actor, *, now: datetime, name: str | None = None
) -> Submitted:
    """Take a stream into the catalogue by its address and have it proven at once.

    Args:
        unit: The unit to work in.
        registry: Where the proof is asked for.
        url: An http or https address.
        actor: Who submits.
        now: The present.
        name: What the stream is called; proofs fill it from the stream's own headers otherwise.

    Raises:
        UrlRefusedError: The address cannot be used.
        ConflictError: Its owner asked us not to index it.
    """
    done = submit_entry(unit, Entry(url=url, name=text(name, LIMITS_CHARS["name"])), actor, now=now)
    request_probe(unit, registry, done.stream_id, now=now)
    return done


def submit_entry(unit: Unit, entry: Entry, actor: Actor, *, now: datetime, source: str = BY_USERS) -> Submitted:
    """Take a stream with all that is said of it; it is proven when its turn comes, which is soon.

    The same entry again changes nothing, and a retired stream comes back unless its owner asked us to leave it out.

    Raises:
        UrlRefusedError: The address cannot be used.
        ConflictError: Its owner asked us not to index it, or it is on the block list.
    """
    address = parse_address(entry.url)
    stream = unit.session.scalar(select(Stream).where(Stream.url_key == address.key))
    if load_block_list(unit.session).is_blocked(address.url):
        raise ConflictError("This address is on the block list: its owner, or a moderator, asked us to leave it out.")
    if stream is not None and stream.retired_reason == OPTED_OUT:
        raise ConflictError("The owner of this stream asked directories not to list it.")
    stream_id, is_new = take_one(unit.session, entry, source, now)
    if stream is not None and stream.state == RETIRED:
        revive_stream(unit, stream, now)
    record_change(unit, actor, "submitted", "stream", stream_id, {"url": address.url}, at=now)
    return Submitted(stream_id, is_new)


def request_probe(unit: Unit, registry: Registry, stream_id: int, *, now: datetime) -> UUID | None:
    """Have a stream proven before all others; None when such a proof is waiting already.

    Raises:
        NotFoundError: There is no such stream.
    """
    if unit.session.scalar(select(Stream.id).where(Stream.id == stream_id)) is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    return registry.enqueue(
        unit.session,
        PROBE_TASK,
        {"stream_ids": [stream_id], "planned_at": now.isoformat()},
        now=now,
        unique_key=f"probe:{stream_id}",
        priority=REQUESTED_PRIORITY,
    )


def retire(unit: Unit, stream_id: int, actor: Actor, *, now: datetime, reason: str = BY_REQUEST) -> None:
    """Take a stream off the air of the catalogue; its history stays.

    Raises:
        NotFoundError: There is no such stream.
    """
    stream = unit.session.get(Stream, stream_id)
    if stream is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    if stream.state == RETIRED and stream.retired_reason == reason:
        return
    record_change(unit, actor, "retired", "stream", stream_id, {"reason": reason, "was": stream.state}, at=now)
    retire_stream(unit, stream, reason, now)


def retire_stream(unit: Unit, stream: Stream, reason: str, now: datetime) -> None:
    """Retire a loaded stream and tell of it."""
    _change_state(unit, stream, RETIRED, now)
    stream.is_active, stream.retired_reason, stream.next_check_at = False, reason, None


def revive_stream(unit: Unit, stream: Stream, now: datetime) -> None:
    """Take a retired stream in again: it is unproven, and due now."""
    _change_state(unit, stream, UNPROVEN, now)
    stream.is_active, stream.retired_reason, stream.failing_since = True, None, None
    stream.failures_in_row = stream.successes_in_row = 0
    stream.next_check_at = now


def _change_state(unit: Unit, stream: Stream, state: str, now: datetime) -> None:
    if stream.state == state:
        return
    change = StreamStateChanged(stream_id=stream.id, from_state=stream.state, to_state=state, cause=stream.cause)
    stream.state, stream.updated_at = state, now
    publish(unit, change, at=now)
