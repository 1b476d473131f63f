"""From a credential to a Principal, remembered for a few seconds.

The cache is why a busy client costs no query per request, and why a revoked credential may live on for `CACHE_S`
seconds in other processes.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from airledger.platform.auth.keys import MARK, find_key, wants_touch
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.rows import ApiKey, Organisation, RevokedToken, User
from airledger.platform.auth.scopes import HOME_SLUG, Scope, parse_role, scopes_of
from airledger.platform.auth.tokens import Tokens
from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.errors import UnauthenticatedError
from airledger.platform.logging import logger

CACHE_S = 5.0
CACHE_LIMIT = 10_000
CREDENTIAL_LIMIT = 4_096

log = logger(__name__)


class Authenticator:
    """Tells who a credential belongs to. Safe to use from any thread."""

    def __init__(
        self, database: Database, tokens: Tokens, clock: Clock, *, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self.tokens = tokens
        self._database = database
        self._clock = clock
        self._tick = tick
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._lock = threading.Lock()

    def remembered(self, credential: str) -> Principal | None:
        """Return whom a credential was found to belong to within the last seconds; asks no database."""
        mark = _mark(credential)
        with self._lock:
            held = self._known.get(mark)
        if held is None or held[0] < self._tick():
            return None
        principal = held[1]
        has_ended = principal.expires_at is not None and principal.expires_at <= self._clock.now()
        return None if has_ended else principal

    def identify(self, credential: str) -> Principal:
        """Check a sign-in token or an API key.

        Raises:
            UnauthenticatedError: It is unknown, revoked, expired, or its account is closed.
        """
        known = self.remembered(credential)
        if known is not None:
            return known
        if len(credential) > CREDENTIAL_LIMIT:
            raise UnauthenticatedError("that is no credential of ours")
        principal = self._by_key(credential) if credential.startswith(MARK) else self._by_token(credential)
        self._remember(credential, principal)
        return principal

    def forget(self, credential: str) -> None:
        """Ask the database about this credential the next time."""
        with self._lock:
            self._known.pop(_mark(credential), None)

    def forget_all(self) -> None:
        """Ask the database about every credential anew, after accounts or keys were changed."""
        with self._lock:
            self._known.clear()

    def sign_out(self, unit: Unit, principal: Principal) -> None:
        """End the sign-in that asks; a key is not ended by this."""
        if principal.token_id and principal.expires_at and not unit.session.get(RevokedToken, principal.token_id):
            unit.session.add(RevokedToken(token_id=principal.token_id, expires_at=principal.expires_at))

    def _remember(self, credential: str, principal: Principal) -> None:
        with self._lock:
            self._known[_mark(credential)] = (self._tick() + CACHE_S, principal)
            while len(self._known) > CACHE_LIMIT:
                self._known.popitem(last=False)

    def _by_token(self, token: str) -> Principal:
        claims = self.tokens.read(token)
        with self._database.read() as session:
            user = session.get(User, claims.user_id)
            is_revoked = session.get(RevokedToken, claims.token_id) is not None
            is_void = user is None or (
                user.sign_ins_valid_from is not None and claims.issued_at < user.sign_ins_valid_from
            )
            if user is None or is_revoked or is_void or not user.is_active:
                raise UnauthenticatedError("the sign-in has ended: sign in again")
            organisation = session.get_one(Organisation, user.organisation_id)
            return _principal(user, organisation, token_id=claims.token_id, expires_at=claims.expires_at)

    def _by_key(self, key: str) -> Principal:
        now = self._clock.now()
        with self._database.read() as session:
            found = find_key(session, key, now)
        if found is None:
            raise UnauthenticatedError("the key is unknown, revoked or expired")
        row, user, organisation = found
        if wants_touch(row.last_used_at, now):
            self._touch(row, now)
        return _principal(user, organisation, key=row, expires_at=row.expires_at)

    def _touch(self, row: ApiKey, now: datetime) -> None:
        with self._database.unit() as unit:
            unit.session.execute(update(ApiKey).where(ApiKey.id == row.id).values(last_used_at=now))


def principal_of(session: Session, user: User) -> Principal:
    """Return an account as a caller, without a credential (just signed in, or a part of the system acting for it)."""
    return _principal(user, session.get_one(Organisation, user.organisation_id))


def _principal(
    user: User,
    organisation: Organisation,
    *,
    key: ApiKey | None = None,
    token_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> Principal:
    role = parse_role(user.role)
    scopes = scopes_of(role, is_home=organisation.slug == HOME_SLUG)
    if key is not None:
        scopes &= {Scope(name) for name in key.scopes if name in set(Scope)}
    return Principal(
        user_id=user.id,
        organisation_id=organisation.id,
        organisation=organisation.name,
        email=user.email,
        name=user.name,
        role=role,
        scopes=scopes,
        key_id=key.id if key else None,
        token_id=token_id,
        expires_at=expires_at,
    )


def _mark(credential: str) -> bytes:
    return sha256(credential.encode("utf-8", "surrogateescape")).digest()
