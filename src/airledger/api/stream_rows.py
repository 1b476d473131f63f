"""A row of the catalogue on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.given import LARGEST_ID
from airledger.playlog.find_plays import NowPlaying, now_playing
from airledger.stations import catalogue
from airledger.stations.catalogue import StreamView

MANY = 100

StreamId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


class NowPlayingOut(BaseModel):
    """What a stream plays at present."""

    model_config = ConfigDict(from_attributes=True)

    recording_id: UUID
    title: str
    artist: str
    since: datetime


class StreamOut(BaseModel):
    """A row of the catalogue: the mission's `s.*, latitude, longitude`, and what we know beyond it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    uuid: UUID
    station_id: int | None
    url: str
    name: str | None
    type: str | None
    genre: str | None
    bitrate: int | None
    codec: str | None
    country_code: str | None
    country_name: str | None
    city: str | None
    language: str | None
    website: str | None
    description: str | None
    logo: str | None
    tags: list[str]
    is_active: bool
    last_checked: datetime | None
    last_success: datetime | None
    check_frequency: int = Field(description="Seconds between checks.")
    reliability_score: float
    reliability_lower_bound: float
    quality_score: float
    created_at: datetime
    updated_at: datetime
    latitude: float | None
    longitude: float | None
    accuracy_radius_km: int | None
    state: str = Field(description="unproven, playing, failing or retired.")
    cause: str | None
    warnings: list[str]
    bitrate_measured_kbps: int | None
    has_sound: bool | None
    has_picture: bool | None
    is_hls: bool
    playable_url: str
    stream_title: str | None
    playable_in: list[str] = Field(description="Kinds of players that can play it.")
    https_url: str | None = Field(description="The same sound by https, heard to be the same.")
    votes: int
    click_count: int = Field(description="Clicks of the last 24 hours, one per address and day.")
    click_trend: int = Field(description="Against the 24 hours before.")
    now_playing: NowPlayingOut | None = None


def one_stream(session: Session, stream_id: int, organisation_id: UUID | None) -> StreamOut:
    """Return one stream as its caller may see it.

    Raises:
        NotFoundError: There is none with this id.
    """
    view = catalogue.stream_view(session, stream_id)
    return shown(view, playing_now(session, organisation_id, [stream_id]))


def playing_now(session: Session, organisation_id: UUID | None, ids: Sequence[int]) -> Mapping[int, NowPlaying]:
    """Return what streams play at present, of an organisation; nothing for strangers."""
    if organisation_id is None:
        return {}
    return now_playing(session, organisation_id, ids if len(ids) <= MANY else None)


def shown(view: StreamView, playing: Mapping[int, NowPlaying]) -> StreamOut:
    """Return a stream's row with what it plays at present."""
    row = StreamOut.model_validate(view)
    heard = playing.get(view.id)
    if heard is not None:
        row.now_playing = NowPlayingOut.model_validate(heard)
    return row
