"""The installation in figures."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from airledger.api.allow import public
from airledger.api.cached import Answer
from airledger.api.state import State
from airledger.listening.find_sessions import LIVE, count_sessions
from airledger.platform.auth.principal import Principal
from airledger.playlog.find_plays import count_plays
from airledger.repertoire.recordings import count_recordings
from airledger.stations import catalogue

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


class StatsOut(BaseModel):
    """The mission's figures, and ours."""

    total_streams: int
    radio_streams: int
    tv_streams: int
    active_streams: int
    avg_reliability: float | None
    countries: str = Field(description="ISO codes, separated by commas, as the mission's STRING_AGG gives them.")
    country_count: int
    streams_by_state: dict[str, int]
    plays_total: int
    recordings_total: int
    sessions_live: int


@router.get("/stats", response_model=StatsOut)
async def stats(state: State, caller: Annotated[Principal | None, public()]) -> Response:
    """Count the catalogue, the library and the plays."""
    del caller

    def make(session: Session) -> bytes:
        counted = catalogue.stats(session)
        return (
            StatsOut(
                total_streams=counted.total_streams,
                radio_streams=counted.radio_streams,
                tv_streams=counted.tv_streams,
                active_streams=counted.active_streams,
                avg_reliability=counted.avg_reliability,
                countries=",".join(counted.countries),
                country_count=len(counted.countries),
                streams_by_state=counted.streams_by_state,
                plays_total=count_plays(session),
                recordings_total=count_recordings(session),
                sessions_live=count_sessions(session).get(LIVE, 0),
            )
            .model_dump_json()
            .encode()
        )

    async def answer() -> Answer:
        return Answer(await state.threads.read(make))

    made = await state.cache.get("stats", answer)
    return Response(made.body, media_type="application/json")
