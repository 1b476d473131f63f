"""A station on the wire: its streams ranked for a player, and what it plays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.stream_rows import StreamOut, shown
from airledger.playlog.find_plays import NowPlaying, now_playing
from airledger.stations.directory.find_stations import StationView
from airledger.stations.directory.ranking import rank_streams
from airledger.stations.models import PLAYING


class NowOut(BaseModel):
    """What a station plays at present, as far as it is known."""

    station_id: int
    stream_id: int
    source: Literal["heard", "told"] = Field(
        description="heard: recognised by us; told: the title that the stream itself gave at its last check."
    )
    title: str | None
    artist: str | None = None
    recording_id: UUID | None = None
    since: datetime | None = Field(description="Heard: when it began. Told: when the stream was asked.")


class RankedStreamOut(BaseModel):
    """A stream of a station, and how well it suits the player."""

    model_config = ConfigDict(from_attributes=True)

    score: float = Field(description="0 to 1; docs/guide/serving.md tells how it is made.")
    is_playable: bool = Field(description="By the client asked for, as far as is known.")
    reasons: list[str]
    stream: StreamOut


class StationOut(BaseModel):
    """Who broadcasts, with the streams best for the player first."""

    id: int
    uuid: UUID
    name: str
    country_code: str | None
    time_zone: str | None
    website: str | None
    created_at: datetime
    logo: str = Field(description="Where its logo is served, or a picture of its initials.")
    streams: list[RankedStreamOut]
    now: NowOut | None


def station_rows(
    session: Session,
    stations: Sequence[StationView],
    organisation_id: UUID | None,
    *,
    client: str | None = None,
    max_kbps: int | None = None,
) -> list[StationOut]:
    """Return stations as they are shown to somebody.

    Args:
        session: Of a read.
        stations: Which ones.
        organisation_id: Whose plays are shown; None for strangers, who are told what streams say of themselves.
        client: The kind of player to rank for.
        max_kbps: What its connection carries.
    """
    heard = _heard(session, stations, organisation_id)
    return [_row(station, heard, client, max_kbps) for station in stations]


def now_rows(session: Session, stations: Sequence[StationView], organisation_id: UUID | None) -> list[NowOut]:
    """Return what some stations play at present, those of which nothing is known left out."""
    heard = _heard(session, stations, organisation_id)
    return [now for station in stations if (now := _now(station, heard)) is not None]


def _heard(session: Session, stations: Sequence[StationView], organisation_id: UUID | None) -> dict[int, NowPlaying]:
    if organisation_id is None:
        return {}
    return now_playing(session, organisation_id, [stream.id for station in stations for stream in station.streams])


def _row(station: StationView, heard: dict[int, NowPlaying], client: str | None, max_kbps: int | None) -> StationOut:
    ranked = rank_streams(station.streams, client, max_kbps)
    return StationOut(
        id=station.id,
        uuid=station.uuid,
        name=station.name,
        country_code=station.country_code,
        time_zone=station.time_zone,
        website=station.website,
        created_at=station.created_at,
        logo=f"/api/v1/stations/{station.id}/logo",
        streams=[
            RankedStreamOut(
                score=one.score, is_playable=one.is_playable, reasons=one.reasons, stream=shown(one.stream, heard)
            )
            for one in ranked
        ],
        now=_now(station, heard),
    )


def _now(station: StationView, heard: dict[int, NowPlaying]) -> NowOut | None:
    """Prefer what was heard, the latest; then what a stream that plays says of itself."""
    known = [(stream, heard[stream.id]) for stream in station.streams if stream.id in heard]
    if known:
        stream, play = max(known, key=lambda pair: pair[1].since)
        return NowOut(
            station_id=station.id,
            stream_id=stream.id,
            source="heard",
            title=play.title,
            artist=play.artist,
            recording_id=play.recording_id,
            since=play.since,
        )
    for stream in station.streams:
        if stream.stream_title and stream.state == PLAYING:
            return NowOut(
                station_id=station.id,
                stream_id=stream.id,
                source="told",
                title=stream.stream_title,
                since=stream.last_success,
            )
    return None
