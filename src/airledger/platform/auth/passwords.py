"""Passwords are kept as argon2id hashes, and checking one costs the same whether the account exists or not."""

import threading
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from airledger.platform.errors import InputError, TooManyRequestsError

SHORTEST = 10
LONGEST = 1_024
AT_ONCE = 4  # each check takes 64 MiB: a burst of logins must not take the machine's memory
WAIT_S = 5.0

_hasher = PasswordHasher()
_hands = threading.BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """Hash a new password.

    Raises:
        InputError: It is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"a password has {SHORTEST} to {LONGEST} characters")
    return _hasher.hash(password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Check a password; None stands for an account that is not there or has no password, and takes as long.

    Raises:
        TooManyRequestsError: Many are being checked already.
    """
    if len(password) > LONGEST:
        return False
    if not _hands.acquire(timeout=WAIT_S):
        raise TooManyRequestsError("many people sign in right now: try again in a few seconds")
    try:
        return _hasher.verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False
    finally:
        _hands.release()


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash("nobody's password, which opens nothing")
