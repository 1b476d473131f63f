"""HEAD answers as GET does, without the body: monitors ask that way."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENDLESS = frozenset({"/api/v1/events", "/api/v1/now"})


class HeadRequests:
    """Turns HEAD into GET and keeps the body back."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"] in ENDLESS:
            await self._inner(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope["method"] = "GET"
        await self._inner(scope, receive, answer)
