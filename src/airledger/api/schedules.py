"""What comes again and again: when it ran, what came of it, when it is due; paused, resumed, run by hand."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, status
from pydantic import BaseModel, ConfigDict

from airledger.api.allow import allow
from airledger.api.given import Moment, Text
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.tasks import steer

router = APIRouter(prefix="/api/v1", tags=["system"])
ScheduleName = Annotated[Text, Path(max_length=200)]
Reader = Annotated[Principal, allow(Scope.SYSTEM_READ)]
Steerer = Annotated[Principal, allow(Scope.SYSTEM_WRITE)]


class LastRunOut(BaseModel):
    """What came of a schedule's last run; `seconds` is None until it has ended."""

    model_config = ConfigDict(from_attributes=True)

    task_id: UUID
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    error: str | None
    result: dict[str, Any] | None


class ScheduleOut(BaseModel):
    """A task that comes again and again; `last` is None once the task of its last run is forgotten (two weeks)."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    task: str
    every_s: int
    daily_at: str | None
    next_due: datetime
    last_run: datetime | None
    enabled: bool
    last: LastRunOut | None


class ScheduleIn(BaseModel):
    """What of a schedule can be changed."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None
    next_due: Moment | None = None


class RunOut(BaseModel):
    """The task that a run by hand made."""

    task_id: UUID


@router.get("/schedules")
async def list_schedules(state: State, caller: Reader) -> list[ScheduleOut]:
    """List schedules by name, with their last and next run."""
    del caller
    return await state.threads.read(
        lambda session: [ScheduleOut.model_validate(row) for row in steer.list_schedules(session)]
    )


@router.patch("/schedules/{name}")
async def change_schedule(name: ScheduleName, body: ScheduleIn, state: State, caller: Steerer) -> ScheduleOut:
    """Pause or resume a schedule, or have it run sooner."""
    return await _change(state, caller, name, body)


@router.post("/schedules/{name}/pause")
async def pause_schedule(name: ScheduleName, state: State, caller: Steerer) -> ScheduleOut:
    """Pause a schedule until it is resumed."""
    return await _change(state, caller, name, ScheduleIn(enabled=False))


@router.post("/schedules/{name}/resume")
async def resume_schedule(name: ScheduleName, state: State, caller: Steerer) -> ScheduleOut:
    """Resume a schedule; one that is overdue runs at once."""
    return await _change(state, caller, name, ScheduleIn(enabled=True))


@router.post("/schedules/{name}/run", status_code=status.HTTP_202_ACCEPTED)
async def run_schedule(name: ScheduleName, state: State, caller: Steerer) -> RunOut:
    """Have a schedule's task done now; 409 while it waits or runs already."""
    task_id = await state.threads.write(
        lambda unit: steer.run_schedule(unit, state.app.tasks, caller.actor, name, now=state.now())
    )
    return RunOut(task_id=task_id)


async def _change(state: ApiState, caller: Principal, name: str, body: ScheduleIn) -> ScheduleOut:
    def make(unit: Unit) -> ScheduleOut:
        steer.change_schedule(
            unit, caller.actor, name, is_enabled=body.enabled, next_due=body.next_due, now=state.now()
        )
        return ScheduleOut.model_validate(steer.list_schedules(unit.session, name)[0])

    return await state.threads.write(make)
