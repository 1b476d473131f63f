"""The catalogue: the mission's `/streams`, and what is known of one stream."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy.orm import Session

from airledger.api.allow import public
from airledger.api.cached import Answer
from airledger.api.etag import send, tagged
from airledger.api.given import Moment, Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.api.stream_rows import MANY, StreamId, StreamOut, one_stream, playing_now, shown
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.errors import InputError
from airledger.stations import catalogue, changes
from airledger.stations.filters import StreamFilter
from airledger.stations.nearby import LARGEST_RADIUS_KM, Circle
from airledger.stations.probing.playable import Client

JSON = "application/json"

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


class CheckOut(BaseModel):
    """One proof of a stream, with its evidence."""

    model_config = ConfigDict(from_attributes=True)

    checked_at: datetime
    level: int = Field(description="Reached: 0 connects, 1 headers, 2 frames decode, 3 sustained rate, 4 live sound.")
    is_healthy: bool
    cause: str | None
    cause_family: str | None = Field(description="What the cause comes down to, roughly.")
    cause_confidence: float | None = Field(description="How sure we are of the cause, from 0 to 1.")
    permanent: bool
    detail: str | None
    http_status: int | None
    response_time_ms: int | None
    bandwidth_kbps: int | None
    bitrate_claimed: int | None
    codec: str | None
    sample_rate_hz: int | None
    channels: int | None
    sound_s: float
    stream_title: str | None
    warnings: list[str]
    vantage: str


class MetricOut(BaseModel):
    """One measurement of a stream: the mission's `stream_metrics`."""

    model_config = ConfigDict(from_attributes=True)

    check_timestamp: datetime
    response_time_ms: int
    uptime_percentage: float
    error_count: int
    last_error_type: str
    bandwidth_kbps: int


_ROWS = TypeAdapter(list[StreamOut])


def stream_filter(
    type: Literal["radio", "tv"] | None = None,  # noqa: A002  the mission's name
    country: Annotated[str | None, Query(pattern=r"^[A-Za-z]{2}$")] = None,
    q: Annotated[Text | None, Query(max_length=200)] = None,
    state: Literal["playing", "failing", "off_hours", "unproven", "retired"] | None = None,
    language: Annotated[Text | None, Query(max_length=100)] = None,
    codec: Annotated[Text | None, Query(max_length=50)] = None,
    bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
    near: Annotated[str | None, Query(max_length=100, description="latitude,longitude in degrees")] = None,
    radius_km: Annotated[float, Query(gt=0, le=LARGEST_RADIUS_KM, description="How far `near` reaches.")] = 50,
    min_quality: Annotated[float | None, Query(ge=0, le=1)] = None,
    min_bitrate: Annotated[int | None, Query(ge=0, le=1_000_000, description="kbit/s")] = None,
    max_bitrate: Annotated[int | None, Query(ge=0, le=1_000_000, description="kbit/s; unknown ones pass")] = None,
    playable_in: Annotated[Client | None, Query(description="Only what this kind of player can play.")] = None,
    all: Annotated[bool, Query(description="Failing, unproven and doubtful ones as well.")] = False,  # noqa: A002
) -> StreamFilter:
    """Read the filters of a request."""
    return StreamFilter(
        type=type,
        country=country,
        q=q,
        state=state,
        language=language,
        codec=codec,
        bbox=_bbox(bbox),
        near=_near(near, radius_km),
        min_quality=min_quality,
        min_bitrate=min_bitrate,
        max_bitrate=max_bitrate,
        playable_in=playable_in,
        all=all,
    )


def _near(text: str | None, radius_km: float) -> Circle | None:
    if text is None:
        return None
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError("near must be two numbers: latitude,longitude in degrees") from error
    return Circle(latitude, longitude, radius_km)


def _bbox(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError("bbox must be four numbers: west,south,east,north in degrees") from error
    return west, south, east, north


@router.get("/streams", response_model=list[StreamOut])
async def list_streams(
    request: Request,
    state: State,
    caller: Annotated[Principal | None, public()],
    wanted: Annotated[StreamFilter, Depends(stream_filter)],
    limit: Annotated[int, Query(ge=1, le=catalogue.MAX_LIMIT)] = catalogue.DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    changed_since: Annotated[
        Moment | None, Query(description="Streams of every state that changed since then, the oldest change first.")
    ] = None,
) -> Response:
    """List streams: active, reliable and proven ones unless told otherwise; the most reliable first.

    The answer has an ETag. `changed_since` turns the list into a feed for those who keep a copy: ask with the
    `updated_at` of the last row that you have; rows in state `retired` are gone.
    """
    organisation_id = caller.organisation_id if caller and Scope.PLAYS_READ in caller.scopes else None

    def make(session: Session) -> tuple[bytes, str | None]:
        if changed_since is None:
            page = catalogue.list_streams(session, wanted, limit=limit, cursor=cursor)
        else:
            since = changed_since.astimezone(UTC)
            page = changes.list_changed(session, wanted, since=since, now=state.now(), limit=limit, cursor=cursor)
        playing = playing_now(session, organisation_id, [row.id for row in page.rows])
        return _ROWS.dump_json([shown(row, playing) for row in page.rows]), page.next_cursor

    async def answer() -> Answer:
        body, following = await state.threads.read(make)
        return tagged(body, *next_link(request, following))

    key = ("streams", wanted, limit, changed_since, str(request.url.query), organisation_id)
    made = await (state.cache.get(key, answer) if cursor is None else answer())
    return send(request, made, JSON)


@router.get("/streams/{stream_id}")
async def get_stream(stream_id: StreamId, state: State, caller: Annotated[Principal | None, public()]) -> StreamOut:
    """Return one stream, whatever its state."""
    organisation_id = caller.organisation_id if caller and Scope.PLAYS_READ in caller.scopes else None
    return await state.threads.read(lambda session: one_stream(session, stream_id, organisation_id))


@router.get("/streams/{stream_id}/checks")
async def list_checks(
    stream_id: StreamId,
    state: State,
    caller: Annotated[Principal | None, public()],
    limit: Annotated[int, Query(ge=1, le=catalogue.MAX_HISTORY)] = MANY,
) -> list[CheckOut]:
    """List the proofs of a stream, newest first."""
    del caller

    def make(session: Session) -> list[CheckOut]:
        catalogue.stream_view(session, stream_id)
        return [CheckOut.model_validate(row) for row in catalogue.checks(session, stream_id, limit)]

    return await state.threads.read(make)


@router.get("/streams/{stream_id}/metrics")
async def list_metrics(
    stream_id: StreamId,
    state: State,
    caller: Annotated[Principal | None, public()],
    limit: Annotated[int, Query(ge=1, le=catalogue.MAX_HISTORY)] = MANY,
) -> list[MetricOut]:
    """List the measurements of a stream, newest first."""
    del caller

    def make(session: Session) -> list[MetricOut]:
        catalogue.stream_view(session, stream_id)
        return [MetricOut.model_validate(row) for row in catalogue.metrics(session, stream_id, limit)]

    return await state.threads.read(make)
