"""Radio Browser's paths for lists with counts, and its figures."""

import json
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from airledger.api.allow import public
from airledger.api.cached import Answer
from airledger.api.radio_browser_asked import ROW_FORMATS, Format, asked_by, send_one, send_rows
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.errors import NotFoundError
from airledger.stations.directory import groups
from airledger.stations.directory.station_search import MOST

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

    async def tell(kind: str, request: Request, state: State, caller: Stranger) -> Response:
        """Return `stats`, `servers`, or a list with counts: `countries`, `countrycodes`, `languages`, `tags`, ..."""
        del caller
        if kind == "stats":
            return send_one(form, await _stats(state), "stats")
        if kind == "servers":
            host = request.url.hostname or ""
            return send_rows(form, [{"ip": (request.scope.get("server") or ("",))[0], "name": host}], "server")
        return await _group(request, state, form, kind, "", "")

    async def tell_some(kind: str, term: str, request: Request, state: State, caller: Stranger) -> Response:
        """Return a list with counts, narrowed to names that contain a term; `states` takes a country as well."""
        del caller
        country, _, rest = term.rpartition("/") if kind == "states" else ("", "", term)
        return await _group(request, state, form, kind, rest, country)

    add("/{kind}", tell)
    add("/{kind}/{term:path}", tell_some)


async def _stats(state: ApiState) -> dict[str, Any]:
    async def answer() -> Answer:
        return Answer(
            json.dumps(await state.threads.read(lambda session: groups.figures(session, state.now()))).encode()
        )

    counted = json.loads((await state.counts.get("radio-browser stats", answer)).body)
    return {"supported_version": 1, "software_version": version("airledger"), "status": "OK", **counted}


async def _group(request: Request, state: ApiState, form: Format, kind: str, term: str, country: str) -> Response:
    asked = await asked_by(request)
    hides = bool(asked.flag("hidebroken"))

    async def answer() -> Answer:
        rows = await state.threads.read(lambda session: groups.count(session, kind, is_broken_hidden=hides))
        return Answer(json.dumps(rows).encode())

    if kind not in groups.KINDS:
        raise NotFoundError(f"there is nothing at {request.url.path[:200]}")
    rows = json.loads((await state.counts.get(("radio-browser", kind, hides), answer)).body)
    term, country = term.casefold(), country.casefold()
    rows = [row for row in rows if _is_meant(row, term, country)]
    key = "stationcount" if asked.text("order") == "stationcount" else "name"
    rows.sort(key=lambda row: (row[key], row["name"]), reverse=bool(asked.flag("reverse")))
    offset = asked.number("offset", 0)
    return send_rows(form, rows[offset : offset + min(asked.number("limit", MOST), MOST)], groups.ELEMENTS[kind])


def _is_meant(row: dict[str, Any], term: str, country: str) -> bool:
    where = row.get("country", "").casefold()
    if country:
        return where == country and term in row["name"].casefold()
    return term in row["name"].casefold() or (term != "" and where == term)


for _form in ROW_FORMATS:
    _add_paths(_form)
