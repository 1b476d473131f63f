"""Unknown recordings: what was heard more than once and nobody has enrolled."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.listening.unknown_find import MAX_LIMIT, UnknownDetail, UnknownView, find_unknowns, show_unknown
from airledger.platform.audit import Actor
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.errors import InputError
from airledger.repertoire.describe import TEXT_LIMIT, Description, normal_isrc

router = APIRouter(prefix="/api/v1", tags=["unknown"])


class UnknownOut(BaseModel):
    """An unknown recording; title and artist once it has a name."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: str = Field(description="new, named or ignored.")
    suggested_class: str | None = Field(description="music, jingle or advert: a guess by length and frequency.")
    times_heard: int
    stations: int
    duration_ms: int
    first_heard_at: datetime
    last_heard_at: datetime
    recording_id: UUID | None
    title: str | None
    artist: str | None


class AiringOut(BaseModel):
    """When and where it was heard."""

    model_config = ConfigDict(from_attributes=True)

    stream_id: int
    station_name: str | None
    started_at: datetime
    ended_at: datetime
    detection_id: UUID | None = Field(description="Its play, once it has a name.")


class MergedOut(BaseModel):
    """Another unknown recording that turned out to be this one; its id leads here."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    because: str


class UnknownDetailOut(UnknownOut):
    """An unknown recording with its newest airings."""

    airings: list[AiringOut]
    merged: list[MergedOut]


class NameIn(BaseModel):
    """What an unknown recording is: one of your library, or a new one by title and artist."""

    model_config = ConfigDict(extra="forbid")

    recording_id: UUID | None = None
    title: Annotated[Text, Field(min_length=1, max_length=TEXT_LIMIT)] | None = None
    artist: Annotated[Text, Field(max_length=TEXT_LIMIT)] = ""
    album: Annotated[Text, Field(max_length=TEXT_LIMIT)] | None = None
    label: Annotated[Text, Field(max_length=TEXT_LIMIT)] | None = None
    isrc: Annotated[Text, Field(max_length=40)] | None = None
    recording_class: Literal["music", "jingle", "advert", "bed"] = "music"
    enrol: bool = Field(default=True, description="Listen for it from now on, by its longest airing.")


class NamedOut(BaseModel):
    """What came of naming."""

    model_config = ConfigDict(from_attributes=True)

    unknown_id: UUID
    recording_id: UUID
    plays: int = Field(description="Plays that were written for past airings.")
    is_enrolled: bool


@router.get("/unknowns")
async def list_unknowns(
    request: Request,
    response: Response,
    state: State,
    caller: Annotated[Principal, allow(Scope.LIBRARY_READ)],
    of: Annotated[Literal["new", "named", "ignored", "all"], Query(description="Only these.")] = "new",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: UUID | None = None,
) -> list[UnknownOut]:
    """List unknown recordings, those heard most often first."""
    wanted = None if of == "all" else of

    def make(session: Session) -> list[UnknownView]:
        return find_unknowns(session, caller.organisation_id, state=wanted, limit=limit + 1, after=cursor)

    rows = await state.threads.read(make)
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    response.headers.update(dict(next_link(request, following)))
    return [UnknownOut.model_validate(row) for row in rows[:limit]]


@router.get("/unknowns/{unknown_id}")
async def get_unknown(
    unknown_id: UUID, state: State, caller: Annotated[Principal, allow(Scope.LIBRARY_READ)]
) -> UnknownDetailOut:
    """Return one unknown recording; the id of one that was merged leads to the other."""
    found = await state.threads.read(lambda session: show_unknown(session, caller.organisation_id, unknown_id))
    return _detail(found)


@router.post("/unknowns/{unknown_id}/name")
async def name(
    unknown_id: UUID, given: NameIn, state: State, caller: Annotated[Principal, allow(Scope.LIBRARY_WRITE)]
) -> NamedOut:
    """Say what it is: all its past plays are written, and coming ones follow."""
    described = _described(given)
    app, actor = state.app, caller.actor

    def do() -> NamedOut:
        from airledger.fingerprint.params import PROFILES
        from airledger.listening.unknown_settle import settle_name

        params = PROFILES[app.settings.fingerprint_profile] if given.enrol else None
        settled = settle_name(
            app.database,
            app.storage,
            actor,
            unknown_id,
            state.now(),
            recording_id=given.recording_id,
            described=described,
            enrol_with=params,
        )
        return NamedOut.model_validate(settled)

    return await state.threads.database(do)


@router.post("/unknowns/{unknown_id}/ignore", status_code=204)
async def ignore(unknown_id: UUID, state: State, caller: Annotated[Principal, allow(Scope.LIBRARY_WRITE)]) -> None:
    """Say that it need not be named; nobody is asked about it any more."""
    actor: Actor = caller.actor

    def do() -> None:
        from airledger.listening.unknown_names import ignore_unknown

        with state.app.unit() as unit:
            ignore_unknown(unit, actor, unknown_id, state.now())

    await state.threads.database(do)


def _described(given: NameIn) -> Description | None:
    if given.title is None:
        return None
    isrc = normal_isrc(given.isrc) if given.isrc else None
    if given.isrc and isrc is None:
        raise InputError(f"{given.isrc!r} is not an ISRC: two letters, three letters or digits, seven digits")
    return Description(given.title, given.artist, given.album, given.label, isrc, given.recording_class)


def _detail(found: UnknownDetail) -> UnknownDetailOut:
    return UnknownDetailOut(
        **UnknownOut.model_validate(found.unknown).model_dump(),
        airings=[AiringOut.model_validate(one) for one in found.airings],
        merged=[MergedOut.model_validate(one) for one in found.merged],
    )
