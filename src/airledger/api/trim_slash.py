"""API paths answer with and without a trailing slash, without a redirect that would lose a request's body."""

from starlette.types import ASGIApp, Receive, Scope, Send


class TrimSlash:
    """Takes slashes off the end of a path."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] in {"http", "websocket"}:
            path: str = scope["path"]
            if len(path) > 1 and path.endswith("/"):
                trimmed = path.rstrip("/") or "/"
                scope["path"] = trimmed
                scope["raw_path"] = trimmed.encode("utf-8", "surrogateescape")
        await self._inner(scope, receive, send)
