"""Sign-ins: JWTs (RFC 7519) signed with HS256 by a secret that the installation makes once."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import jwt

from airledger.platform.clock import Clock, from_epoch
from airledger.platform.errors import ConfigurationError, UnauthenticatedError

SECRET_NAME = "secret.key"  # noqa: S105  a file's name
SECRET_BYTES = 32
ISSUER = "airledger"
TOKEN_LIMIT = 4_096


@dataclass(frozen=True)
class Claims:
    """What a token says, its signature being right."""

    user_id: UUID
    token_id: UUID
    issued_at: datetime
    expires_at: datetime


def load_secret(data: Path) -> bytes:
    """Read DATA/secret.key, making it on first use; only its owner may read it.

    Raises:
        ConfigurationError: The file is there but too short.
    """
    path = data / SECRET_NAME
    if not path.exists():
        _make_secret(path)
    secret = path.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise ConfigurationError(f"{path} holds fewer than {SECRET_BYTES} bytes: remove it, and a new one is made")
    return secret


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{SECRET_NAME}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # fails if another process was first, whose secret then is the one
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


class Tokens:
    """Issues and reads sign-in tokens."""

    def __init__(self, secret: bytes, clock: Clock, *, minutes: int) -> None:
        self._secret = secret
        self._clock = clock
        self._life = timedelta(minutes=minutes)

    @property
    def life_s(self) -> int:
        """How long a token lasts, in seconds."""
        return int(self._life.total_seconds())

    def issue(self, user_id: UUID) -> str:
        """Sign a token for an account."""
        now = self._clock.now()
        claims = {
            "iss": ISSUER,
            "sub": str(user_id),
            "jti": uuid4().hex,
            "iat": now.timestamp(),
            "exp": (now + self._life).timestamp(),
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def read(self, token: str) -> Claims:
        """Check a token's signature and times.

        Raises:
            UnauthenticatedError: It is not ours, was changed, or has ended.
        """
        try:
            claims = jwt.decode(
                token[: TOKEN_LIMIT + 1],
                self._secret,
                algorithms=["HS256"],
                issuer=ISSUER,
                # Times are compared with the injected clock below, not with the machine's.
                options={"require": ["sub", "jti", "iat", "exp"], "verify_exp": False, "verify_iat": False},
            )
            read = Claims(
                UUID(claims["sub"]),
                UUID(claims["jti"]),
                from_epoch(float(claims["iat"])),
                from_epoch(float(claims["exp"])),
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise UnauthenticatedError("the token is not valid: sign in again") from error
        if read.expires_at <= self._clock.now():
            raise UnauthenticatedError("the sign-in has ended: sign in again")
        return read
