"""What Radio Browser's clients do to a station: start it, vote for it, submit one; and how it was checked."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from airledger.api.allow import allow, public
from airledger.api.limit_requests import ADDRESS
from airledger.api.radio_browser_asked import ROW_FORMATS, Format, asked_by, send_one, send_rows, writing_of
from airledger.api.rate_limit import bucket_name
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import AirledgerError, NotFoundError
from airledger.stations import submit
from airledger.stations.directory import clicks
from airledger.stations.directory.check_fields import checks_since
from airledger.stations.directory.entries import Entry, read_entries
from airledger.stations.directory.station_search import Asked, by_uuids

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

    async def click_station(stationuuid: str, request: Request, state: State, caller: Stranger) -> Response:
        """Count that a station is started, once per address and day, and return its address."""
        del caller
        entry = await _station(state, stationuuid)
        address = address_of(request)
        await state.threads.write(
            lambda unit: clicks.click(unit, entry.stream.id, address, state.visit_secret, now=state.now())
        )
        return send_one(form, _told("retrieved station url", entry), "status")

    async def vote_station(stationuuid: str, request: Request, state: State, caller: Stranger) -> Response:
        """Vote for a station, once per address and day."""
        del caller
        entry = await _station(state, stationuuid)
        address = address_of(request)

        def count(unit: Unit) -> bool:
            return clicks.vote(unit, entry.stream.id, address, state.visit_secret, now=state.now())

        counts = await state.threads.write(count)
        message = "voted for station successfully" if counts else "you are voting for the same station too often"
        return send_one(form, {"ok": counts, "message": message}, "status")

    async def list_checks(request: Request, state: State, caller: Stranger) -> Response:
        """List the latest checks of all stations: `seconds`, `limit`."""
        del caller
        return await _checks(request, state, form, None)

    async def list_checks_of(stationuuid: str, request: Request, state: State, caller: Stranger) -> Response:
        """List the latest checks of a station."""
        del caller
        return await _checks(request, state, form, (await _station(state, stationuuid)).stream.id)

    add("/url/{stationuuid}", click_station)
    add("/vote/{stationuuid}", vote_station)
    add("/checks", list_checks)
    add("/checks/{stationuuid}", list_checks_of)


def _add_players(form: Format) -> None:
    """Add the click path whose answer a player can open."""

    async def play_station(stationuuid: str, request: Request, state: State, caller: Stranger) -> Response:
        """Count that a station is started, and return it as a playlist."""
        del caller
        entry = await _station(state, stationuuid)
        address = address_of(request)
        await state.threads.write(
            lambda unit: clicks.click(unit, entry.stream.id, address, state.visit_secret, now=state.now())
        )
        writing = writing_of(form)
        return Response(writing.head() + writing.entries([entry]) + writing.tail(), media_type=writing.media_type)

    router.add_api_route(
        f"/{form}/url/{{stationuuid}}",
        play_station,
        methods=list(READS),
        response_class=Response,
        include_in_schema=False,
        name=f"{form}_play_station",
    )


@router.post("/json/add", response_class=Response)
async def add_station(
    request: Request, state: State, caller: Annotated[Principal, allow(Scope.STATIONS_WRITE)]
) -> Response:
    """Submit a station (`name`, `url`), which is proven at once; needs a key that may write stations.

    By POST alone: a GET that changes something could be sent in a visitor's name by any other site.
    """
    asked = await asked_by(request)

    def make(unit: Unit) -> int:
        name, url = asked.text("name") or None, asked.text("url")
        return submit.submit(unit, state.app.tasks, url, caller.actor, now=state.now(), name=name).stream_id

    try:
        stream_id = await state.threads.write(make)
    except AirledgerError as error:
        return send_one("json", {"ok": False, "message": error.message, "uuid": ""}, "status")
    entry = (await state.threads.read(lambda session: read_entries(session, [stream_id])))[0]
    return send_one("json", {"ok": True, "message": "added station", "uuid": str(entry.stream.uuid)}, "status")


def address_of(request: Request) -> str:
    """Return whom a click or vote counts for: the connection's address, or what a trusted proxy vouches for."""
    return bucket_name(str(request.scope.get(ADDRESS, "")))


async def _station(state: ApiState, stationuuid: str) -> Entry:
    def find(session: Session) -> list[Entry]:
        return read_entries(session, by_uuids(session, [stationuuid], Asked({})))

    found = await state.threads.read(find)
    if not found:
        raise NotFoundError(f"there is no station {stationuuid[:50]}")
    return found[0]


def _told(message: str, entry: Entry) -> dict[str, Any]:
    stream = entry.stream
    return {
        "ok": True,
        "message": message,
        "stationuuid": str(stream.uuid),
        "name": stream.name or stream.url,
        "url": stream.playable_url,
    }


async def _checks(request: Request, state: ApiState, form: Format, stream_id: int | None) -> Response:
    asked = await asked_by(request)
    seconds, limit = asked.number("seconds", 0), asked.number("limit", 1_000)
    since = state.now() - timedelta(seconds=min(seconds, 10**9)) if seconds else None
    rows = await state.threads.read(lambda session: checks_since(session, stream_id, since, limit))
    return send_rows(form, rows, "check")


for _form in ROW_FORMATS:
    _add_paths(_form)
for _form in ("m3u", "pls", "xspf"):
    _add_players(_form)
