"""Is it alive, is it ready, and its figures."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from pydantic import BaseModel
from sqlalchemy.orm import Session

from airledger.api.allow import public
from airledger.api.cached import Answer
from airledger.api.metrics import Figures, read_figures
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import logger
from airledger.platform.migrate import is_current
from airledger.platform.presence import living

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

router = APIRouter(tags=["health"])
log = logger(__name__)


class AliveOut(BaseModel):
    """That this process answers."""

    status: str


class ReadyOut(BaseModel):
    """Whether the parts that are needed are there; `ok`, or what is wrong."""

    status: str
    checks: dict[str, str]
    processes: dict[str, int]


@router.get("/healthz")
async def alive(caller: Annotated[Principal | None, public()]) -> AliveOut:
    """Answer while this process lives."""
    del caller
    return AliveOut(status="ok")


@router.get("/readyz", responses={503: {"model": ReadyOut}})
async def ready(response: Response, state: State, caller: Annotated[Principal | None, public()]) -> ReadyOut:
    """Tell whether database, tables and storage are there (else 503), and which processes are seen."""
    del caller
    app = state.app
    is_up = await state.threads.database(app.database.is_up)
    checks = {
        "database": "ok" if is_up else "the database does not answer",
        "migrations": await _try(state, "migrations", lambda: _require_current(state)) if is_up else "not looked at",
        "storage": await _try(state, "storage", lambda: _write_object(state)),
    }
    processes = await state.threads.read(lambda session: _processes(session, state)) if is_up else {}
    is_ready = all(found == "ok" for found in checks.values())
    if not is_ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return ReadyOut(status="ok" if is_ready else "not ready", checks=checks, processes=processes)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(state: State, caller: Annotated[Principal | None, public()]) -> Response:
    """Give all figures in Prometheus' text form: the installation's from the database, this process's requests."""
    del caller

    async def answer() -> Answer:
        figures = await state.threads.read(lambda session: read_figures(session, state.now()))
        return Answer(generate_latest(Figures(figures)))

    made = await state.figures.get("metrics", answer)
    return Response(made.body + generate_latest(state.traffic.registry), headers={"Content-Type": METRICS_TYPE})


async def _try(state: ApiState, name: str, check: Callable[[], str]) -> str:
    try:
        return await state.threads.disk(check)
    except (AirledgerError, OSError) as error:
        log.warning("not_ready", part=name, error=str(error))
        return f"{name} failed; the log tells why"


def _require_current(state: ApiState) -> str:
    return "ok" if is_current(state.app.database) else "the tables are of another version: restart Airledger"


def _write_object(state: ApiState) -> str:
    key = f"readyz/{uuid4().hex}"
    state.app.storage.put(key, b"ready")
    state.app.storage.delete(key)
    return "ok"


def _processes(session: Session, state: ApiState) -> dict[str, int]:
    counts: dict[str, int] = {}
    for process in living(session, state.now()):
        counts[process.role] = counts.get(process.role, 0) + 1
    return counts
