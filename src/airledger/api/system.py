"""How the installation itself is doing: tasks and processes. Only for the organisation that runs it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.presence import living
from airledger.platform.tasks import inspect

router = APIRouter(prefix="/api/v1", tags=["system"])


class TaskOut(BaseModel):
    """One unit of work."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    queue: str
    status: str
    priority: int
    attempts: int
    max_attempts: int
    progress: float
    run_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    leased_by: str | None
    error: str | None
    result: dict[str, Any] | None


class ProcessOut(BaseModel):
    """One living process."""

    model_config = ConfigDict(from_attributes=True)

    role: str
    pid: int
    host: str
    started_at: datetime
    seen_at: datetime
    stats: dict[str, Any]


@router.get("/tasks")
async def list_tasks(
    request: Request,
    response: Response,
    state: State,
    caller: Annotated[Principal, allow(Scope.SYSTEM_READ)],
    status: Annotated[Text | None, Query(max_length=20)] = None,
    queue: Annotated[Text | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=inspect.MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> list[TaskOut]:
    """List tasks, newest first."""
    wanted = inspect.TaskFilter(status=status, queue=queue, organisation_id=caller.organisation_id)
    rows, following = await state.threads.read(
        lambda session: inspect.find_tasks(session, wanted, limit=limit, cursor=cursor)
    )
    response.headers.update(dict(next_link(request, following)))
    return [TaskOut.model_validate(row) for row in rows]


@router.post("/tasks/{task_id}/cancel", status_code=status.HTTP_204_NO_CONTENT)
async def cancel_task(task_id: UUID, state: State, caller: Annotated[Principal, allow(Scope.SYSTEM_WRITE)]) -> None:
    """Cancel a task that has not begun."""
    await state.threads.write(
        lambda unit: inspect.cancel_task(unit, caller.actor, caller.organisation_id, task_id, now=state.now())
    )


@router.get("/processes")
async def list_processes(state: State, caller: Annotated[Principal, allow(Scope.SYSTEM_READ)]) -> list[ProcessOut]:
    """List the processes that were seen within the last seconds."""
    del caller
    return await state.threads.read(
        lambda session: [ProcessOut.model_validate(row) for row in living(session, state.now())]
    )
