"""The directory that Icecast servers announce themselves to: a form is POSTed, the answer stands in headers."""

import socket
from asyncio import timeout
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from airledger.api.allow import public
from airledger.api.limit_requests import ADDRESS
from airledger.api.rate_limit import bucket_name
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.errors import AirledgerError, InputError, LimitError
from airledger.stations.announcing import announce

MAX_FORM_BYTES = 16 * 1024
MAX_FIELDS = 60
RESOLVE_LIMIT_S = 5.0
MAX_MESSAGE_CHARS = 200

router = APIRouter(tags=["catalogue"])


@router.post("/yp", response_class=Response)
@router.post("/yp/cgi-bin", response_class=Response, include_in_schema=False)
@router.post("/yp/cgi-bin/yp-cgi", response_class=Response, include_in_schema=False)
async def announce_stream(request: Request, state: State, caller: Annotated[Principal | None, public()]) -> Response:
    """Hear an Icecast server: `action=add`, `touch` or `remove`. The status is 200 always; `YPResponse` is 1 or 0."""
    del caller
    try:
        told = await _obey(state, await _form(request), str(request.scope.get(ADDRESS, "")))
    except AirledgerError as error:
        return _answer({"YPResponse": "0", "YPMessage": error.message})
    return _answer({"YPResponse": "1", **told})


async def _obey(state: ApiState, form: Mapping[str, str], address: str) -> Mapping[str, str]:
    if not state.app.settings.accept_announcements:
        raise InputError("this directory takes no announcements")
    if state.announcers.take(bucket_name(address)) is not None:
        raise LimitError("too many announcements from this address: wait a minute")
    match form.get("action"):
        case "add":
            hosts = await _addresses(state, announce.listen_address(form).host)
            announce.check_reachable(state.app.guard, hosts)
            made = await state.threads.write(
                lambda unit: announce.add(unit, form, announced_from=address, host_addresses=hosts, now=state.now())
            )
            return {"YPMessage": "Added", "SID": made.sid, "TouchFreq": str(made.touch_every_s)}
        case "touch":
            await state.threads.write(lambda unit: announce.touch(unit.session, form, state.now()))
            return {"YPMessage": "Touched", "TouchFreq": str(announce.TOUCH_EVERY_S)}
        case "remove":
            await state.threads.write(lambda unit: announce.remove(unit, form, state.now()))
            return {"YPMessage": "Removed"}
        case _:
            raise InputError("there is no such action: add, touch or remove")


async def _form(request: Request) -> dict[str, str]:
    """Read the form; Icecast ends it with a line end, and names may be Latin-1."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise LimitError("the announcement is too long")
    raw = body.decode("latin-1").strip()
    for encoding in ("utf-8", "latin-1"):
        try:
            pairs = parse_qsl(raw, True, encoding=encoding, errors="strict", max_num_fields=MAX_FIELDS)
        except UnicodeDecodeError:
            continue
        except ValueError as error:
            raise InputError("the announcement has too many fields") from error
        return {name: value.strip() for name, value in pairs}
    raise AssertionError("every byte is a letter of Latin-1")


async def _addresses(state: ApiState, host: str) -> frozenset[str]:
    """Resolve the listen URL's host; empty where that fails or takes too long."""
    bare = host.strip("[]")
    try:
        async with timeout(RESOLVE_LIMIT_S):
            found = await state.threads.outgoing(lambda: socket.getaddrinfo(bare, None, type=socket.SOCK_STREAM))
    except (OSError, TimeoutError, UnicodeError):
        return frozenset()
    return frozenset(str(one[4][0]) for one in found)


def _answer(headers: Mapping[str, str]) -> Response:
    clean = {name: value.encode("ascii", "replace").decode()[:MAX_MESSAGE_CHARS] for name, value in headers.items()}
    return Response(headers={name: " ".join(value.split()) for name, value in clean.items()}, media_type="text/plain")
