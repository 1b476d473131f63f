"""What a stream is, how good, and whether to trust it; and what people say of that."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import allow, public
from airledger.api.state import State
from airledger.api.stream_rows import StreamId
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.stations.verdict.confirm import confirm, get_verdict
from airledger.stations.verdict.models import StreamVerdict

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

Label = Literal["advert_loop", "error_page", "mixed", "music", "noise", "silence", "slate", "speech", "tone"]


class VerificationOut(BaseModel):
    """The last close look at a stream, weighed. Before the first one, everything but `stream_id` is empty."""

    model_config = ConfigDict(populate_by_name=True)

    stream_id: int
    looked_at: datetime | None = None
    is_valid: bool | None = Field(default=None, description="Whether `confidence` is above 0.7.")
    confidence: float | None = Field(default=None, description="Probability that it is music, speech or both.")
    risk_score: float | None = Field(
        default=None, description="1 - confidence x (1 - suspicion of fraud): 0 trusts it, 1 does not."
    )
    label: Label | None = Field(default=None, alias="class", description="What it sends.")
    probabilities: dict[str, float] = Field(default_factory=dict, description="Of each class of sound.")
    quality: float | None = Field(default=None, description="0 to 1; empty for what is no programme.")
    reasons: list[str] = Field(default_factory=list)
    faults: list[str] = Field(default_factory=list, description="Of the picture: black, frozen or placeholder.")
    model_version: str | None = None
    error: str | None = Field(default=None, description="Why the last attempt to look saw nothing.")


class ConfirmIn(BaseModel):
    """What a person says of the last look."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    label: Label | None = Field(
        default=None, alias="class", description="What it is; leave out to confirm the verdict."
    )


class ConfirmedOut(BaseModel):
    """The lesson that was kept."""

    model_config = ConfigDict(populate_by_name=True)

    id: UUID
    stream_id: int
    label: Label = Field(alias="class")
    was: Label


@router.get("/streams/{stream_id}/verification")
async def get_verification(
    stream_id: StreamId, state: State, caller: Annotated[Principal | None, public()]
) -> VerificationOut:
    """Tell what the last close look at a stream found."""
    del caller
    return await state.threads.read(lambda session: _shown(stream_id, get_verdict(session, stream_id)))


@router.post("/streams/{stream_id}/verification/confirm", status_code=status.HTTP_201_CREATED)
async def confirm_verification(
    stream_id: StreamId, body: ConfirmIn, state: State, caller: Annotated[Principal, allow(Scope.STATIONS_WRITE)]
) -> ConfirmedOut:
    """Confirm what a look found, or correct it. `airledger learn retrain` learns from it."""

    def make(unit: Unit) -> ConfirmedOut:
        said = confirm(unit, stream_id, caller.actor, body.label, now=state.now())
        unit.session.flush()
        return ConfirmedOut.model_validate(
            {"id": said.id, "stream_id": stream_id, "class": said.label, "was": said.was}
        )

    return await state.threads.write(make)


def _shown(stream_id: int, row: StreamVerdict | None) -> VerificationOut:
    if row is None:
        return VerificationOut(stream_id=stream_id)
    return VerificationOut.model_validate(
        {
            "stream_id": stream_id,
            "looked_at": row.looked_at,
            "is_valid": row.is_valid,
            "confidence": row.confidence,
            "risk_score": row.risk_score,
            "class": row.label,
            "probabilities": row.probabilities,
            "quality": row.quality,
            "reasons": row.reasons,
            "faults": row.faults,
            "model_version": row.model_version,
            "error": row.error,
        }
    )
