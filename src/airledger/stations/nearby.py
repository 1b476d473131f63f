"""How far apart places are, on both databases."""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, and_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from airledger.platform.errors import InputError
from airledger.stations.models import Geolocation

EARTH_KM = 6_371.0088  # mean radius (IUGG)
KM_PER_DEGREE = math.pi * EARTH_KM / 180
LARGEST_RADIUS_KM = 20_040.0  # half way round


@dataclass(frozen=True)
class Circle:
    """A place in degrees and what counts as near it, in kilometres."""

    latitude: float
    longitude: float
    radius_km: float

    def __post_init__(self) -> None:
        """Refuse what is no place.

        Raises:
            InputError: A number is out of its range.
        """
        is_place = -90 <= self.latitude <= 90 and -180 <= self.longitude <= 180  # noqa: PLR2004  degrees
        if not (is_place and 0 < self.radius_km <= LARGEST_RADIUS_KM):
            raise InputError("near must be latitude,longitude in degrees, radius_km between 0 and 20,040.")


class _Haversine(FunctionElement[float]):
    """Half the chord's square, 0 to 1: grows with the distance, and needs only what both databases have."""

    type = Float()
    inherit_cache = True


@compiles(_Haversine)
def _haversine(element: _Haversine, compiler: SQLCompiler, **options: Any) -> str:
    latitude, longitude, own_latitude, own_longitude = (
        compiler.process(clause, **options) for clause in element.clauses
    )
    north = f"sin(radians({latitude} - CAST({own_latitude} AS DOUBLE PRECISION)) / 2)"
    east = f"sin(radians({longitude} - CAST({own_longitude} AS DOUBLE PRECISION)) / 2)"
    narrowing = f"cos(radians({latitude})) * cos(radians(CAST({own_latitude} AS DOUBLE PRECISION)))"
    return f"({north} * {north} + {narrowing} * {east} * {east})"


def within(circle: Circle) -> list[ColumnElement[bool]]:
    """Return the conditions that a joined `Geolocation` lies in a circle, the cheap ones first."""
    span = circle.radius_km / KM_PER_DEGREE
    south, north = circle.latitude - span, circle.latitude + span
    found: list[ColumnElement[bool]] = [Geolocation.latitude.between(south, north)]
    if south > -90 and north < 90:  # noqa: PLR2004  a circle about a pole has every longitude
        reach = math.degrees(
            math.asin(min(1.0, math.sin(math.radians(span)) / math.cos(math.radians(circle.latitude))))
        )
        west, east = circle.longitude - reach, circle.longitude + reach
        if west < -180:  # noqa: PLR2004
            found.append(or_(Geolocation.longitude >= west + 360, Geolocation.longitude <= east))
        elif east > 180:  # noqa: PLR2004
            found.append(or_(Geolocation.longitude >= west, Geolocation.longitude <= east - 360))
        else:
            found.append(and_(Geolocation.longitude >= west, Geolocation.longitude <= east))
    place = (Geolocation.latitude, Geolocation.longitude, circle.latitude, circle.longitude)
    found.append(_Haversine(*place) <= math.sin(circle.radius_km / EARTH_KM / 2) ** 2)
    return found
