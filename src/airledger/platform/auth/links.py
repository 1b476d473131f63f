"""Links that sign in once, as Jupyter prints one: kept hashed, short-lived, used up by the first who comes."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import update

from airledger.platform.audit import Actor, record_change
from airledger.platform.auth.rows import LoginLink, User
from airledger.platform.db import Unit
from airledger.platform.errors import UnauthenticatedError

LIFE = timedelta(minutes=15)
FIRST_LIFE = timedelta(hours=24)
TOKEN_LIMIT = 200


def make_link(unit: Unit, actor: Actor, user_id: UUID, *, now: datetime, life: timedelta = LIFE) -> str:
    """Make a link's token; who has it can sign in as that account, once."""
    token = secrets.token_urlsafe(32)
    record_change(unit, actor, "made_link", "user", user_id, {"minutes": int(life.total_seconds() // 60)}, at=now)
    unit.session.add(LoginLink(token_hash=_hash(token), user_id=user_id, expires_at=now + life))
    return token


def use_link(unit: Unit, token: str, *, now: datetime) -> User:
    """Use a link up and return whose it was. Of two who come at once, one gets in.

    Raises:
        UnauthenticatedError: It is unknown, used, expired, or its account is closed.
    """
    user_id = None
    if len(token) <= TOKEN_LIMIT:
        user_id = unit.session.scalar(
            update(LoginLink)
            .where(LoginLink.token_hash == _hash(token), LoginLink.used_at.is_(None), LoginLink.expires_at > now)
            .values(used_at=now)
            .returning(LoginLink.user_id)
        )
    user = unit.session.get(User, user_id) if user_id else None
    if user is None or not user.is_active:
        raise UnauthenticatedError("this sign-in link was used or has expired: ask for a new one (`airledger link`)")
    return user


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
