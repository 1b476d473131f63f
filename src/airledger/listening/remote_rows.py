"""The server's side of remote listening: who may send for which stream, and what came and waits to be recognised.

A client names its streams by keys of its own (`remote_key`), so that it can listen before it has reached us.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.listening.models import ListeningSession, RemoteSource, RemoteWindow
from airledger.listening.remote_wire import SentWindow, decode_batch
from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, NotFoundError, UnavailableError
from airledger.platform.tasks.registry import Registry
from airledger.stations.submit import submit

REMOTE = "remote"
MOST_WAITING = 200_000


def remote_key(client_id: UUID, url: str) -> UUID:
    """Name a client's stream."""
    return uuid5(client_id, url)


@dataclass(frozen=True)
class Accepted:
    """What became of a batch.

    Attributes:
        acknowledged: Number of the client's last batch that is here.
        ignored: Windows of streams that the client has not registered.
    """

    acknowledged: int
    ignored: int = 0


@dataclass(frozen=True)
class Registered:
    """A stream that a client may send for."""

    session_id: UUID
    stream_id: int
    acknowledged: int


def register(
    unit: Unit,
    registry: Registry,
    actor: Actor,
    organisation_id: UUID,
    client_id: UUID,
    url: str,
    now: datetime,
    *,
    name: str | None = None,
) -> Registered:
    """Let a client send what it hears of a stream; the stream comes into the catalogue if it is new.

    Raises:
        ConflictError: This server hears the stream itself, another client does, or the client is another
            organisation's.
        UrlRefusedError: The address cannot be used.
    """
    source = _source(unit.session, organisation_id, client_id, now)
    stream_id = submit(unit, registry, url, actor, now=now, name=name).stream_id
    row = unit.session.scalar(select(ListeningSession).where(ListeningSession.stream_id == stream_id))
    if row is None:
        row = ListeningSession(
            session_id=uuid4(), organisation_id=organisation_id, stream_id=stream_id, status="waiting", config={}
        )
        unit.session.add(row)
    elif row.organisation_id != organisation_id or (row.is_wanted and row.config.get("kind") != REMOTE):
        raise ConflictError(f"this server hears stream {stream_id} itself: stop that first")
    elif row.is_wanted and row.config.get("client_id") != str(client_id):
        raise ConflictError(f"another remote listener sends for stream {stream_id}: stop that first")
    if not row.is_wanted or row.config.get("kind") != REMOTE:
        record_change(unit, actor, "started", "listening_session", row.session_id, {"client": str(client_id)}, at=now)
    row.is_wanted, row.is_manual = True, True
    key = str(remote_key(client_id, url))
    row.config = {**row.config, "kind": REMOTE, "client_id": str(client_id), "remote_key": key}
    unit.session.flush()
    return Registered(row.session_id, stream_id, source.sequence)


def accept(unit: Unit, organisation_id: UUID, client_id: UUID, sequence: int, body: bytes, now: datetime) -> Accepted:
    """Take a batch.

    A number that was here before changes nothing, so a client whose answer was lost simply sends again.

    Raises:
        WireError: It is no batch.
        NotFoundError: The client is not registered.
        UnavailableError: Too much waits to be recognised.
    """
    windows = decode_batch(body)
    source = unit.session.get(RemoteSource, client_id, with_for_update=True)
    if source is None or source.organisation_id != organisation_id:
        raise NotFoundError("this remote listener is not registered: register its streams first")
    if sequence <= source.sequence:
        return Accepted(source.sequence)
    sessions = _sessions(unit.session, organisation_id, client_id)
    waiting = unit.session.scalar(
        select(func.count()).select_from(RemoteWindow).where(RemoteWindow.organisation_id == organisation_id)
    )
    if (waiting or 0) + len(windows) > MOST_WAITING:
        raise UnavailableError("more windows wait to be recognised than we keep: try again later")
    ours = [one for one in windows if one.session_id in sessions]
    unit.session.add_all([_row(organisation_id, sessions[one.session_id], one, now) for one in ours])
    source.sequence, source.seen_at = sequence, now
    return Accepted(sequence, len(windows) - len(ours))


def waiting_windows(session: Session, session_id: UUID, limit: int) -> list[RemoteWindow]:
    """List what waits of a session, in the order in which it came."""
    query = select(RemoteWindow).where(RemoteWindow.session_id == session_id).order_by(RemoteWindow.id).limit(limit)
    return list(session.scalars(query))


def _source(session: Session, organisation_id: UUID, client_id: UUID, now: datetime) -> RemoteSource:
    source = session.get(RemoteSource, client_id)
    if source is None:
        source = RemoteSource(client_id=client_id, organisation_id=organisation_id, sequence=0, seen_at=now)
        session.add(source)
    elif source.organisation_id != organisation_id:
        raise ConflictError("this remote listener belongs to another organisation: empty its buffer's folder")
    return source


def _sessions(session: Session, organisation_id: UUID, client_id: UUID) -> dict[UUID, UUID]:
    """Map a client's keys to its sessions."""
    rows = session.execute(
        select(ListeningSession.session_id, ListeningSession.config).where(
            ListeningSession.organisation_id == organisation_id, ListeningSession.is_manual, ListeningSession.is_wanted
        )
    )
    return {
        UUID(config["remote_key"]): identity
        for identity, config in rows
        if config.get("kind") == REMOTE and config.get("client_id") == str(client_id)
    }


def _row(organisation_id: UUID, session_id: UUID, window: SentWindow, now: datetime) -> RemoteWindow:
    return RemoteWindow(
        organisation_id=organisation_id,
        session_id=session_id,
        kind=window.kind,
        start_s=window.start_s,
        length_s=window.length_s,
        payload=window.payload,
        received_at=now,
    )
