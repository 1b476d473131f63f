"""What the globe draws: every matching stream in a few bytes, and what the filters may choose from."""

import gzip
import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.allow import public
from airledger.api.cached import Answer
from airledger.api.state import State
from airledger.api.streams import stream_filter
from airledger.platform.auth.principal import Principal
from airledger.stations import points
from airledger.stations.filters import StreamFilter

BINARY = "application/octet-stream"
SQUEEZE = 3  # of 9: 100,000 points shrink nearly as far as with 9, in a fifth of the time
_BYTES_OF_BINARY = {"content": {BINARY: {"schema": {"type": "string", "format": "binary"}}}}

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


class ChoiceOut(BaseModel):
    """A value that occurs, and how often."""

    value: str
    count: int


class StreamChoicesOut(BaseModel):
    """How many streams match, and what they may be narrowed by, most frequent first."""

    model_config = ConfigDict(from_attributes=True)

    total: int
    placeless: int = Field(description="Of `total`, those that have no place on the globe.")
    states: dict[str, int]
    countries: list[ChoiceOut]
    languages: list[ChoiceOut]
    codecs: list[ChoiceOut]


@router.get("/points", response_class=Response, responses={200: _BYTES_OF_BINARY})
async def get_points(
    request: Request,
    state: State,
    caller: Annotated[Principal | None, public()],
    wanted: Annotated[StreamFilter, Depends(stream_filter)],
) -> Response:
    """Give every matching stream that has a place, 15 bytes each, in columns (docs/formats/points.md)."""
    del caller

    def make(session: Session) -> tuple[bytes, str]:
        body = points.points(session, wanted)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return gzip.compress(body, SQUEEZE, mtime=0), tag

    async def answer() -> Answer:
        body, tag = await state.threads.read(make)
        return Answer(body, (("ETag", tag), ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")))

    made = await state.cache.get(("points", wanted), answer)
    headers = dict(made.headers)
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(gzip.decompress(made.body), media_type=BINARY, headers=headers)
    return Response(made.body, media_type=BINARY, headers={**headers, "Content-Encoding": "gzip"})


@router.get("/choices", response_model=StreamChoicesOut)
async def get_choices(
    state: State,
    caller: Annotated[Principal | None, public()],
    wanted: Annotated[StreamFilter, Depends(stream_filter)],
) -> Response:
    """Count what matches by state, country, language and codec; as of the last 15 seconds."""
    del caller

    def make(session: Session) -> bytes:
        found = points.choices(session, wanted)

        def listed(pairs: list[tuple[str, int]]) -> list[ChoiceOut]:
            return [ChoiceOut(value=value, count=count) for value, count in pairs]

        out = StreamChoicesOut(
            total=found.total,
            placeless=found.placeless,
            states=found.states,
            countries=listed(found.countries),
            languages=listed(found.languages),
            codecs=listed(found.codecs),
        )
        return out.model_dump_json().encode()

    async def answer() -> Answer:
        return Answer(await state.threads.read(make))

    made = await state.figures.get(("choices", wanted), answer)
    return Response(made.body, media_type="application/json")
