"""How much and how often: the rate per caller, and the size of a request's body."""

import re
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airledger.api.credentials import credential_of
from airledger.api.problem import problem
from airledger.api.rate_limit import KNOWN_FACTOR, Proxies, RateLimiter, bucket_name
from airledger.platform.auth.authenticate import Authenticator

BODY_BYTES = 1 << 20
UPLOAD_BYTES = 512 << 20
SAMPLE_BYTES = 16 << 20
TOO_LARGE = 413
# Where sound may be uploaded. These routes let nobody's body in before they know who it is (`api/upload.py`).
_LARGER = (
    (re.compile(r"/api/v1/library|/api/music-monitor/fingerprint/(?:track|batch)"), UPLOAD_BYTES),
    (re.compile(r"/api/music-monitor/acrcloud/test-[a-z]+"), SAMPLE_BYTES),
)
ADDRESS = "airledger.address"
_UNLIMITED = frozenset({"/healthz", "/readyz", "/metrics"})  # a busy caller must not make us look dead


class LimitRequests:
    """Charges each request to its caller.

    Only a credential that was proven within the last seconds has a bucket of its own: who tries out credentials pays
    from the address.
    """

    def __init__(self, inner: ASGIApp, limiter: RateLimiter, proxies: Proxies, authenticator: Authenticator) -> None:
        self._inner = inner
        self._limiter = limiter
        self._proxies = proxies
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._inner(scope, receive, send)
            return
        peer = (scope.get("client") or ("", 0))[0]
        address = self._proxies.caller(peer, Headers(scope=scope).get("X-Forwarded-For"))
        scope[ADDRESS] = address
        if self._proxies.is_trusted(peer) and Headers(scope=scope).get("X-Forwarded-Proto") == "https":
            scope["scheme"] = "https"  # so that the cookie is marked Secure
        wait_s = None if scope["path"] in _UNLIMITED else self._charge(scope, address)
        if wait_s is not None:
            await _refuse(scope, receive, send, wait_s)
            return
        await self._inner(scope, _bounded(scope, receive), send)

    def _charge(self, scope: Scope, address: str) -> int | None:
        held = credential_of(HTTPConnection(scope))
        known = self._authenticator.remembered(held.value) if held else None
        if known is not None:
            return self._limiter.take(f"caller:{known.key_id or known.user_id}", factor=KNOWN_FACTOR)
        return self._limiter.take(bucket_name(address))


async def _refuse(scope: Scope, receive: Receive, send: Send, wait_s: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1013, "reason": f"too many requests: wait {wait_s} s"})
        return
    answer = problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_requests",
        f"more requests than are allowed a minute: wait {wait_s} s, or sign in for a higher limit",
        headers={"Retry-After": str(wait_s)},
    )
    await answer(scope, receive, send)


def _bounded(scope: Scope, receive: Receive) -> Receive:
    if scope["type"] != "http":
        return receive
    total, limit = 0, body_limit(scope["path"])
    declared = Headers(scope=scope).get("Content-Length", "")

    async def read() -> Message:
        nonlocal total
        message = await receive()
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            if total > limit or (declared.isdecimal() and int(declared[:20]) > limit):
                # FastAPI lets this kind through, and would answer 400 to any other that is raised while it reads.
                raise HTTPException(TOO_LARGE, f"the request's body is larger than {limit >> 10} KiB")
        return message

    return read


def body_limit(path: str) -> int:
    """Return how many bytes a request to a path may bring."""
    return next((limit for pattern, limit in _LARGER if pattern.fullmatch(path)), BODY_BYTES)
