"""Administering an organisation's accounts, keys and audit log."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.given import Moment, Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.platform.audit import find_entries
from airledger.platform.auth import accounts
from airledger.platform.auth.keys import list_keys, make_key, revoke_key
from airledger.platform.auth.links import make_link
from airledger.platform.auth.passwords import hash_password
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.rows import ApiKey, User
from airledger.platform.auth.scopes import Scope, parse_scopes
from airledger.platform.db import Unit
from airledger.platform.errors import ForbiddenError

router = APIRouter(prefix="/api/v1", tags=["accounts"])
Admin = Annotated[Principal, allow(Scope.ACCOUNTS_ADMIN)]
RoleName = Literal["viewer", "operator", "moderator", "admin"]


class UserOut(BaseModel):
    """An account of your organisation."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    role: str
    is_active: bool
    created_at: datetime


class UserIn(BaseModel):
    """A new account; without a password it is entered by a sign-in link."""

    model_config = ConfigDict(extra="forbid")

    email: Text = Field(max_length=320)
    name: Text = Field(max_length=accounts.NAME_LIMIT)
    role: RoleName
    password: str | None = Field(default=None, max_length=1_024)


class UserChange(BaseModel):
    """What of an account shall change."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(default=None, max_length=accounts.NAME_LIMIT)
    role: RoleName | None = None
    is_active: bool | None = None


class LinkOut(BaseModel):
    """A link that signs in once, within 15 minutes: `/?link=TOKEN`."""

    link: str


class KeyOut(BaseModel):
    """A key, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyIn(BaseModel):
    """A new key."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(max_length=200)
    scopes: list[str] = Field(max_length=50)
    expires_at: Moment | None = None


class NewKeyOut(KeyOut):
    """A new key, with its secret: shown this once."""

    key: str


class AuditOut(BaseModel):
    """That somebody changed something."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str
    change: dict[str, Any]
    correlation_id: str | None


@router.get("/accounts")
async def list_accounts(state: State, caller: Admin) -> list[UserOut]:
    """List your organisation's accounts."""
    rows = await state.threads.read(lambda session: accounts.list_users(session, caller.organisation_id))
    return [UserOut.model_validate(row) for row in rows]


@router.post("/accounts", status_code=status.HTTP_201_CREATED)
async def create_account(body: UserIn, state: State, caller: Admin) -> UserOut:
    """Make an account in your organisation."""
    password = body.password
    password_hash = None if password is None else await state.threads.hashing(lambda: hash_password(password))
    new = accounts.NewUser(body.email, body.name, body.role, password_hash)
    row = await state.threads.write(
        lambda unit: accounts.create_user(unit, caller.actor, caller.organisation_id, new, now=state.now())
    )
    return UserOut.model_validate(row)


@router.patch("/accounts/{user_id}")
async def change_account(user_id: UUID, body: UserChange, state: State, caller: Admin) -> UserOut:
    """Change an account's name, role, or whether it may sign in."""

    def make(unit: Unit) -> User:
        user = accounts.find_user(unit.session, caller.organisation_id, user_id)
        accounts.change_user(
            unit, caller.actor, user, role=body.role, name=body.name, is_active=body.is_active, now=state.now()
        )
        return user

    row = await state.threads.write(make)
    state.authenticator.forget_all()
    return UserOut.model_validate(row)


@router.delete("/accounts/{user_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_account(user_id: UUID, state: State, caller: Admin) -> None:
    """Forget a person: what they did stays, without their name."""

    def make(unit: Unit) -> None:
        accounts.find_user(unit.session, caller.organisation_id, user_id)
        accounts.delete_person(unit, caller.actor, user_id, now=state.now())

    await state.threads.write(make)
    state.authenticator.forget_all()


@router.get("/accounts/{user_id}/export")
async def export_account(user_id: UUID, state: State, caller: Annotated[Principal, allow(None)]) -> dict[str, Any]:
    """Return all that is kept about a person: your own, or as an administrator anybody's of your organisation."""
    is_own = user_id == caller.user_id and caller.key_id is None
    if not is_own and Scope.ACCOUNTS_ADMIN not in caller.scopes:
        raise ForbiddenError("only the person and an administrator may have this")

    def make(session: Session) -> dict[str, Any]:
        accounts.find_user(session, caller.organisation_id, user_id)
        return accounts.export_person(session, user_id)

    return await state.threads.read(make)


@router.post("/accounts/{user_id}/link", status_code=status.HTTP_201_CREATED)
async def create_link(user_id: UUID, state: State, caller: Admin) -> LinkOut:
    """Make a link that signs in as an account once, within 15 minutes."""

    def make(unit: Unit) -> str:
        user = accounts.find_user(unit.session, caller.organisation_id, user_id)
        return make_link(unit, caller.actor, user.id, now=state.now())

    return LinkOut(link=await state.threads.write(make))


@router.get("/keys")
async def list_all_keys(state: State, caller: Admin) -> list[KeyOut]:
    """List your organisation's keys, revoked ones too."""
    rows = await state.threads.read(lambda session: list_keys(session, caller.organisation_id))
    return [KeyOut.model_validate(row) for row in rows]


@router.post("/keys", status_code=status.HTTP_201_CREATED)
async def create_key(body: KeyIn, state: State, caller: Admin) -> NewKeyOut:
    """Make a key; its secret is shown this once, and it can do no more than you can."""
    scopes = parse_scopes(body.scopes)
    lacking = scopes - caller.scopes
    if lacking:
        raise ForbiddenError(f"you cannot give away {min(lacking).value!r}, which you do not have yourself")

    def make(unit: Unit) -> tuple[ApiKey, str]:
        user = unit.session.get_one(User, caller.user_id)
        return make_key(unit, caller.actor, user, body.name, scopes, now=state.now(), expires_at=body.expires_at)

    row, key = await state.threads.write(make)
    return NewKeyOut(**KeyOut.model_validate(row).model_dump(), key=key)


@router.delete("/keys/{key_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_key(key_id: UUID, state: State, caller: Admin) -> None:
    """Revoke a key."""
    await state.threads.write(
        lambda unit: revoke_key(unit, caller.actor, caller.organisation_id, key_id, now=state.now())
    )
    state.authenticator.forget_all()


@router.get("/audit")
async def list_audit(
    request: Request,
    response: Response,
    state: State,
    caller: Admin,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> list[AuditOut]:
    """List who changed what in your organisation, newest first."""
    rows, following = await state.threads.read(
        lambda session: find_entries(session, caller.organisation_id, limit=limit, cursor=cursor)
    )
    response.headers.update(dict(next_link(request, following)))
    return [AuditOut.model_validate(row) for row in rows]
