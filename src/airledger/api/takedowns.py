"""Asking to be left out of the catalogue, and deciding about it; the block list."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.allow import allow, public
from airledger.api.given import Text
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.stations import takedown

URL_LIMIT = 8_192
MANY = 1_000

router = APIRouter(prefix="/api/v1", tags=["takedown"])
Moderator = Annotated[Principal, allow(Scope.SYSTEM_WRITE)]


class TakedownIn(BaseModel):
    """What shall be left out, why, and where to answer."""

    model_config = ConfigDict(extra="forbid")

    url: Text = Field(min_length=1, max_length=URL_LIMIT)
    reason: Text = Field(min_length=1, max_length=4_000)
    contact: Text = Field(min_length=3, max_length=320, description="A mail address.")
    whole_host: bool = Field(default=False, description="All streams of the host, not this one alone.")


class TakedownSentOut(BaseModel):
    """That a request has come in."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: str
    at: datetime


class TakedownOut(TakedownSentOut):
    """A request, for those who decide."""

    url: str
    host: str
    whole_host: bool
    reason: str
    contact: str
    decided_at: datetime | None
    decided_by: str | None
    answer: str | None


class DecisionIn(BaseModel):
    """What becomes of a request."""

    model_config = ConfigDict(extra="forbid")

    grant: bool
    answer: Text = Field(default="", max_length=4_000)


class BlockedIn(BaseModel):
    """What shall never enter the catalogue."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["url", "host", "pattern"]
    value: Text = Field(min_length=1, max_length=URL_LIMIT, description="A pattern knows * and ?.")
    reason: Text = Field(default="", max_length=4_000)


class BlockedOut(BaseModel):
    """An entry of the block list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    value: str
    reason: str
    by: str
    since: datetime


@router.post("/takedown", status_code=status.HTTP_202_ACCEPTED)
async def request_takedown(
    body: TakedownIn, state: State, caller: Annotated[Principal | None, public()]
) -> TakedownSentOut:
    """Ask, as anybody may, that a stream or a host be left out; a moderator decides."""
    del caller

    def make(unit: Unit) -> TakedownSentOut:
        row = takedown.request_takedown(
            unit, body.url, body.reason, body.contact, whole_host=body.whole_host, now=state.now()
        )
        return TakedownSentOut.model_validate(row)

    return await state.threads.write(make)


@router.get("/takedown")
async def list_takedowns(
    state: State,
    caller: Moderator,
    status: Literal["open", "granted", "declined"] | None = None,
    limit: Annotated[int, Query(ge=1, le=MANY)] = 200,
) -> list[TakedownOut]:
    """List requests, those that wait first."""
    del caller

    def make(session: Session) -> list[TakedownOut]:
        return [TakedownOut.model_validate(row) for row in takedown.find_requests(session, status, limit)]

    return await state.threads.read(make)


@router.post("/takedown/{request_id}/decision", status_code=status.HTTP_204_NO_CONTENT)
async def decide_takedown(request_id: UUID, body: DecisionIn, state: State, caller: Moderator) -> None:
    """Grant a request, which blocks the address and retires its streams, or decline it."""

    def make(unit: Unit) -> None:
        decide = takedown.grant if body.grant else takedown.decline
        decide(unit, caller.actor, request_id, body.answer, now=state.now())

    await state.threads.write(make)


@router.get("/blocked")
async def list_blocked(
    state: State, caller: Moderator, limit: Annotated[int, Query(ge=1, le=MANY)] = MANY
) -> list[BlockedOut]:
    """List the block list, newest first."""
    del caller

    def make(session: Session) -> list[BlockedOut]:
        return [BlockedOut.model_validate(row) for row in takedown.find_blocked(session, limit)]

    return await state.threads.read(make)


@router.post("/blocked", status_code=status.HTTP_201_CREATED)
async def add_blocked(body: BlockedIn, state: State, caller: Moderator) -> BlockedOut:
    """Block an address, a host with all below it, or a pattern; what it fits is retired."""

    def make(unit: Unit) -> BlockedOut:
        row = takedown.block(unit, caller.actor, body.kind, body.value, body.reason, now=state.now())
        takedown.retire_blocked(unit, caller.actor, state.now())
        return BlockedOut.model_validate(row)

    return await state.threads.write(make)


@router.delete("/blocked/{blocked_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_blocked(blocked_id: UUID, state: State, caller: Moderator) -> None:
    """Take an entry off the block list; what it retired is taken in again."""

    def make(unit: Unit) -> None:
        takedown.unblock(unit, caller.actor, blocked_id, now=state.now())

    await state.threads.write(make)
