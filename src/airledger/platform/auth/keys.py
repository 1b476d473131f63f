"""API keys: `alk_<prefix>_<secret>`. The prefix finds the row, the hash proves the rest.

The secret has 256 random bits, so one SHA-256 is as good as a slow hash and costs a request nothing.
"""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.auth.rows import ApiKey, Organisation, User
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import InputError, NotFoundError

MARK = "alk_"
_SHAPE = re.compile(r"alk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
NAME_LIMIT = 120
TOUCH_AFTER = timedelta(minutes=10)


def make_key(
    unit: Unit,
    actor: Actor,
    user: User,
    name: str,
    scopes: frozenset[Scope],
    *,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; return its row and the whole key, which cannot be shown again.

    Raises:
        InputError: The name is empty or too long, or the end lies in the past.
    """
    if not 1 <= len(name.strip()) <= NAME_LIMIT:
        raise InputError(f"a key needs a name of 1 to {NAME_LIMIT} characters")
    if expires_at is not None and expires_at <= now:
        raise InputError("the key would have expired already: give a time in the future")
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = ApiKey(
        organisation_id=user.organisation_id,
        user_id=user.id,
        name=name.strip(),
        prefix=prefix,
        key_hash=_hash(secret),
        scopes=sorted(scope.value for scope in scopes),
        created_at=now,
        expires_at=expires_at,
    )
    unit.session.add(row)
    unit.session.flush()
    record_change(unit, actor, "created", "api_key", row.id, {"name": row.name, "scopes": row.scopes}, at=now)
    return row, f"{MARK}{prefix}_{secret}"


def find_key(session: Session, key: str, now: datetime) -> tuple[ApiKey, User, Organisation] | None:
    """Return a valid key's row, its maker and their organisation; None when it is unknown, revoked or expired."""
    shape = _SHAPE.fullmatch(key)
    if shape is None:
        return None
    found = session.execute(
        select(ApiKey, User, Organisation)
        .join(User, User.id == ApiKey.user_id)
        .join(Organisation, Organisation.id == ApiKey.organisation_id)
        .where(ApiKey.prefix == shape[1])
    ).first()
    if found is None:
        return None
    row, user, organisation = found
    is_right = hmac.compare_digest(row.key_hash, _hash(shape[2]))
    is_over = row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now)
    return (row, user, organisation) if is_right and not is_over and user.is_active else None


def list_keys(session: Session, organisation_id: UUID, *, limit: int = 1_000) -> list[ApiKey]:
    """List an organisation's keys, newest first, revoked ones too."""
    query = select(ApiKey).where(ApiKey.organisation_id == organisation_id).order_by(ApiKey.created_at.desc())
    return list(session.scalars(query.limit(limit)))


def revoke_key(unit: Unit, actor: Actor, organisation_id: UUID, key_id: UUID, *, now: datetime) -> ApiKey:
    """End a key.

    Raises:
        NotFoundError: The organisation has no such key.
    """
    row = unit.session.get(ApiKey, key_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFoundError("there is no such key")
    if row.revoked_at is None:
        row.revoked_at = now
        record_change(unit, actor, "revoked", "api_key", row.id, {"name": row.name}, at=now)
    return row


def wants_touch(last_used_at: datetime | None, now: datetime) -> bool:
    """Tell whether the time of last use is old enough to be worth a write."""
    return last_used_at is None or now - last_used_at > TOUCH_AFTER


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
