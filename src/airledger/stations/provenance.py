"""Where each field of a stream comes from: which directories say what, since when, and whose word stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.platform.errors import NotFoundError
from airledger.stations.claims import FILLED
from airledger.stations.models import Listing, Stream

DERIVED = {"country_name": "country_code"}


@dataclass(frozen=True, slots=True)
class Said:
    """What one listing says of a field.

    Attributes:
        source: The directory; `user` for submissions, `yp` for announcements, `stream` for the stream's own headers.
        stands: Whether it is the value that the catalogue shows.
    """

    source: str
    source_key: str
    value: Any
    first_seen: datetime
    last_seen: datetime
    stands: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """A field: what the catalogue shows, and all that is said of it, oldest listing first.

    Attributes:
        derived_from: The field that it was worked out of, where nobody said it.
    """

    field: str
    value: Any
    said: list[Said]
    derived_from: str | None = None


def provenance(session: Session, stream_id: int) -> list[Origin]:
    """Tell of every field of a stream that has a value or was claimed, in two queries.

    Raises:
        NotFoundError: There is no such stream.
    """
    columns = [getattr(Stream, name) for name in FILLED]
    standing = session.execute(select(*columns).where(Stream.id == stream_id)).first()
    if standing is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    listings = session.scalars(select(Listing).where(Listing.stream_id == stream_id).order_by(Listing.id)).all()
    values = dict(zip(FILLED, standing, strict=True))
    named = [*FILLED, *sorted({name for one in listings for name in one.claims} - {*FILLED, "url"})]
    origins = [_origin(name, values.get(name), listings) for name in named]
    return [one for one in origins if one.said or one.value not in (None, "", [], {})]


def _origin(name: str, value: Any, listings: Sequence[Listing]) -> Origin:
    said = [
        Said(one.source, one.source_key, one.claims[name], one.first_seen, one.last_seen, one.claims[name] == value)
        for one in listings
        if name in one.claims
    ]
    derived = DERIVED.get(name) if value is not None and not any(one.stands for one in said) else None
    return Origin(name, value, said, derived)
