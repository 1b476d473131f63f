"""Answers that are not sent again to those who have them: ETag and If-None-Match (RFC 9110, 8.8.3 and 13.1.2)."""

import hashlib
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from airledger.api.cached import Answer

DIGEST_BYTES = 16
REVALIDATE = "no-cache"  # it may be kept, and is asked about before it is used
TAGS_LIMIT = 50


def tagged(body: bytes, *headers: tuple[str, str], cache: str = REVALIDATE) -> Answer:
    """Return an answer with its ETag, made of the body."""
    tag = f'"{hashlib.blake2b(body, digest_size=DIGEST_BYTES).hexdigest()}"'
    return Answer(body, (*headers, ("ETag", tag), ("Cache-Control", cache)))


def send(request: Request, answer: Answer, media_type: str) -> Response:
    """Send an answer, or 304 to those who say that they have it."""
    headers = dict(answer.headers)
    if _has(request.headers.get("If-None-Match", ""), headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(answer.body, media_type=media_type, headers=headers)


def _has(told: str, tag: str) -> bool:
    if told.strip() == "*":
        return True
    # Proxies that compress what we send make our tag a weak one; for reading, weak is enough.
    return any(one.strip().removeprefix("W/") == tag for one in told.split(",", TAGS_LIMIT))
