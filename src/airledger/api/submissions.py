"""Submitting streams by the list, and a moderator's word on what waits."""

import io
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import InputError
from airledger.stations.sources import sniff
from airledger.stations.sources.base import Entry, Refused
from airledger.stations.submissions import propose
from airledger.stations.submissions.models import Submission

URL_LIMIT = 8_192
UNIT_STREAMS = 20  # so that the database is not held for long
LISTS = frozenset({"asx", "iptv_org", "m3u", "opml", "plain", "pls", "xspf"})

router = APIRouter(prefix="/api/v1", tags=["catalogue"])
Moderator = Annotated[Principal, allow(Scope.STATIONS_WRITE)]


class StreamIn(BaseModel):
    """A stream, and what its submitter says of it."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, max_length=URL_LIMIT)
    name: Text | None = Field(default=None, max_length=500)
    type: Literal["radio", "tv"] | None = None
    genre: Text | None = Field(default=None, max_length=200)
    bitrate: int | None = Field(default=None, ge=1, le=100_000, description="In kbit/s.")
    country_code: Text | None = Field(default=None, min_length=2, max_length=2, description="ISO 3166-1 alpha-2.")
    city: Text | None = Field(default=None, max_length=120)
    language: Text | None = Field(default=None, max_length=120)
    website: Text | None = Field(default=None, max_length=2_000)
    description: Text | None = Field(default=None, max_length=2_000)
    logo: Text | None = Field(default=None, max_length=2_000)
    tags: list[Annotated[Text, Field(max_length=60)]] = Field(default=[], max_length=30)


class StreamsIn(BaseModel):
    """Up to 1,000 streams."""

    model_config = ConfigDict(extra="forbid")

    streams: list[StreamIn] = Field(min_length=1, max_length=propose.MAX_BATCH)


class OutcomeOut(BaseModel):
    """What became of one submitted stream: `taken`, `known`, `waiting` for a moderator, or `refused`."""

    model_config = ConfigDict(from_attributes=True)

    where: str
    url: str | None
    outcome: Literal["taken", "known", "waiting", "refused"]
    stream_id: int | None
    submission_id: UUID | None
    reason: str | None


class SubmissionOut(BaseModel):
    """A submission and its answer."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    url: str
    fields: dict[str, Any]
    status: Literal["pending", "accepted", "refused"]
    submitted_by: str
    stream_id: int | None
    reason: str | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None


class RefusalIn(BaseModel):
    """Why a submission is refused; its submitter is told."""

    model_config = ConfigDict(extra="forbid")

    reason: Text = Field(min_length=1, max_length=500)


def _plain_schema() -> dict[str, Any]:
    """Return the body's schema without references: `#/$defs` would point at nothing in the whole document."""
    schema = StreamsIn.model_json_schema()
    schema["properties"]["streams"]["items"] = schema.pop("$defs")["StreamIn"]
    return schema


@router.post(
    "/submissions",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _plain_schema()},
                "audio/x-mpegurl": {"schema": {"type": "string"}},
                "text/plain": {"schema": {"type": "string"}},
            },
        }
    },
)
async def submit_streams(request: Request, state: State, caller: Annotated[Principal, allow(None)]) -> list[OutcomeOut]:
    """Submit streams: JSON, or a playlist as it is (M3U, PLS, XSPF, ASX, OPML, one address a line).

    Who may write stations has them taken at once; of everybody else they wait for a moderator. An address is the key:
    sending the same list again changes nothing and gives the same answers.
    """
    entries = _entries(request.headers.get("content-type", ""), await request.body())
    may_write = Scope.STATIONS_WRITE in caller.scopes
    outcomes: list[OutcomeOut] = []
    for begin in range(0, len(entries), UNIT_STREAMS):
        some = entries[begin : begin + UNIT_STREAMS]

        def make(unit: Unit, some: list[Entry | Refused] = some) -> list[propose.Outcome]:
            submitter, now = f"user:{caller.user_id}", state.now()
            return propose.submit_all(unit, some, caller.actor, now=now, may_write=may_write, submitter=submitter)

        outcomes += [OutcomeOut.model_validate(one) for one in await state.threads.write(make)]
    return outcomes


@router.get("/submissions")
async def list_submissions(
    request: Request,
    response: Response,
    state: State,
    caller: Moderator,
    status: Literal["pending", "accepted", "refused"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> list[SubmissionOut]:
    """List submissions, oldest first."""
    del caller
    rows, following = await state.threads.read(
        lambda session: propose.find_submissions(session, status, limit=limit, cursor=cursor)
    )
    response.headers.update(dict(next_link(request, following)))
    return [SubmissionOut.model_validate(row) for row in rows]


@router.post("/submissions/{submission_id}/accept")
async def accept_submission(submission_id: UUID, state: State, caller: Moderator) -> SubmissionOut:
    """Take a submission into the catalogue."""

    def make(unit: Unit) -> SubmissionOut:
        return _shown(propose.accept(unit, submission_id, caller.actor, now=state.now()))

    return await state.threads.write(make)


@router.post("/submissions/{submission_id}/refuse")
async def refuse_submission(submission_id: UUID, body: RefusalIn, state: State, caller: Moderator) -> SubmissionOut:
    """Refuse a submission, with the reason."""

    def make(unit: Unit) -> SubmissionOut:
        return _shown(propose.refuse(unit, submission_id, body.reason, caller.actor, now=state.now()))

    return await state.threads.write(make)


def _shown(row: Submission) -> SubmissionOut:
    return SubmissionOut.model_validate(row)


def _entries(content_type: str, body: bytes) -> list[Entry | Refused]:
    """Read what was sent.

    Raises:
        InputError: It is neither such JSON nor a playlist, or longer than 1,000 streams.
    """
    if content_type.partition(";")[0].strip().lower() == "application/json":
        try:
            told = StreamsIn.model_validate_json(body)
        except ValidationError as error:
            raise RequestValidationError(error.errors()) from error
        return [
            propose.entry_of(one.model_dump(exclude_none=True), f"stream {place}")
            for place, one in enumerate(told.streams, start=1)
        ]
    adapter = sniff(body[:4096])
    if adapter.name not in LISTS:
        raise InputError("This is no playlist: send M3U, PLS, XSPF, ASX, OPML or one address a line, or JSON.")
    entries = [entry for entry, _ in zip(adapter.entries(io.BytesIO(body)), range(propose.MAX_BATCH + 1), strict=False)]
    if len(entries) > propose.MAX_BATCH:
        raise InputError(f"At most {propose.MAX_BATCH:,} streams can be submitted at once: split the list.")
    return entries
