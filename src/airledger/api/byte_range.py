"""Answering with a part of a body (RFC 9110, 14): browsers jump within a sound by asking for ranges."""

import re
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def byte_range(header: str | None, size: int) -> range | None:
    """Read a Range header.

    Args:
        header: As it was sent; several ranges, other units and nonsense are ignored, as the RFC allows.
        size: Bytes of the whole.

    Returns:
        The bytes that are wanted, none of them when the range lies behind the end; None when the whole is wanted.
    """
    found = _ONE_RANGE.fullmatch((header or "").strip())
    if found is None or found.group() == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(min(int(first), size), min(int(last) + 1 if last else size, size))


def answer_part(request: Request, body: bytes, *, media_type: str, etag: str, headers: dict[str, str]) -> Response:
    """Answer with the whole body, the part that was asked for, or 304 where the caller has it already.

    Args:
        request: Whose Range, If-Range and If-None-Match count.
        body: The whole.
        media_type: Of the body.
        etag: Strong, without its quotes.
        headers: Sent along.
    """
    tag = f'"{etag}"'
    common = {**headers, "ETag": tag, "Accept-Ranges": "bytes"}
    known = request.headers.get("If-None-Match", "")
    if tag in {one.strip().removeprefix("W/") for one in known.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=common)
    is_same = request.headers.get("If-Range", tag) == tag
    wanted = byte_range(request.headers.get("Range"), len(body)) if is_same else None
    if wanted is None:
        return Response(body, media_type=media_type, headers=common)
    if not len(wanted):
        common["Content-Range"] = f"bytes */{len(body)}"
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=common)
    common["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{len(body)}"
    return Response(
        body[wanted.start : wanted.stop], status_code=HTTPStatus.PARTIAL_CONTENT, media_type=media_type, headers=common
    )
