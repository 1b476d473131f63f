"""Errors as problem+json (RFC 9457): what happened, how to mend it, and the id to find it in the logs by."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from airledger.platform.errors import AirledgerError, InputError, LimitError
from airledger.platform.logging import correlation_id, logger

MEDIA_TYPE = "application/problem+json"
ERRORS_SHOWN = 20
_CODES = {413: LimitError.code, 422: InputError.code}

log = logger(__name__)


class ProblemResponse(JSONResponse):
    """An error answer."""

    media_type = MEDIA_TYPE


def problem(
    status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> ProblemResponse:
    """Make an error answer.

    Args:
        status: HTTP status.
        code: Stable name of the error, for machines.
        detail: A sentence for people.
        headers: Headers that belong to it.
        more: Further members.
    """
    return ProblemResponse(problem_body(status, code, detail, **more), status_code=status, headers=headers)


def problem_body(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return the members of a problem."""
    return {
        "type": f"urn:airledger:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "correlation_id": correlation_id(),
        **more,
    }


def from_error(error: AirledgerError) -> ProblemResponse:
    """Turn one of our errors into its answer."""
    headers: dict[str, str] = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="airledger"'
    retry_after_s = error.details.get("retry_after_s")
    if isinstance(retry_after_s, int):
        headers["Retry-After"] = str(retry_after_s)
    elif error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "2"
    details = {key: value for key, value in error.details.items() if isinstance(value, str | int | float | bool)}
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request_failed", code=error.code, error=error.message)
    return problem(error.status, error.code, error.message, headers=headers, **details)


def add_error_handlers(api: FastAPI) -> None:
    """Have every error answered in the one form; what nobody foresaw is caught by the request log."""
    api.add_exception_handler(AirledgerError, _ours)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http)


async def _ours(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, AirledgerError)  # noqa: S101  registered for it
    return from_error(error)


async def _invalid(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for it
    found = [
        {"where": ".".join(str(part) for part in problem["loc"])[:200], "what": str(problem["msg"])[:500]}
        for problem in error.errors()[:ERRORS_SHOWN]
    ]
    sentence = "; ".join(f"{item['where']}: {item['what']}" for item in found)
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", sentence or "the request is not valid", errors=found
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for it
    if error.status_code < HTTPStatus.BAD_REQUEST:
        return Response(status_code=error.status_code, headers=error.headers)
    code = _CODES.get(error.status_code) or HTTPStatus(error.status_code).name.lower()
    detail = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"there is nothing at {request.url.path[:200]}"
    return problem(error.status_code, code, detail, headers=dict(error.headers or {}))


def encode(body: dict[str, Any]) -> bytes:
    """Render a problem for answers made below the framework."""
    return json.dumps(body).encode()
