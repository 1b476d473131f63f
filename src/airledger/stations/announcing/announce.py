"""What Icecast says to a directory: `add`, `touch`, `remove`; and what we make of it.

Protocol: a form is POSTed; the answer stands in the headers `YPResponse` (1 or 0), `YPMessage`, `SID`, `TouchFreq`. An
announced stream enters the catalogue as any other: unproven, so nobody is served it before a proof succeeded. What the
server says of its stream is believed only where the listen URL leads to the very address that announced it.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError, LimitError
from airledger.platform.guard import AddressGuard
from airledger.stations.announcing.models import YpAnnouncement
from airledger.stations.models import PLAYING, RETIRED, UNPROVEN, Listing, Stream
from airledger.stations.sources.base import LIMITS_CHARS, Entry, kbps, link, tags, text
from airledger.stations.sources.icecast_yp import CODECS
from airledger.stations.submit import OPTED_OUT, retire_stream
from airledger.stations.taking import take_one
from airledger.stations.urls import Address, parse_address

SOURCE = "yp"
TOUCH_EVERY_S = 200
MISSED_TOUCHES = 3
MAX_OPEN_PER_ADDRESS = 200
EXPIRE_CHUNK = 200
ANNOUNCEMENT_ENDED = "announcement_ended"
FILLER = frozenset({"unspecified name", "unspecified description", "no name", "n/a", "various"})


@dataclass(frozen=True, slots=True)
class Announced:
    """What the server is told: the id to touch with, and how often."""

    sid: str
    touch_every_s: int = TOUCH_EVERY_S


def listen_address(form: Mapping[str, str]) -> Address:
    """Read the address that is announced.

    Raises:
        UrlRefusedError: It is none, or none that can be used.
    """
    return parse_address(form.get("listenurl", ""))


def check_reachable(guard: AddressGuard, host_addresses: Collection[str]) -> None:
    """Refuse what only the announcing machine can reach.

    Raises:
        InputError: The host has no address, or one that is not of the open internet.
    """
    if not host_addresses:
        raise InputError("the host of listenurl is unknown: set <hostname> in icecast.xml")
    for one in host_addresses:
        try:
            guard.check(one)
        except InputError:
            raise InputError("listenurl leads into a private network: set <hostname> in icecast.xml") from None


def add(
    unit: Unit, form: Mapping[str, str], *, announced_from: str, host_addresses: Collection[str], now: datetime
) -> Announced:
    """Take an announcement; the same server announcing the same mount again gets a new id for the old one.

    Args:
        unit: The unit to work in.
        form: The fields of the request.
        announced_from: The network address that sent it.
        host_addresses: Those of the listen URL's host.
        now: The present.

    Raises:
        UrlRefusedError: The listen URL cannot be used.
        ConflictError: Its owner asked us not to list it.
        LimitError: The address has more announcements open than one server has mounts.
    """
    address = listen_address(form)
    is_own = announced_from in host_addresses
    session = unit.session
    stream = session.scalar(select(Stream).where(Stream.url_key == address.key))
    if stream is not None and stream.retired_reason == OPTED_OUT:
        raise ConflictError("the owner of this stream asked directories not to list it")
    _end(session, now, "replaced", YpAnnouncement.announced_from == announced_from, _is_of(address))
    if _open_of(session, announced_from) >= MAX_OPEN_PER_ADDRESS:
        raise LimitError(f"more than {MAX_OPEN_PER_ADDRESS} streams are announced from this address")
    stream_id, _ = take_one(session, announced_entry(address.url, form, is_own=is_own), SOURCE, now)
    stream = session.get_one(Stream, stream_id)
    if stream.state == RETIRED:
        stream.state, stream.is_active, stream.retired_reason, stream.updated_at = UNPROVEN, True, None, now
    if stream.state != PLAYING:
        stream.next_check_at = now
    sid = secrets.token_urlsafe(18)
    session.add(
        YpAnnouncement(
            sid=sid,
            stream_id=stream_id,
            listen_url=address.url,
            announced_from=announced_from,
            is_own=is_own,
            told={name: value for name in _KEPT if (value := text(form.get(name), LIMITS_CHARS["description"]))},
            added_at=now,
            last_touch=now,
            expires_at=_expiry(now),
        )
    )
    return Announced(sid)


_KEPT = ("sn", "genre", "desc", "url", "type", "stype", "b")


def announced_entry(url: str, form: Mapping[str, str], *, is_own: bool) -> Entry:
    """Read an announcement as a directory's entry; of another's stream the address only."""
    if not is_own:
        return Entry(url=url)
    kind = form.get("type", "").partition(";")[0].strip().lower()
    subtype = form.get("stype", "").partition("/")[0].strip().upper()
    genre = _told(form.get("genre"), LIMITS_CHARS["genre"])
    return Entry(
        url=url,
        name=_told(form.get("sn"), LIMITS_CHARS["name"]),
        type="tv" if kind.startswith("video/") else "radio",
        genre=genre,
        bitrate=kbps(form.get("b")),
        codec=subtype if subtype in {"VORBIS", "OPUS", "FLAC"} else CODECS.get(kind),
        website=link(form.get("url")),
        description=_told(form.get("desc"), LIMITS_CHARS["description"]),
        tags=tags(genre, ",; "),
    )


def touch(session: Session, form: Mapping[str, str], now: datetime) -> None:
    """Note that an announced stream is still on the air.

    Raises:
        InputError: No such announcement is open; the server announces anew on hearing this.
    """
    row = _opened(session, form, now)
    row.last_touch, row.expires_at, row.touches = now, _expiry(now), row.touches + 1
    row.current_song = text(form.get("st"), LIMITS_CHARS["name"])
    listeners = form.get("listeners", "")
    row.listeners = int(listeners) if listeners.isdecimal() and len(listeners) < 8 else None  # noqa: PLR2004  a crowd


def remove(unit: Unit, form: Mapping[str, str], now: datetime) -> None:
    """End an announcement, and look soon whether the stream is gone.

    Raises:
        InputError: No such announcement is open.
    """
    row = _opened(unit.session, form, now)
    row.ended_at, row.ended_by = now, "removed"
    unit.session.flush()
    _let_go(unit, row.stream_id, now)


def expire(unit: Unit, now: datetime) -> int:
    """End announcements that nobody touched in time; return how many (at most 200)."""
    rows = unit.session.scalars(
        select(YpAnnouncement)
        .where(YpAnnouncement.ended_at.is_(None), YpAnnouncement.expires_at < now)
        .limit(EXPIRE_CHUNK)
    ).all()
    for row in rows:
        row.ended_at, row.ended_by = now, "expired"
    unit.session.flush()
    for stream_id in {row.stream_id for row in rows}:
        _let_go(unit, stream_id, now)
    return len(rows)


def _let_go(unit: Unit, stream_id: int, now: datetime) -> None:
    """Look at a stream soon; one that was never proven, and that nobody but us lists, goes with its announcement."""
    still = select(YpAnnouncement.sid).where(YpAnnouncement.stream_id == stream_id, YpAnnouncement.ended_at.is_(None))
    if unit.session.scalar(still.limit(1)) is not None:
        return
    stream = unit.session.get_one(Stream, stream_id)
    others = select(Listing.id).where(Listing.stream_id == stream_id, Listing.source != SOURCE).limit(1)
    if stream.state == UNPROVEN and unit.session.scalar(others) is None:
        retire_stream(unit, stream, ANNOUNCEMENT_ENDED, now)
    elif stream.state == PLAYING:
        stream.next_check_at = now


def _opened(session: Session, form: Mapping[str, str], now: datetime) -> YpAnnouncement:
    row = session.get(YpAnnouncement, form.get("sid", "")[:100])
    if row is None or row.ended_at is not None or row.expires_at < now:
        raise InputError("no such announcement: add it again")
    return row


def _is_of(address: Address) -> ColumnElement[bool]:
    return YpAnnouncement.listen_url == address.url


def _end(session: Session, now: datetime, why: str, *which: ColumnElement[bool]) -> None:
    session.execute(
        update(YpAnnouncement).where(YpAnnouncement.ended_at.is_(None), *which).values(ended_at=now, ended_by=why)
    )


def _open_of(session: Session, announced_from: str) -> int:
    query = select(func.count()).where(
        YpAnnouncement.announced_from == announced_from, YpAnnouncement.ended_at.is_(None)
    )
    return session.scalar(query) or 0


def _expiry(now: datetime) -> datetime:
    return now + timedelta(seconds=TOUCH_EVERY_S * MISSED_TOUCHES)


def _told(value: str | None, limit_chars: int) -> str | None:
    clean = text(value, limit_chars)
    return None if clean is None or clean.casefold() in FILLER else clean
