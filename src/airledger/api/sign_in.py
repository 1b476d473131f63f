"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from airledger.api.allow import allow, public
from airledger.api.credentials import clear_cookie, credential_of, set_cookie
from airledger.api.cross_origin import refuse_other_sites
from airledger.api.given import Text
from airledger.api.limit_requests import ADDRESS
from airledger.api.rate_limit import bucket_name
from airledger.api.state import ApiState, State
from airledger.platform.auth.accounts import find_by_email, set_password
from airledger.platform.auth.authenticate import principal_of
from airledger.platform.auth.links import use_link
from airledger.platform.auth.passwords import hash_password, is_right
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.rows import User
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, ForbiddenError, TooManyRequestsError, UnauthenticatedError

router = APIRouter(prefix="/api/v1/auth", tags=["accounts"])


class LoginIn(BaseModel):
    """An address and its password, or the token of a one-time link."""

    model_config = ConfigDict(extra="forbid")

    email: Text | None = Field(default=None, max_length=320)
    password: str | None = Field(default=None, max_length=1_024)
    link: str | None = Field(default=None, max_length=200)

    @model_validator(mode="after")
    def _one_way(self) -> "LoginIn":
        by_password = self.email is not None and self.password is not None
        if by_password == (self.link is not None):
            raise ValueError("give email and password, or link")
        return self


class PasswordIn(BaseModel):
    """A new password, and the one before where there is one."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(max_length=1_024)
    current: str | None = Field(default=None, max_length=1_024)


class AccountOut(BaseModel):
    """Who is signed in."""

    name: str
    email: str
    role: str
    organisation: str
    scopes: list[str]


class LoginOut(BaseModel):
    """A sign-in; the token also is in the cookie."""

    token: str
    account: AccountOut


@router.post("/login")
async def login(
    body: LoginIn,
    request: Request,
    response: Response,
    state: State,
    caller: Annotated[Principal | None, public()],
) -> LoginOut:
    """Sign in; throttled per address and per account."""
    del caller
    refuse_other_sites(request)
    _throttle(state, bucket_name(str(request.scope.get(ADDRESS, ""))))
    if body.link is not None:
        principal = await state.threads.write(lambda unit: _by_link(unit, body.link or "", state))
    else:
        _throttle(state, f"account:{(body.email or '').strip().lower()}")
        principal = await _by_password(state, body.email or "", body.password or "")
    token = state.authenticator.tokens.issue(principal.user_id)
    set_cookie(response, token, life_s=state.authenticator.tokens.life_s, is_https=request.url.scheme == "https")
    response.headers["Cache-Control"] = "no-store"
    return LoginOut(token=token, account=_account(principal))


@router.get("/me")
async def me(response: Response, caller: Annotated[Principal, allow(None)]) -> AccountOut:
    """Tell who is signed in."""
    response.headers["Cache-Control"] = "no-store"
    return _account(caller)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(
    request: Request, response: Response, state: State, caller: Annotated[Principal | None, public()]
) -> None:
    """Sign out: the token is void from now on. Signing out twice is no error."""
    clear_cookie(response)
    held = credential_of(request)
    if caller is not None and held is not None:
        await state.threads.write(lambda unit: state.authenticator.sign_out(unit, caller))
        state.authenticator.forget(held.value)


@router.post("/password", status_code=status.HTTP_204_NO_CONTENT)
async def change_password(body: PasswordIn, state: State, caller: Annotated[Principal, allow(None)]) -> None:
    """Set your password; every sign-in before this one's change ends, this one too."""
    if caller.key_id is not None:
        raise ForbiddenError("a key cannot change its maker's password: sign in")
    _throttle(state, f"account:{caller.email}")

    before = await state.threads.read(lambda session: session.get_one(User, caller.user_id).password_hash)
    current = body.current or ""
    if before is not None and not await state.threads.hashing(lambda: is_right(before, current)):
        raise UnauthenticatedError("the current password is not right")
    fresh = await state.threads.hashing(lambda: hash_password(body.password))

    def make(unit: Unit) -> None:
        user = unit.session.get_one(User, caller.user_id, with_for_update=True)
        if user.password_hash != before:
            raise ConflictError("the password was changed by somebody else just now")
        set_password(unit, caller.actor, user, fresh, now=state.now())

    await state.threads.write(make)
    state.authenticator.forget_all()


def _by_link(unit: Unit, link: str, state: ApiState) -> Principal:
    user = use_link(unit, link, now=state.now())
    return principal_of(unit.session, user)


async def _by_password(state: ApiState, email: str, password: str) -> Principal:
    def find(session: Session) -> tuple[str | None, Principal | None]:
        user = find_by_email(session, email)
        return (user.password_hash, principal_of(session, user)) if user else (None, None)

    password_hash, principal = await state.threads.read(find)
    if not await state.threads.hashing(lambda: is_right(password_hash, password)) or principal is None:
        raise UnauthenticatedError("address or password is not right")
    return principal


def _throttle(state: ApiState, who: str) -> None:
    wait_s = state.attempts.take(who)
    if wait_s is not None:
        raise TooManyRequestsError(f"too many attempts to sign in: wait {wait_s} s", retry_after_s=wait_s)


def _account(principal: Principal) -> AccountOut:
    return AccountOut(
        name=principal.name,
        email=principal.email,
        role=principal.role,
        organisation=principal.organisation,
        scopes=sorted(principal.scopes),
    )
