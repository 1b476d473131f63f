"""Sounds on which people decide, and what asking outside has cost."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.listening.decide_review import decide_review
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import NotFoundError
from airledger.recognition.outside.jobs import configured
from airledger.recognition.outside.models import RecognitionReview
from airledger.recognition.outside.reviews import NOTE_LIMIT, get_review, list_reviews
from airledger.recognition.outside.share import Limits
from airledger.recognition.outside.spending import open_reviews, spent, status
from airledger.repertoire.models import Recording

MAX_LIMIT = 500

router = APIRouter(prefix="/api/v1", tags=["recognition"])
Reader = Annotated[Principal, allow(Scope.PLAYS_READ)]


class LocalCandidateOut(BaseModel):
    """Our own best candidate."""

    recording_id: UUID
    title: str
    artist: str
    isrc: str | None
    score: float | None


class ReviewOut(BaseModel):
    """A sound on which people decide."""

    id: UUID
    state: Literal["open", "decided"]
    reason: Literal["disagreement", "unsure"]
    station_id: int | None
    stream_id: int | None
    heard_at: datetime
    sound: str | None = Field(description="Where the sound that was sent can be heard.")
    local: LocalCandidateOut | None
    provider: str
    outside: dict[str, Any] = Field(description="The outside's match, as read from its answer.")
    outside_score: float = Field(description="Its probability as calibrated then.")
    decision: Literal["local", "outside", "neither"] | None
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    created_at: datetime


class DecisionIn(BaseModel):
    """Whom to believe."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["local", "outside", "neither"]
    note: Annotated[Text, Field(max_length=NOTE_LIMIT)] | None = None


class SpentOut(BaseModel):
    """Requests to a provider on one day (UTC) for one station, a stream without one, or the house."""

    day: date
    provider: str
    sharer: str
    station_id: int | None
    stream_id: int | None
    requests: int
    hits: int
    billed: float = Field(description="As the bill counts: a hit is one, no result is half of one.")
    cost_micros: int


class ProviderOut(BaseModel):
    """How a provider does today (UTC)."""

    provider: str
    circuit: Literal["closed", "open", "half-open"]
    reason: str
    open_until: datetime | None
    requests: int
    left: int = Field(description="Requests that the account still allows today.")
    last_minute: int
    out: int
    outcomes: dict[str, int]
    billed: float
    cost_micros: int
    median_ms: int | None


class OutsideOut(BaseModel):
    """How asking outside goes."""

    providers: list[ProviderOut]
    open_reviews: int
    spent: list[SpentOut]


@router.get("/reviews")
async def list_all(
    request: Request,
    response: Response,
    state: State,
    caller: Reader,
    only: Annotated[Literal["open", "decided", "all"], Query(alias="state")] = "open",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> list[ReviewOut]:
    """List your organisation's reviews, newest first."""

    def make(session: Session) -> tuple[list[ReviewOut], str | None]:
        wanted = None if only == "all" else only
        rows, following = list_reviews(session, caller.organisation_id, state=wanted, limit=limit, cursor=cursor)
        return [_out(session, row) for row in rows], following

    reviews, following = await state.threads.read(make)
    response.headers.update(dict(next_link(request, following)))
    return reviews


@router.get("/reviews/{review_id}")
async def get_one(review_id: UUID, state: State, caller: Reader) -> ReviewOut:
    """Return one review."""
    return await state.threads.read(
        lambda session: _out(session, get_review(session, caller.organisation_id, review_id))
    )


@router.get("/reviews/{review_id}/sound", response_class=Response, responses={200: {"content": {"audio/wav": {}}}})
async def get_sound(review_id: UUID, state: State, caller: Reader) -> Response:
    """Give the sound that was sent: at most 12 s, WAV."""
    row = await state.threads.read(lambda session: get_review(session, caller.organisation_id, review_id))
    if row.sound_key is None:
        raise NotFoundError("the sound of this review is not kept any more")
    key = row.sound_key

    def read() -> bytes:
        with state.app.storage.open(key) as file:
            return file.read()

    headers = {"Cache-Control": "private, max-age=3600", "ETag": f'"{row.sound_sha256}"'}
    return Response(await state.threads.disk(read), media_type="audio/wav", headers=headers)


@router.post("/reviews/{review_id}")
async def decide(
    review_id: UUID, body: DecisionIn, state: State, caller: Annotated[Principal, allow(Scope.PLAYS_WRITE)]
) -> ReviewOut:
    """Decide whom to believe. `outside` writes the play, or gives a closed play of ours the right name."""

    def make(unit: Unit) -> ReviewOut:
        row = decide_review(
            unit,
            caller.actor,
            caller.organisation_id,
            review_id,
            body.decision,
            note=body.note,
            default_pro=state.app.settings.default_pro,
            now=state.now(),
        )
        unit.session.flush()
        return _out(unit.session, row)

    return await state.threads.write(make)


@router.get("/outside")
async def get_outside(
    state: State,
    caller: Reader,
    since: date | None = None,
    until: date | None = None,
) -> OutsideOut:
    """Tell how the providers do today, and what your organisation's requests have cost by day and station."""
    settings, now = state.app.settings, state.now()
    limits = Limits(settings.outside_daily_limit, settings.outside_per_minute, settings.outside_concurrency)

    def make(session: Session) -> OutsideOut:
        rows = spent(session, since=since or now.date(), until=until, organisation_id=caller.organisation_id)
        return OutsideOut(
            providers=[
                ProviderOut.model_validate(one, from_attributes=True)
                for one in status(session, configured(settings), limits, now)
            ],
            open_reviews=open_reviews(session, caller.organisation_id),
            spent=[SpentOut.model_validate(one, from_attributes=True) for one in rows],
        )

    return await state.threads.read(make)


def _out(session: Session, row: RecognitionReview) -> ReviewOut:
    ours = session.get(Recording, row.local_recording_id) if row.local_recording_id else None
    local = None
    if ours is not None:
        local = LocalCandidateOut(
            recording_id=ours.id, title=ours.title, artist=ours.artist, isrc=ours.isrc, score=row.local_score
        )
    names = set(ReviewOut.model_fields) - {"sound", "local", "outside"}
    values: dict[str, Any] = {name: getattr(row, name) for name in names}
    sound = f"/api/v1/reviews/{row.id}/sound" if row.sound_key else None
    return ReviewOut(**values, sound=sound, local=local, outside=row.outside_match)
