"""The outermost door: every request gets an id, a log line, a count, and an answer even where our code broke."""

import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airledger.api.problem import MEDIA_TYPE, encode, problem_body
from airledger.api.traffic import Traffic
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import adopt_correlation_id, logger

HEADER = "X-Request-ID"
SLOW_S = 1.0
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = logger(__name__)


class TraceRequests:
    """Adopts or makes X-Request-ID, which also is the correlation id of what the request causes."""

    def __init__(self, inner: ASGIApp, traffic: Traffic) -> None:
        self._inner = inner
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._inner(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER)
        request_id = adopt_correlation_id(given if given and _ID.fullmatch(given) else uuid.uuid4().hex)
        begun = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._inner(scope, receive, answer)
        except Exception as error:
            log.exception("request_broke", path=scope["path"])
            if scope["type"] == "http" and status == 0:
                await _answer_broken(answer, error)
        finally:
            self._tell(scope, status, time.perf_counter() - begun)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = scope.get("method", "WEBSOCKET")
        is_live = scope.get("airledger.is_live", False) or scope["type"] == "websocket"
        self._traffic.count(method if method in _METHODS else "other", route, status, None if is_live else seconds)
        tell = log.info if seconds > SLOW_S and not is_live else log.debug
        tell("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


async def _answer_broken(send: Send, error: BaseException) -> None:
    if isinstance(error, AirledgerError):
        body = problem_body(error.status, error.code, error.message)
    else:
        body = problem_body(500, "internal", "something broke on our side; the log has it under this correlation id")
    headers = [(b"content-type", MEDIA_TYPE.encode())]
    await send({"type": "http.response.start", "status": body["status"], "headers": headers})
    await send({"type": "http.response.body", "body": encode(body)})
