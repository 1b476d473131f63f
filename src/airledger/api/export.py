"""The catalogue as a file, with the filters of `/streams`."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from airledger.api.allow import public
from airledger.api.send_list import send_list
from airledger.api.state import State
from airledger.api.streams import stream_filter
from airledger.platform.auth.principal import Principal
from airledger.stations.directory.export import TV, ExportFormat, export_ids, export_writing
from airledger.stations.filters import StreamFilter

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


@router.get("/export.{form}", response_class=Response)
async def export_streams(
    form: ExportFormat,
    request: Request,
    state: State,
    caller: Annotated[Principal | None, public()],
    wanted: Annotated[StreamFilter, Depends(stream_filter)],
    limit: Annotated[int | None, Query(ge=1, le=10_000_000, description="At most so many.")] = None,
) -> Response:
    """Write the streams that a filter wants as M3U, PLS, XSPF, OPML, CSV or JSON, TV channels as XMLTV.

    It is sent piece by piece. M3U names the XMLTV of the same filter as its guide (`url-tvg`), where channels are
    asked for.
    """
    del caller
    if form is ExportFormat.XMLTV:
        wanted = replace(wanted, type=TV)
    ids = await state.threads.read(lambda session: export_ids(session, wanted, limit))
    guide_url = None
    if form is ExportFormat.M3U and wanted.type != "radio":
        guide_url = str(request.url.replace(path="/api/v1/export.xmltv"))
    return send_list(state, ids, export_writing(form, guide_url), filename=f"airledger.{form.value}")
