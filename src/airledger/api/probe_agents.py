"""Probe agents: provers at other places, who ask for work and send what they saw (`airledger probe-agent`)."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from airledger.api.allow import allow, public
from airledger.api.given import Text
from airledger.api.state import State
from airledger.api.stream_rows import StreamId
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.stations.cause import Cause
from airledger.stations.probing.agents import (
    LEASE,
    MAX_CLAIM,
    Seen,
    claim_work,
    list_agents,
    take_results,
    vantages,
)
from airledger.stations.probing.elsewhere import Agreement

MOST_RESULTS = 500
AgentName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="Lower-case letters, digits, -.")]

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


class ClaimIn(BaseModel):
    """How much an agent wants to do."""

    limit: int = Field(default=50, ge=1, le=MAX_CLAIM)


class WorkOut(BaseModel):
    """A stream to look at."""

    model_config = ConfigDict(from_attributes=True)

    stream_id: int
    url: str
    headers: dict[str, str]
    claimed_kbps: int | None


class ClaimOut(BaseModel):
    """What is an agent's to look at until the lease is over."""

    lease_s: float
    streams: list[WorkOut]


class SeenIn(BaseModel):
    """What an agent saw of a stream."""

    stream_id: int = Field(ge=1, le=2**53)
    checked_at: AwareDatetime
    level: int = Field(ge=-1, le=4)
    is_healthy: bool
    cause: Cause | None = None
    cause_confidence: float | None = Field(default=None, ge=0, le=1)
    detail: Annotated[Text, Field(max_length=500)] | None = None
    http_status: int | None = Field(default=None, ge=0, le=999)
    response_time_ms: int | None = Field(default=None, ge=0, le=10**6)
    bandwidth_kbps: int | None = Field(default=None, ge=0, le=10**6)
    codec: Annotated[Text, Field(max_length=50)] | None = None
    sample_rate_hz: int | None = Field(default=None, ge=0, le=10**6)
    channels: int | None = Field(default=None, ge=0, le=1_000)
    sound_s: float = Field(default=0.0, ge=0, le=86_400)

    def seen(self) -> Seen:
        """Give it as the catalogue takes it."""
        return Seen(**{name: getattr(self, name) for name in type(self).model_fields})


class ResultsIn(BaseModel):
    """Some of what an agent saw."""

    results: Annotated[list[SeenIn], Field(max_length=MOST_RESULTS)]


class ResultsOut(BaseModel):
    """What became of it."""

    taken: int
    ignored: int = Field(description="Never given to this agent, known already, too old, or in the future.")


class AgentOut(BaseModel):
    """A probe agent."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    created_at: datetime
    seen_at: datetime
    checks: int


class ViewOut(BaseModel):
    """What one place saw last."""

    model_config = ConfigDict(from_attributes=True)

    vantage: str
    checked_at: datetime
    is_healthy: bool
    cause: str | None


class VantagesOut(BaseModel):
    """What all places say."""

    agreement: Agreement | None = Field(description="null while no other place has looked within a day.")
    views: list[ViewOut]


@router.get("/probe-agents")
async def list_probe_agents(state: State, caller: Annotated[Principal, allow(Scope.SYSTEM_READ)]) -> list[AgentOut]:
    """List the probe agents of my organisation."""
    return await state.threads.read(
        lambda session: [AgentOut.model_validate(row) for row in list_agents(session, caller.organisation_id)]
    )


@router.post("/probe-agents/{name}/claim")
async def claim_probe_work(
    name: AgentName, given: ClaimIn, state: State, caller: Annotated[Principal, allow(Scope.PROBES_WRITE)]
) -> ClaimOut:
    """Take streams to look at from another place. Nobody else of this name gets them until the lease is over."""
    now = state.now()
    work = await state.threads.write(
        lambda unit: claim_work(unit, caller.organisation_id, name, now, limit=given.limit)
    )
    streams = [WorkOut.model_validate(one) for one in work]
    return ClaimOut(lease_s=LEASE.total_seconds(), streams=streams)


@router.post("/probe-agents/{name}/results")
async def send_probe_results(
    name: AgentName, given: ResultsIn, state: State, caller: Annotated[Principal, allow(Scope.PROBES_WRITE)]
) -> ResultsOut:
    """Send what was seen. Sending it again changes nothing."""
    now = state.now()
    seen = [one.seen() for one in given.results]
    taken = await state.threads.write(lambda unit: take_results(unit, caller.organisation_id, name, seen, now))
    return ResultsOut(taken=taken, ignored=len(seen) - taken)


@router.get("/streams/{stream_id}/vantages")
async def list_vantages(
    stream_id: StreamId, state: State, caller: Annotated[Principal | None, public()]
) -> VantagesOut:
    """Tell what every place saw of a stream last, and what that means together."""
    del caller
    now = state.now()
    found = await state.threads.read(lambda session: vantages(session, stream_id, now))
    return VantagesOut(agreement=found.agreement, views=[ViewOut.model_validate(view) for view in found.views])
