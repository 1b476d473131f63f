"""Who may call a route. Each one declares it: `allow(scope)` or `public()`; a test walks all routes."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, WebSocketException, status
from starlette.requests import HTTPConnection

from airledger.api.credentials import credential_of
from airledger.api.cross_origin import require_same_origin
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.errors import AirledgerError, ForbiddenError, UnauthenticatedError

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DECLARED = "airledger_allows"


def allow(scope: Scope | None) -> Any:
    """Let in those whose credential has a scope; None lets in everybody who is signed in.

    The dependency's value is the Principal. Answers 401 to strangers and 403 to those who lack the scope.
    """

    async def require(connection: HTTPConnection, state: State) -> Principal:
        try:
            principal = await _identify(connection, state)
            if principal is None:
                raise UnauthenticatedError("this needs an account: sign in, or send an API key")
            if scope is not None and scope not in principal.scopes:
                raise ForbiddenError(f"this needs the permission {scope.value!r}, which your account or key lacks")
        except AirledgerError as error:
            if connection.scope["type"] == "websocket":
                raise WebSocketException(status.WS_1008_POLICY_VIOLATION, error.message) from error
            raise
        return principal

    return _declared(require, scope.value if scope else "signed-in")


def public() -> Any:
    """Let in everybody. The dependency's value is the Principal of those who are signed in, else None."""

    async def welcome(connection: HTTPConnection, state: State) -> Principal | None:
        held = credential_of(connection)
        try:
            return await _identify(connection, state)
        except (UnauthenticatedError, ForbiddenError):
            # An old cookie must not lock a visitor out of what is public; a program shall hear that its key is dead.
            if held is not None and not held.is_cookie:
                raise
            return None

    return _declared(welcome, "public")


async def _identify(connection: HTTPConnection, state: State) -> Principal | None:
    held = credential_of(connection)
    if held is None:
        return None
    is_change = connection.scope.get("method", "GET") not in _SAFE
    if held.is_cookie and (is_change or connection.scope["type"] == "websocket"):
        require_same_origin(connection)
    known = state.authenticator.remembered(held.value)
    if known is not None:
        return known
    return await state.threads.database(lambda: state.authenticator.identify(held.value))


def _declared(dependency: Callable[..., Awaitable[Principal | None]], name: str) -> Any:
    setattr(dependency, DECLARED, name)
    return Depends(dependency)
