"""What a Radio Browser client asks for, and how it is answered: parameters by query, form or JSON; six formats."""

import json
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from airledger.platform.errors import InputError
from airledger.stations.directory.entries import Entry
from airledger.stations.directory.playlists import M3u, Pls, Writing, Xspf
from airledger.stations.directory.station_fields import station_fields
from airledger.stations.directory.station_search import Asked
from airledger.stations.directory.tables import Csv, Json, Xml, csv_rows, xml_element

Format = Literal["json", "xml", "csv", "m3u", "pls", "xspf"]
ROW_FORMATS: tuple[Format, ...] = ("json", "xml", "csv")
STATION_FORMATS: tuple[Format, ...] = ("json", "xml", "csv", "m3u", "pls", "xspf")
MOST_PARAMETERS = 100
STATION_NAMES = (
    "changeuuid", "stationuuid", "serveruuid", "name", "url", "url_resolved", "homepage", "favicon", "tags", "country",
    "countrycode", "iso_3166_2", "state", "language", "languagecodes", "votes", "lastchangetime",
    "lastchangetime_iso8601", "codec", "bitrate", "hls", "lastcheckok", "lastchecktime", "lastchecktime_iso8601",
    "lastcheckoktime", "lastcheckoktime_iso8601", "lastlocalchecktime", "lastlocalchecktime_iso8601", "clicktimestamp",
    "clicktimestamp_iso8601", "clickcount", "clicktrend", "ssl_error", "geo_lat", "geo_long", "has_extended_info",
)  # fmt: skip


async def asked_by(request: Request) -> Asked:
    """Read a request's parameters; what the body says wins over the address.

    Raises:
        InputError: The body is not what its Content-Type says, or there are far too many parameters.
    """
    given = dict(request.query_params)
    if request.method == "POST":
        given |= _of_body(await request.body(), request.headers.get("Content-Type", ""))
    if len(given) > MOST_PARAMETERS:
        raise InputError(f"more than {MOST_PARAMETERS} parameters are too many.")
    return Asked(given)


def _of_body(body: bytes, content_type: str) -> dict[str, str]:
    if not body.strip():
        return {}
    try:
        if content_type.partition(";")[0].strip().lower() == "application/json":
            told = json.loads(body)
            return {str(name): _plain(value) for name, value in told.items() if value is not None}
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_PARAMETERS))
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError("the body is neither a form nor a JSON object.") from error


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def writing_of(form: Format) -> Writing:
    """Return what writes stations in a format."""

    def fields(entry: Entry) -> dict[str, Any]:
        return station_fields(entry.stream, entry.clicked_at)

    makers: dict[Format, Callable[[], Writing]] = {
        "json": lambda: Json(fields),
        "xml": lambda: Xml(fields),
        "csv": lambda: Csv(fields, STATION_NAMES),
        "m3u": lambda: M3u(names_uuids=True),
        "pls": Pls,
        "xspf": Xspf,
    }
    return makers[form]()


def send_rows(form: Format, rows: list[dict[str, Any]], element: str) -> Response:
    """Answer with rows that are at hand."""
    if form == "xml":
        body = Xml(lambda _: {}).head() + "".join(xml_element(element, row) for row in rows) + "</result>\n"
        return Response(body, media_type="application/xml")
    if form == "csv":
        names = list(rows[0]) if rows else ["name", "stationcount"]
        return Response(csv_rows([dict(zip(names, names, strict=True)), *rows], names), media_type="text/csv")
    return Response(json.dumps(rows, ensure_ascii=False), media_type="application/json")


def send_one(form: Format, row: dict[str, Any], element: str) -> Response:
    """Answer with one thing: JSON as an object, not an array."""
    if form == "json":
        return Response(json.dumps(row, ensure_ascii=False), media_type="application/json")
    return send_rows(form, [row], element)
