"""Logos of stations, as we made them anew; a station without one shows its initials."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from airledger.api.allow import public
from airledger.api.etag import send, tagged
from airledger.api.state import State
from airledger.api.stations import StationId
from airledger.platform.auth.principal import Principal
from airledger.platform.errors import NotFoundError
from airledger.platform.storage import Storage
from airledger.stations.directory import logos
from airledger.stations.directory.find_stations import station_view

A_WEEK, A_DAY = "public, max-age=604800", "public, max-age=86400"

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


@router.get("/stations/{station_id}/logo", response_class=Response)
async def get_logo(
    station_id: StationId,
    request: Request,
    state: State,
    caller: Annotated[Principal | None, public()],
    size: Annotated[Literal["64", "128", "256"], Query(description="Pixels a side.")] = "128",
) -> Response:
    """Return a station's logo as WebP, or its initials as SVG. It may be kept for a week, initials for a day."""
    del caller

    def find(session: Session) -> tuple[str, str | None]:
        station = station_view(session, station_id)
        urls = list(dict.fromkeys(stream.logo for stream in station.streams if stream.logo))
        return station.name, logos.digest_of(session, urls) if urls else None

    name, digest = await state.threads.read(find)
    if digest is not None:
        try:
            body = await state.threads.disk(lambda: _read(state.app.storage, digest, int(size)))
        except NotFoundError:  # storage was restored from an older day than the rows
            body = None
        if body is not None:
            return send(request, tagged(body, cache=A_WEEK), "image/webp")
    return send(request, tagged(logos.initials_picture(name, int(size)), cache=A_DAY), "image/svg+xml")


def _read(storage: Storage, digest: str, size: int) -> bytes:
    with storage.open(logos.object_key(digest, size)) as file:
        return file.read()
