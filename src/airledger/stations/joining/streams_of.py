"""The streams of a station as a part of other queries, whatever it was merged into."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from airledger.stations.models import Station, Stream


def streams_of_station(station_id: int) -> Select[Any]:
    """Select the ids of the streams that a station has now, or the one that has its streams."""
    way = (
        select(Station.id, Station.merged_into_id)
        .where(Station.id == station_id)
        .cte(name="station_way", recursive=True)
    )
    onward = aliased(Station)
    way = way.union(
        select(onward.id, onward.merged_into_id).join(way, onward.id == way.c.merged_into_id)
    )  # a union, so that even a circle would end
    last = select(way.c.id).where(way.c.merged_into_id.is_(None))
    return select(Stream.id).where(Stream.station_id.in_(last))
