"""The catalogue: the mission's `/streams` and `/stats`, a stream's history, and what people do to a stream."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy.orm import Session

from airledger.api.allow import allow, public
from airledger.api.cached import Answer
from airledger.api.given import LARGEST_ID, Text
from airledger.api.paging import next_link
from airledger.api.state import ApiState, State
from airledger.listening import wish
from airledger.listening.find_sessions import LIVE, count_sessions
from airledger.platform.audit import Actor
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError, NotFoundError
from airledger.playlog.find_plays import NowPlaying, count_plays, now_playing
from airledger.repertoire.recordings import count_recordings
from airledger.stations import catalogue, submit
from airledger.stations.catalogue import StreamFilter, StreamView

JSON = "application/json"
URL_LIMIT = 8_192
MANY = 100

router = APIRouter(prefix="/api/v1", tags=["catalogue"])
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
    now_playing: NowPlayingOut | None = None


class CheckOut(BaseModel):
    """One proof of a stream, with its evidence."""

    model_config = ConfigDict(from_attributes=True)

    checked_at: datetime
    level: int = Field(description="Reached: 0 connects, 1 headers, 2 frames decode, 3 sustained rate, 4 live sound.")
    is_healthy: bool
    cause: str | None
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


class StatsOut(BaseModel):
    """The mission's figures, and ours."""

    total_streams: int
    radio_streams: int
    tv_streams: int
    active_streams: int
    avg_reliability: float | None
    countries: str = Field(description="ISO codes, separated by commas, as the mission's STRING_AGG gives them.")
    country_count: int
    streams_by_state: dict[str, int]
    plays_total: int
    recordings_total: int
    sessions_live: int


