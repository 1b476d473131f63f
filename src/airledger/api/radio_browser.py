"""Radio Browser's paths for stations: an app that speaks to radio-browser.info needs only another host name.

What is answered and where we differ: docs/guide/serving.md.
"""

from array import array
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from airledger.api.allow import public
from airledger.api.radio_browser_asked import STATION_FORMATS, Format, asked_by, writing_of
from airledger.api.send_list import send_list
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.errors import NotFoundError
from airledger.stations.directory import station_search
from airledger.stations.directory.station_search import Asked

READS = ("GET", "POST")
Stranger = Annotated[Principal | None, public()]

router = APIRouter(tags=["radio-browser"])


def _add_paths(form: Format) -> None:
    """Add the paths of one format; GET of JSON stands in the reference, the others are the same."""

    def add(path: str, call: Callable[..., Awaitable[Response]]) -> None:
        for method in READS:
            router.add_api_route(
                f"/{form}{path}",
                call,
                methods=[method],
                response_class=Response,
                include_in_schema=form == "json" and method == "GET",
                name=f"{form}_{call.__name__}",
            )

    async def all_stations(request: Request, state: State, caller: Stranger) -> Response:
        """List stations: `order`, `reverse`, `offset`, `limit`, `hidebroken`."""
        del caller
        return await _answer(request, state, form, station_search.find)

    async def search_stations(request: Request, state: State, caller: Stranger) -> Response:
        """Search stations by all of Radio Browser's parameters, in the address, a form or JSON."""
        del caller
        return await _answer(request, state, form, station_search.find)

    async def list_stations(by: str, request: Request, state: State, caller: Stranger) -> Response:
        """List stations: `topvote`, `topclick`, `lastclick`, `lastchange`, `broken`, `changed`, `byuuid`, `byurl`."""
        del caller
        return await _answer(request, state, form, lambda session, asked: _listed(session, by, "", asked))

    async def list_stations_by(by: str, term: str, request: Request, state: State, caller: Stranger) -> Response:
        """List the first of a list (`topvote/10`), or stations by a field (`byname/jazz`, `bytagexact/news`)."""
        del caller
        return await _answer(request, state, form, lambda session, asked: _listed(session, by, term, asked))

    add("/stations", all_stations)
    add("/stations/search", search_stations)
    add("/stations/{by}", list_stations)
    add("/stations/{by}/{term:path}", list_stations_by)


async def _answer(
    request: Request, state: ApiState, form: Format, find: Callable[[Session, Asked], "array[int]"]
) -> Response:
    asked = await asked_by(request)
    ids = await state.threads.read(lambda session: find(session, asked))
    return send_list(state, ids, writing_of(form))


def _listed(session: Session, by: str, term: str, asked: Asked) -> "array[int]":
    if by == "byuuid":
        return station_search.by_uuids(session, (term or asked.text("uuids")).split(","), asked)
    if by == "byurl":
        return station_search.by_url(session, term or asked.text("url"), asked)
    if by == "changed":
        return station_search.changed(session, asked)
    try:
        if term and by.startswith("by"):
            return station_search.find(session, asked, station_search.by_field(by, term))
        limited = Asked({**asked.given, "limit": term}) if term else asked
        return station_search.ranked(session, by, limited)
    except KeyError:
        raise NotFoundError(f"there is no list of stations {by[:50]!r}") from None


for _form in STATION_FORMATS:
    _add_paths(_form)
