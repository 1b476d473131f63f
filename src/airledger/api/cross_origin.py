"""Other sites: they may read the public catalogue, and may do nothing in a visitor's name."""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airledger.platform.errors import ForbiddenError

_OPEN = re.compile(
    r"/api/(?:v1/(?:stats|points|choices|now|streams(?:/[^/]+(?:/(?:checks|metrics))?)?"
    r"|stations(?:/[^/]+(?:/(?:now|logo))?)?|export\.[a-z0-9]+)|openapi\.json)"
    r"|/(?:json|xml|csv|m3u|pls|xspf)/.+"
)
_READS = ("GET", "HEAD")
_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Link, ETag, X-Request-ID, Retry-After"),
)
_PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, HEAD"),
    ("Access-Control-Allow-Headers", "Accept, X-Request-ID"),
    ("Access-Control-Max-Age", "86400"),
)


class OpenCatalogue:
    """Answers the browser's cross-origin questions for reads of the catalogue; elsewhere it stays silent.

    `*` keeps cookies out: a browser does not hand an answer to a credentialed request on to another site.
    """

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not _OPEN.fullmatch(scope["path"]):
            await self._inner(scope, receive, send)
            return
        asked = Headers(scope=scope).get("Access-Control-Request-Method")
        if scope["method"] == "OPTIONS" and asked in _READS:
            headers = [(key.lower().encode(), value.encode()) for key, value in (*_HEADERS, *_PREFLIGHT)]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] in _READS:
                headers = MutableHeaders(scope=message)
                for key, value in _HEADERS:
                    headers[key] = value
            await send(message)

        await self._inner(scope, receive, answer)


def require_same_origin(connection: HTTPConnection) -> None:
    """Refuse a request that another site makes a visitor's browser send with our cookie.

    Raises:
        ForbiddenError: It comes from another site, or a browser does not say where from.
    """
    site = connection.headers.get("Sec-Fetch-Site")
    origin = connection.headers.get("Origin", "")
    if site is not None:  # the browser's own word, which no script can set; a proxy may have changed Host
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = urlsplit(origin).netloc.lower() == connection.headers.get("Host", "").lower() != ""
    if is_ours:
        return
    raise ForbiddenError("this was sent by another site: use the page of this installation, or an API key")


def refuse_other_sites(connection: HTTPConnection) -> None:
    """Refuse what says that it comes from another site; programs, which say nothing, may.

    Raises:
        ForbiddenError: It does.
    """
    if "Origin" in connection.headers or "Sec-Fetch-Site" in connection.headers:
        require_same_origin(connection)
