"""What every answer tells browsers to be careful about."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'self'; connect-src 'self' http: https: ws: wss:; media-src http: https: blob:; "
    "img-src 'self' data: blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# A worker obeys the policy that came with its script: the globe's reads its points by itself.
SCRIPT_POLICY = "default-src 'none'; connect-src 'self'; script-src 'self'; frame-ancestors 'none'"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


class SecurityHeaders:
    """Adds Content-Security-Policy and its companions."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _policy(headers.get("content-type", "").partition(";")[0])
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        await self._inner(scope, receive, answer)


def _policy(content_type: str) -> str:
    if content_type == "text/html":
        return PAGE_POLICY
    return SCRIPT_POLICY if content_type in {"text/javascript", "application/javascript"} else API_POLICY
