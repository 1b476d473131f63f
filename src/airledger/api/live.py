"""Live events over SSE and WebSocket, with resume: `Last-Event-ID`, or `?since=POSITION`."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, WebSocket
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope
from starlette.websockets import WebSocketDisconnect

from airledger.api.allow import allow, public
from airledger.api.credentials import credential_of
from airledger.api.hub import Audience, Line
from airledger.api.limit_requests import ADDRESS
from airledger.api.state import ApiState, State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.errors import AirledgerError, InputError, UnauthenticatedError, UnavailableError
from airledger.platform.events import Told

SEND_PATIENCE_S = 10.0
RETRY_MS = 2_000
TYPES_LIMIT = 50
TALK_LIMIT = 1_000
GOING_AWAY, POLICY, TRY_AGAIN = 1001, 1008, 1013

router = APIRouter(prefix="/api/v1", tags=["live"])
Since = Annotated[int | None, Query(ge=0, le=2**62, description="The last position that you know.")]
Tell = Callable[[Told | None], Awaitable[list[tuple[int | None, str, str]]]]
"""Makes of an event, or a beat, what the client is told: positions, names and messages."""
Types = Annotated[str | None, Query(max_length=2_000, description="Only these, separated by commas.")]


@router.get("/events", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def stream_events(
    request: Request,
    state: State,
    caller: Annotated[Principal | None, public()],
    since: Since = None,
    types: Types = None,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> Response:
    """Follow what happens, as server-sent events.

    Strangers hear of the catalogue only. A reader that is too slow is cut off, and resumes with `Last-Event-ID`.
    """
    begin = int(last_event_id) if last_event_id and last_event_id.isdecimal() else since
    line = state.hub.open(Audience.of(caller, _types(types)), caller_name(request, caller))
    return EventStream(state, line, begin, credential_check(request, state, caller))


@router.websocket("/events/ws")
async def talk_events(
    socket: WebSocket,
    state: State,
    caller: Annotated[Principal, allow(Scope.CATALOGUE_READ)],
    since: Since = None,
    types: Types = None,
) -> None:
    """Follow what happens over a WebSocket: one JSON message per event, of the same shape."""
    await talk(socket, state, caller, _types(types), since=since)


async def talk(
    socket: WebSocket,
    state: ApiState,
    caller: Principal,
    types: frozenset[str],
    *,
    since: int | None = None,
    tell: Tell | None = None,
) -> None:
    """Serve a WebSocket from the hub until the client goes or loses its permission, or we shut down.

    Args:
        socket: Not accepted yet.
        state: Of this process.
        caller: Whose ears.
        types: Events to hear of; empty for all.
        since: The last position that the client knows.
        tell: What is said of an event; by default, the event.
    """
    try:
        line = state.hub.open(Audience.of(caller, types), caller_name(socket, caller))
    except AirledgerError as error:
        await socket.close(TRY_AGAIN, error.message)
        return
    socket.scope["airledger.is_live"] = True
    await socket.accept()
    allowed = credential_check(socket, state, caller)
    pump = asyncio.ensure_future(_pump_socket(socket, state, line, since, allowed, tell or every_event))
    ears = asyncio.ensure_future(_listen(socket))
    try:
        with state.traffic.live.labels("websocket").track_inprogress():
            await asyncio.wait({pump, ears}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        state.hub.hang_up(line)
        pump.cancel()
        ears.cancel()
        await asyncio.gather(pump, ears, return_exceptions=True)


class EventStream(Response):
    """An endless answer of server-sent events."""

    media_type = "text/event-stream"

    def __init__(
        self,
        state: ApiState,
        line: Line,
        since: int | None,
        is_allowed: Callable[[], Awaitable[bool]],
        *,
        tell: Tell | None = None,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._state = state
        self._line = line
        self._since = since
        self._is_allowed = is_allowed
        self._tell = tell or every_event

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Send events until the client goes, reads too slowly, loses its permission, or we shut down."""
        scope["airledger.is_live"] = True
        pump = asyncio.ensure_future(self._pump(send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            with self._state.traffic.live.labels("sse").track_inprogress():
                await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._state.hub.hang_up(self._line)
            pump.cancel()
            gone.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)

    async def _pump(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        begin = f"retry: {RETRY_MS}\n\n".encode()
        await _within(send({"type": "http.response.body", "body": begin, "more_body": True}), self._state)
        async for event in _while_allowed(self._state.hub.follow(self._line, self._since), self._is_allowed):
            for body in [_as_sse(*told) for told in await self._tell(event)] or [b":\n\n"]:
                await _within(send({"type": "http.response.body", "body": body, "more_body": True}), self._state)
        await _within(send({"type": "http.response.body", "body": b"", "more_body": False}), self._state)


async def every_event(event: Told | None) -> list[tuple[int | None, str, str]]:
    """Tell an event as it is; of a beat there is nothing to tell."""
    return [] if event is None else [(event.position, event.type, _as_json(event))]


async def _pump_socket(
    socket: WebSocket,
    state: ApiState,
    line: Line,
    since: int | None,
    is_allowed: Callable[[], Awaitable[bool]],
    tell: Tell,
) -> None:
    position = since
    async for event in _while_allowed(state.hub.follow(line, since), is_allowed):
        for _, _, message in await tell(event):
            await _within(socket.send_text(message), state)
        if event is not None:
            position = event.position
    await socket.close(GOING_AWAY if line.is_over else POLICY, f"resume with since={position}")


async def _while_allowed(
    events: AsyncIterator[Told | None], is_allowed: Callable[[], Awaitable[bool]]
) -> AsyncIterator[Told | None]:
    async for event in events:
        if event is None and not await is_allowed():
            return
        yield event


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _listen(socket: WebSocket) -> None:
    """Read what the client says, which means nothing here, until it hangs up or says too much."""
    try:
        for _ in range(TALK_LIMIT):
            await socket.receive_text()
    except (WebSocketDisconnect, KeyError, RuntimeError):
        return  # hung up, or sent bytes


async def _within(sending: Awaitable[None], state: ApiState) -> None:
    """Send; a client that takes nothing for so long is dropped, and resumes after the last event it got."""
    try:
        await asyncio.wait_for(sending, SEND_PATIENCE_S)
    except TimeoutError:
        state.traffic.dropped.inc()
        raise


def credential_check(
    connection: HTTPConnection, state: ApiState, caller: Principal | None
) -> Callable[[], Awaitable[bool]]:
    """Return what tells, at each beat, whether a connection's credential still holds."""
    held = credential_of(connection)
    is_stranger = caller is None

    async def is_allowed() -> bool:
        if held is None or state.authenticator.remembered(held.value) is not None:
            return True
        try:
            await state.threads.database(lambda: state.authenticator.identify(held.value))
        except UnauthenticatedError:
            return is_stranger
        except UnavailableError:
            return True  # asked again at the next beat: an outage of the database must not cut every page off
        return True

    return is_allowed


def caller_name(connection: HTTPConnection, caller: Principal | None) -> str:
    """Return whom a connection counts for."""
    return str(caller.key_id or caller.user_id) if caller else str(connection.scope.get(ADDRESS, ""))


def _types(text: str | None) -> frozenset[str]:
    names = frozenset(name.strip() for name in (text or "").split(",") if name.strip())
    if len(names) > TYPES_LIMIT:
        raise InputError(f"name at most {TYPES_LIMIT} types of events")
    return names


def _as_json(event: Told) -> str:
    message: dict[str, Any] = {
        "position": event.position,
        "type": event.type,
        "at": event.at.isoformat(),
        "payload": event.payload,
    }
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def _as_sse(position: int | None, kind: str, message: str) -> bytes:
    place = "" if position is None else f"id: {position}\n"
    return f"{place}event: {kind}\ndata: {message}\n\n".encode()
