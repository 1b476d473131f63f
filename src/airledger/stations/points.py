"""The catalogue as the globe needs it: a few bytes a stream, in columns, and counts of what may be chosen."""

import struct
import sys
from array import array
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from airledger.stations.filters import StreamFilter, conditions
from airledger.stations.models import FAILING, PLAYING, RETIRED, UNPROVEN, Geolocation, Stream

MAGIC = b"APT1"
STATES = (PLAYING, FAILING, UNPROVEN, RETIRED)  # their places are the numbers on the wire
TV_BIT, RELIABILITY_SHIFT, RELIABILITY_STEPS = 4, 3, 7
LARGEST_RADIUS_KM = 65_535
MOST_CHOICES = 400

_CODES = {state: number for number, state in enumerate(STATES)}


def points(session: Session, wanted: StreamFilter) -> bytes:
    """Pack every matching stream that has a place; docs/formats/points.md tells the layout.

    15 bytes a stream: 100,000 of them are 1.5 MB, where their rows as JSON would be above 100 MB.

    Raises:
        InputError: The filter cannot be used.
    """
    columns = (
        Stream.id,
        Geolocation.latitude,
        Geolocation.longitude,
        Geolocation.accuracy_radius_km,
        Stream.state,
        Stream.type,
        Stream.reliability_score,
    )
    query = select(*columns).join(Geolocation, Geolocation.stream_id == Stream.id)
    rows = session.execute(query.where(*conditions(wanted)).order_by(Stream.id)).all()
    ids, latitudes, longitudes = array("I"), array("f"), array("f")
    radii, kinds = array("H"), array("B")
    for stream_id, latitude, longitude, radius_km, state, kind, reliability in rows:
        ids.append(stream_id)
        latitudes.append(latitude)
        longitudes.append(longitude)
        radii.append(min(max(radius_km, 0), LARGEST_RADIUS_KM))
        steps = round(min(max(reliability, 0.0), 1.0) * RELIABILITY_STEPS)
        kinds.append(_CODES.get(state, 2) | (TV_BIT if kind == "tv" else 0) | steps << RELIABILITY_SHIFT)
    packed = (_little(ids), _little(latitudes), _little(longitudes), _little(radii), _little(kinds))
    return MAGIC + struct.pack("<I", len(ids)) + b"".join(packed)


def _little(column: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


@dataclass(frozen=True)
class Choices:
    """How many streams match, and what they may be narrowed by, most frequent first.

    Attributes:
        placeless: Of `total`, those that no globe can show.
    """

    total: int
    placeless: int
    states: dict[str, int]
    countries: list[tuple[str, int]]
    languages: list[tuple[str, int]]
    codecs: list[tuple[str, int]]


def choices(session: Session, wanted: StreamFilter) -> Choices:
    """Count what matches by state, country, language and codec, in four queries.

    Raises:
        InputError: The filter cannot be used.
    """
    matching = conditions(wanted)
    of_state = select(Stream.state, func.count(), func.count(Geolocation.stream_id)).select_from(Stream)
    of_state = of_state.outerjoin(Geolocation, Geolocation.stream_id == Stream.id)
    states = session.execute(of_state.where(*matching).group_by(Stream.state)).all()

    def most(column: InstrumentedAttribute[str | None]) -> list[tuple[str, int]]:
        query = select(column, func.count()).select_from(Stream)
        query = query.outerjoin(Geolocation, Geolocation.stream_id == Stream.id).where(*matching, column != "")
        rows = session.execute(query.group_by(column).order_by(func.count().desc(), column).limit(MOST_CHOICES))
        return [(str(value), int(count)) for value, count in rows]

    return Choices(
        total=sum(row[1] for row in states),
        placeless=sum(row[1] - row[2] for row in states),
        states={row[0]: row[1] for row in states},
        countries=most(Stream.country_code),
        languages=most(Stream.language),
        codecs=most(Stream.codec),
    )
