"""Organisations and the people in them: making, changing, exporting and forgetting them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, AuditEntry, record_change
from airledger.platform.auth.rows import ApiKey, LoginLink, Organisation, User
from airledger.platform.auth.scopes import Role
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError, NotFoundError

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,128}@[^\s@\x00-\x1f]{1,190}")
NAME_LIMIT = 200
EXPORT_LIMIT = 100_000
FORGOTTEN = "forgotten"


@dataclass(frozen=True)
class NewUser:
    """What a new account needs. The password comes hashed: hashing takes long, and a unit must be short."""

    email: str
    name: str
    role: Role
    password_hash: str | None = None


def create_organisation(unit: Unit, actor: Actor, slug: str, name: str, *, now: datetime) -> Organisation:
    """Make an organisation.

    Raises:
        InputError: The slug or name cannot be used.
        ConflictError: The slug is taken.
    """
    if not _SLUG.fullmatch(slug) or not 1 <= len(name) <= NAME_LIMIT:
        raise InputError("an organisation needs a slug of a-z, 0-9 and '-' (at most 63), and a name")
    if unit.session.scalar(select(Organisation.id).where(Organisation.slug == slug)):
        raise ConflictError(f"there is an organisation {slug!r} already")
    row = Organisation(slug=slug, name=name, created_at=now)
    unit.session.add(row)
    unit.session.flush()
    record_change(unit, actor, "created", "organisation", row.id, {"slug": slug, "name": name}, at=now)
    return row


def create_user(unit: Unit, actor: Actor, organisation_id: UUID, new: NewUser, *, now: datetime) -> User:
    """Make an account; without a password it is entered by a sign-in link.

    Raises:
        InputError: Address or name cannot be used.
        ConflictError: The address has an account.
    """
    email = normal_email(new.email)
    if not 1 <= len(new.name.strip()) <= NAME_LIMIT:
        raise InputError(f"an account needs a name of 1 to {NAME_LIMIT} characters")
    if unit.session.scalar(select(User.id).where(User.email == email)):
        raise ConflictError("there is an account with this address already")
    row = User(
        organisation_id=organisation_id,
        email=email,
        name=new.name.strip(),
        password_hash=new.password_hash,
        role=new.role,
        is_active=True,
        created_at=now,
    )
    unit.session.add(row)
    unit.session.flush()
    # Not the address: the audit log outlives the person's wish to be forgotten.
    record_change(unit, actor, "created", "user", row.id, {"role": row.role}, at=now)
    return row


def normal_email(email: str) -> str:
    """Return the form of an address that accounts are found by.

    Raises:
        InputError: It is no address.
    """
    normal = email.strip().lower()
    if not _EMAIL.fullmatch(normal):
        raise InputError("that is not an e-mail address")
    return normal


def find_user(session: Session, organisation_id: UUID, user_id: UUID) -> User:
    """Return an account of an organisation.

    Raises:
        NotFoundError: It has no such account.
    """
    row = session.get(User, user_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFoundError("there is no such account")
    return row


def list_users(session: Session, organisation_id: UUID, *, limit: int = 1_000) -> list[User]:
    """List the accounts of an organisation, oldest first."""
    query = select(User).where(User.organisation_id == organisation_id).order_by(User.created_at, User.id)
    return list(session.scalars(query.limit(limit)))


def find_by_email(session: Session, email: str) -> User | None:
    """Return the open account with an address. Whether its password is right, `passwords.is_right` tells."""
    return session.scalar(select(User).where(User.email == email.strip().lower(), User.is_active))


def set_password(unit: Unit, actor: Actor, user: User, password_hash: str, *, now: datetime) -> None:
    """Give an account a new password, hashed already; whoever was signed in with the old one no longer is."""
    user.password_hash = password_hash
    user.sign_ins_valid_from = now
    record_change(unit, actor, "changed_password", "user", user.id, {}, at=now)


def change_user(
    unit: Unit, actor: Actor, user: User, *, role: Role | None, name: str | None, is_active: bool | None, now: datetime
) -> None:
    """Change an account; what is None stays.

    Raises:
        ConflictError: Nobody would be left to administer the organisation.
        InputError: The name is empty or too long.
    """
    if name is not None and not 1 <= len(name.strip()) <= NAME_LIMIT:
        raise InputError(f"an account needs a name of 1 to {NAME_LIMIT} characters")
    loses_admin = user.role == "admin" and ((role is not None and role != "admin") or is_active is False)
    if loses_admin:
        _require_other_admin(unit.session, user)
    change: dict[str, Any] = {}
    if role is not None and role != user.role:
        change["role"], user.role = {"was": user.role, "is": role}, role
    if is_active is not None and is_active != user.is_active:
        change["is_active"], user.is_active = is_active, is_active
    if name is not None:
        change["name"], user.name = True, name.strip()
    record_change(unit, actor, "changed", "user", user.id, change, at=now)


def export_person(session: Session, user_id: UUID) -> dict[str, Any]:
    """Return all that is kept about a person, as JSON.

    Raises:
        NotFoundError: There is no such account.
    """
    user = session.get(User, user_id)
    if user is None:
        raise NotFoundError("there is no such account")
    keys = session.scalars(select(ApiKey).where(ApiKey.user_id == user_id).order_by(ApiKey.created_at)).all()
    names = [f"user:{user_id}", *(f"key:{key.id}" for key in keys)]
    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.actor.in_(names)).order_by(AuditEntry.at).limit(EXPORT_LIMIT)
    )
    return {
        "account": {
            "id": str(user.id),
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "is_active": user.is_active,
            "created_at": user.created_at.isoformat(),
        },
        "api_keys": [
            {
                "id": str(key.id),
                "name": key.name,
                "scopes": key.scopes,
                "created_at": key.created_at.isoformat(),
                "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
            }
            for key in keys
        ],
        "actions": [
            {"at": entry.at.isoformat(), "action": entry.action, "what": entry.object_type, "id": entry.object_id}
            for entry in entries
        ],
    }


def delete_person(unit: Unit, actor: Actor, user_id: UUID, *, now: datetime) -> None:
    """Forget a person: name, address, password and key names go; what they did stays, by a number.

    Raises:
        NotFoundError: There is no such account.
        ConflictError: Nobody would be left to administer the organisation.
    """
    user = unit.session.get(User, user_id)
    if user is None:
        raise NotFoundError("there is no such account")
    if user.role == "admin" and user.is_active:
        _require_other_admin(unit.session, user)
    user.email, user.name = f"{user.id}@{FORGOTTEN}.invalid", FORGOTTEN
    user.password_hash, user.is_active, user.sign_ins_valid_from = None, False, now
    unit.session.execute(delete(LoginLink).where(LoginLink.user_id == user_id))
    unit.session.execute(
        update(ApiKey)
        .where(ApiKey.user_id == user_id)
        .values(name=FORGOTTEN, revoked_at=func.coalesce(ApiKey.revoked_at, now))
    )
    key_ids = [str(identity) for identity in unit.session.scalars(select(ApiKey.id).where(ApiKey.user_id == user_id))]
    unit.session.execute(
        update(AuditEntry)
        .where(AuditEntry.object_type == "api_key", AuditEntry.object_id.in_(key_ids))
        .values(change={})  # it held the names that the person gave their keys
    )
    record_change(unit, actor, "forgot", "user", user_id, {}, at=now)


def _require_other_admin(session: Session, user: User) -> None:
    others = select(func.count()).where(
        User.organisation_id == user.organisation_id, User.role == "admin", User.is_active, User.id != user.id
    )
    if not session.scalar(others):
        raise ConflictError("this is the organisation's last administrator: make another one first")
