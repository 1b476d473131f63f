"""Where a request carries its credential."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response

COOKIE = "airledger_session"
_LONGEST = 4_096


@dataclass(frozen=True)
class Held:
    """A credential as it came; `is_cookie` when the browser added it by itself."""

    value: str
    is_cookie: bool


def credential_of(connection: HTTPConnection) -> Held | None:
    """Return the credential of a request: `Authorization: Bearer`, `X-API-Key`, or the page's cookie, in this order."""
    scheme, _, value = connection.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return Held(value.strip()[: _LONGEST + 1], is_cookie=False)
    key = connection.headers.get("X-API-Key", "").strip()
    if key:
        return Held(key[: _LONGEST + 1], is_cookie=False)
    cookie = connection.cookies.get(COOKIE, "")
    return Held(cookie[: _LONGEST + 1], is_cookie=True) if cookie else None


def set_cookie(response: Response, token: str, *, life_s: int, is_https: bool) -> None:
    """Have the browser keep the sign-in where no script can read it."""
    response.set_cookie(COOKIE, token, max_age=life_s, path="/", secure=is_https, httponly=True, samesite="lax")


def clear_cookie(response: Response) -> None:
    """Have the browser drop the sign-in."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