class SubmitIn(BaseModel):
    """A stream to take into the catalogue."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, max_length=URL_LIMIT)
    name: Text | None = Field(default=None, max_length=500)


class ProbeOut(BaseModel):
    """A proof that was asked for; `task_id` is None when one was waiting already."""

    task_id: UUID | None


class ListenOut(BaseModel):
    """The session that listens to a stream."""

    session_id: UUID


_ROWS = TypeAdapter(list[StreamOut])


def stream_filter(
    type: Literal["radio", "tv"] | None = None,  # noqa: A002  the mission's name
    country: Annotated[str | None, Query(pattern=r"^[A-Za-z]{2}$")] = None,
    q: Annotated[Text | None, Query(max_length=200)] = None,
    state: Literal["playing", "failing", "unproven", "retired"] | None = None,
    language: Annotated[Text | None, Query(max_length=100)] = None,
    codec: Annotated[Text | None, Query(max_length=50)] = None,
    bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
    all: Annotated[bool, Query(description="Failing, unproven and doubtful ones as well.")] = False,  # noqa: A002
) -> StreamFilter:
    """Read the filters of a request."""
    return StreamFilter(
        type=type, country=country, q=q, state=state, language=language, codec=codec, bbox=_bbox(bbox), all=all
    )


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
) -> Response:
    """List streams: active, reliable and proven ones unless told otherwise; the most reliable first."""
    organisation_id = caller.organisation_id if caller and Scope.PLAYS_READ in caller.scopes else None

    def make(session: Session) -> tuple[bytes, str | None]:
        page = catalogue.list_streams(session, wanted, limit=limit, cursor=cursor)
        playing = _now_playing(session, organisation_id, [row.id for row in page.rows])
        return _ROWS.dump_json([_stream(row, playing) for row in page.rows]), page.next_cursor

    async def answer() -> Answer:
        body, following = await state.threads.read(make)
        return Answer(body, next_link(request, following))

    key = ("streams", wanted, limit, organisation_id)
    made = await (state.cache.get(key, answer) if cursor is None else answer())
    return Response(made.body, media_type=JSON, headers=dict(made.headers))


@router.get("/stats", response_model=StatsOut)
async def stats(state: State, caller: Annotated[Principal | None, public()]) -> Response:
    """Count the catalogue, the library and the plays."""
    del caller

    def make(session: Session) -> bytes:
        counted = catalogue.stats(session)
        return (
            StatsOut(
                total_streams=counted.total_streams,
                radio_streams=counted.radio_streams,
                tv_streams=counted.tv_streams,
                active_streams=counted.active_streams,
                avg_reliability=counted.avg_reliability,
                countries=",".join(counted.countries),
                country_count=len(counted.countries),
                streams_by_state=counted.streams_by_state,
                plays_total=count_plays(session),
                recordings_total=count_recordings(session),
                sessions_live=count_sessions(session).get(LIVE, 0),
            )
            .model_dump_json()
            .encode()
        )

    async def answer() -> Answer:
        return Answer(await state.threads.read(make))

    made = await state.cache.get("stats", answer)
    return Response(made.body, media_type=JSON)


@router.get("/streams/{stream_id}")
async def get_stream(stream_id: StreamId, state: State, caller: Annotated[Principal | None, public()]) -> StreamOut:
    """Return one stream, whatever its state."""
    organisation_id = caller.organisation_id if caller and Scope.PLAYS_READ in caller.scopes else None
    return await state.threads.read(lambda session: _one(session, stream_id, organisation_id))


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


@router.post("/streams", status_code=status.HTTP_201_CREATED)
async def submit_stream(
    body: SubmitIn, state: State, response: Response, caller: Annotated[Principal, allow(Scope.STATIONS_WRITE)]
) -> StreamOut:
    """Take a stream into the catalogue and have it proven at once; 200 when it was there already."""

    def make(unit: Unit) -> tuple[StreamOut, bool]:
        done = submit.submit(unit, state.app.tasks, body.url, caller.actor, now=state.now(), name=body.name)
        return _one(unit.session, done.stream_id, caller.organisation_id), done.is_new

    stream, is_new = await state.threads.write(make)
    response.headers["Location"] = f"/api/v1/streams/{stream.id}"
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return stream


@router.post("/streams/{stream_id}/probe", status_code=status.HTTP_202_ACCEPTED)
async def probe_stream(
    stream_id: StreamId, state: State, caller: Annotated[Principal, allow(Scope.STATIONS_WRITE)]
) -> ProbeOut:
    """Have a stream proven before all others."""
    del caller
    task_id = await state.threads.write(
        lambda unit: submit.request_probe(unit, state.app.tasks, stream_id, now=state.now())
    )
    return ProbeOut(task_id=task_id)


@router.post("/streams/{stream_id}/listen", status_code=status.HTTP_202_ACCEPTED)
async def start_listening(
    stream_id: StreamId, state: State, caller: Annotated[Principal, allow(Scope.SESSIONS_WRITE)]
) -> ListenOut:
    """Listen to a stream from now on."""

    def make(unit: Unit) -> UUID:
        held = wish.of_stream(unit.session, stream_id)
        if held is not None and held.organisation_id != caller.organisation_id:
            raise ConflictError("this stream is listened to for another organisation of this installation")
        return wish.start(unit, caller.actor, caller.organisation_id, stream_id, state.now())

    return ListenOut(session_id=await state.threads.write(make))


@router.delete("/streams/{stream_id}/listen", status_code=status.HTTP_204_NO_CONTENT)
async def stop_listening(
    stream_id: StreamId, state: State, caller: Annotated[Principal, allow(Scope.SESSIONS_WRITE)]
) -> None:
    """Stop listening to a stream, until it is started again."""
    await state.threads.write(lambda unit: _stop(unit, state, caller.actor, stream_id))


def _stop(unit: Unit, state: ApiState, actor: Actor, stream_id: int) -> None:
    held = wish.of_stream(unit.session, stream_id)
    if held is None or held.organisation_id != actor.organisation_id:
        raise NotFoundError(f"nobody of yours listens to stream {stream_id}")
    wish.stop(unit, actor, stream_id, state.now())


def _one(session: Session, stream_id: int, organisation_id: UUID | None) -> StreamOut:
    view = catalogue.stream_view(session, stream_id)
    return _stream(view, _now_playing(session, organisation_id, [stream_id]))


def _now_playing(session: Session, organisation_id: UUID | None, ids: Sequence[int]) -> Mapping[int, NowPlaying]:
    if organisation_id is None:
        return {}
    return now_playing(session, organisation_id, ids if len(ids) <= MANY else None)


def _stream(view: StreamView, playing: Mapping[int, NowPlaying]) -> StreamOut:
    shown = StreamOut.model_validate(view)
    heard = playing.get(view.id)
    if heard is not None:
        shown.now_playing = NowPlayingOut.model_validate(heard)
    return shown
