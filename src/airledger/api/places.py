"""Where streams are: the answer with all votes, what is unsure, and what people say."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import allow, public
from airledger.api.given import Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.api.stream_rows import StreamId
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import InputError
from airledger.stations.places import correct
from airledger.stations.places.read_place import PlaceView, place_of, unsure_places

router = APIRouter(prefix="/api/v1", tags=["catalogue"])
Stranger = Annotated[Principal | None, public()]
Moderator = Annotated[Principal, allow(Scope.SYSTEM_WRITE)]
UNSURE_BELOW = 0.9


class CandidateOut(BaseModel):
    """A country that a stream may be of."""

    country_code: str
    probability: float


class VoteOut(BaseModel):
    """What one method says."""

    model_config = ConfigDict(from_attributes=True)

    method: str
    country_code: str | None
    latitude: float | None
    longitude: float | None
    radius_km: int | None
    confidence: float = Field(description="Probability that the country is right; 0: it counts for nothing.")
    evidence: dict[str, Any] = Field(description="What it rests on.")
    at: datetime


class PlaceOut(BaseModel):
    """Where a stream is, and who says so."""

    stream_id: int
    name: str | None
    country_code: str | None
    city: str | None
    latitude: float | None
    longitude: float | None
    accuracy_radius_km: int | None
    geocoding_method: str | None
    confidence_score: float | None
    verified: bool
    country_probability: float | None
    candidates: list[CandidateOut]
    located_at: datetime | None
    attribution: str | None = Field(description="To be shown beside the place, with its link.")
    votes: list[VoteOut]


class PlaceIn(BaseModel):
    """Where a person says a stream is."""

    model_config = ConfigDict(extra="forbid")

    country_code: str = Field(pattern="^[A-Z]{2}$")
    city: Text | None = Field(default=None, max_length=200)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    note: Text | None = Field(default=None, max_length=1_000)


@router.get("/places/unsure")
async def list_unsure_places(
    request: Request,
    response: Response,
    state: State,
    caller: Moderator,
    below: Annotated[float, Query(gt=0, le=1, description="Probability of the country.")] = UNSURE_BELOW,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=60)] = None,
) -> list[PlaceOut]:
    """List streams whose country is unsure and which nobody verified, the least sure first."""
    del caller
    after, after_id = _parsed(cursor)

    def read(session: Any) -> list[PlaceOut]:
        found = unsure_places(session, below=below, after=after, after_id=after_id, limit=limit)
        return [_shown(one) for one in found]

    rows = await state.threads.read(read)
    last = rows[-1] if len(rows) == limit else None
    response.headers.update(dict(next_link(request, f"{last.country_probability}~{last.stream_id}" if last else None)))
    return rows


@router.get("/streams/{stream_id}/place")
async def get_place(stream_id: StreamId, state: State, caller: Stranger) -> PlaceOut:
    """Return where a stream is, with every vote and its evidence."""
    del caller
    return await state.threads.read(lambda session: _shown(place_of(session, stream_id)))


@router.post("/streams/{stream_id}/place")
async def place_stream(stream_id: StreamId, body: PlaceIn, state: State, caller: Moderator) -> PlaceOut:
    """Say where a stream is. Machines never overwrite it, and learn from it which methods to believe."""
    told = correct.Correction(body.country_code, body.city, body.latitude, body.longitude, body.note)

    def make(unit: Unit) -> PlaceOut:
        correct.place_by_hand(unit, stream_id, told, caller.actor, state.now())
        unit.session.flush()
        return _shown(place_of(unit.session, stream_id))

    return await state.threads.write(make)


@router.put("/streams/{stream_id}/place/verify")
async def verify_place(stream_id: StreamId, state: State, caller: Moderator) -> PlaceOut:
    """Confirm the place that was worked out."""

    def make(unit: Unit) -> PlaceOut:
        correct.verify(unit, stream_id, caller.actor, state.now())
        unit.session.flush()
        return _shown(place_of(unit.session, stream_id))

    return await state.threads.write(make)


def _shown(view: PlaceView) -> PlaceOut:
    place, stream = view.place, view.stream
    return PlaceOut(
        stream_id=stream.id,
        name=stream.name,
        country_code=(place.country_code if place else None) or stream.country_code,
        city=stream.city,
        latitude=place.latitude if place else None,
        longitude=place.longitude if place else None,
        accuracy_radius_km=place.accuracy_radius_km if place else None,
        geocoding_method=place.geocoding_method if place else None,
        confidence_score=place.confidence_score if place else None,
        verified=bool(place and place.verified),
        country_probability=place.country_probability if place else None,
        candidates=[
            CandidateOut(country_code=code, probability=share)
            for code, share in (place.candidates if place else None) or ()
        ],
        located_at=place.located_at if place else None,
        attribution=view.attribution,
        votes=[VoteOut.model_validate(vote) for vote in view.votes],
    )


def _parsed(cursor: str | None) -> tuple[float, int]:
    if cursor is None:
        return -1.0, 0
    after, _, after_id = cursor.partition("~")
    try:
        return float(after), int(after_id)
    except ValueError as error:
        raise InputError("this cursor is none of ours: begin without one") from error
