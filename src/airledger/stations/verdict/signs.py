"""What the catalogue knows that may speak against a stream: read from rows, weighed by `learning/fraud_detector.py`."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from airledger.learning.fraud_detector import Signs
from airledger.stations.directory.models import StreamClick
from airledger.stations.joining.models import SameSoundPair
from airledger.stations.joining.why import HEARD_SAME
from airledger.stations.models import Listing, Stream

CLICK_DAYS = 1
COUNTRY_LETTERS = 2
# Sold to everybody, whatever country they stand for (Identity Digital, Verisign and others run them as generic ones).
ANYBODYS = frozenset({"fm", "tv", "io", "me", "co", "cc", "ws", "am", "to", "ai", "gg", "ly", "sh", "im", "la", "eu"})
_CODES = {"uk": "GB"}


def signs_of(session: Session, stream: Stream, now: datetime) -> Signs:
    """Read what is known of a stream."""
    claims = list(session.scalars(select(Listing.claims).where(Listing.stream_id == stream.id)))
    clicks = session.execute(
        select(func.sum(StreamClick.count), func.sum(StreamClick.addresses)).where(
            StreamClick.stream_id == stream.id, StreamClick.day >= now - timedelta(days=CLICK_DAYS)
        )
    ).one()
    return Signs(
        shared_with=_strangers_with_its_sound(session, stream),
        countries=max(1, len({one["country_code"] for one in claims if one.get("country_code")})),
        claimed_kbps=stream.bitrate,
        measured_kbps=stream.bitrate_measured_kbps,
        tags=tuple(stream.tags),
        clicks=clicks[0] or 0,
        clicks_counted=clicks[1] or 0,
        claimed_country=stream.country_code,
        told_countries=told_countries((stream.host, _host(stream.website))),
    )


def told_countries(hosts: Iterable[str]) -> tuple[str, ...]:
    """Read the countries that top-level domains tell, leaving out those that are sold to anybody."""
    endings = [host.rpartition(".")[2].lower() for host in hosts if host]
    return tuple(
        _CODES.get(one, one.upper())
        for one in endings
        if len(one) == COUNTRY_LETTERS and one.isalpha() and one not in ANYBODYS
    )


def _host(website: str | None) -> str:
    try:
        return urlsplit(website or "").hostname or ""
    except ValueError:
        return ""


def _strangers_with_its_sound(session: Session, stream: Stream) -> int:
    """Count stations of other countries that were heard to send the same; a station's own mirrors are no strangers."""
    pairs = session.execute(
        select(SameSoundPair.stream_a, SameSoundPair.stream_b).where(
            or_(SameSoundPair.stream_a == stream.id, SameSoundPair.stream_b == stream.id),
            SameSoundPair.verdict == HEARD_SAME,
        )
    ).all()
    others = [b if a == stream.id else a for a, b in pairs]
    return _foreign_stations(session, stream, others) if others and stream.country_code else 0


def _foreign_stations(session: Session, stream: Stream, others: Sequence[int]) -> int:
    found = session.scalars(
        select(Stream.station_id)
        .where(Stream.id.in_(others), Stream.country_code.is_not(None), Stream.country_code != stream.country_code)
        .distinct()
    )
    return sum(one != stream.station_id for one in found)
