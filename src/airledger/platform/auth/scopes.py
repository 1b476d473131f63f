"""What may be done: roles are names for sets of scopes; API keys carry scopes of their own."""

from enum import StrEnum
from typing import Literal

from airledger.platform.errors import InputError

HOME_SLUG = "default"

Role = Literal["viewer", "operator", "moderator", "admin"]


class Scope(StrEnum):
    """One thing that a caller may be allowed to do."""

    CATALOGUE_READ = "catalogue:read"
    PLAYS_READ = "plays:read"
    PLAYS_WRITE = "plays:write"
    LIBRARY_READ = "library:read"
    LIBRARY_WRITE = "library:write"
    STATIONS_WRITE = "stations:write"
    SESSIONS_WRITE = "sessions:write"
    PROBES_WRITE = "probes:write"
    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    SYSTEM_READ = "system:read"
    SYSTEM_WRITE = "system:write"
    WEBHOOKS_WRITE = "webhooks:write"
    ACCOUNTS_ADMIN = "accounts:admin"


PUBLIC = frozenset({Scope.CATALOGUE_READ})
_VIEWER = PUBLIC | {Scope.PLAYS_READ, Scope.LIBRARY_READ, Scope.ALERTS_READ, Scope.SYSTEM_READ}
_OPERATOR = _VIEWER | {
    Scope.LIBRARY_WRITE,
    Scope.STATIONS_WRITE,
    Scope.SESSIONS_WRITE,
    Scope.PROBES_WRITE,
    Scope.ALERTS_WRITE,
}
_MODERATOR = _OPERATOR | {Scope.SYSTEM_WRITE, Scope.WEBHOOKS_WRITE, Scope.PLAYS_WRITE}
_ADMIN = _MODERATOR | {Scope.ACCOUNTS_ADMIN}
_SYSTEM = frozenset({Scope.SYSTEM_READ, Scope.SYSTEM_WRITE})

ROLES: dict[Role, frozenset[Scope]] = {
    "viewer": _VIEWER,
    "operator": _OPERATOR,
    "moderator": _MODERATOR,
    "admin": _ADMIN,
}


def parse_role(name: str) -> Role:
    """Return the role that a name means.

    Raises:
        InputError: There is no such role.
    """
    for role in ROLES:
        if role == name:
            return role
    raise InputError(f"there is no role {name[:40]!r}: choose one of {', '.join(ROLES)}")


def parse_scopes(names: list[str]) -> frozenset[Scope]:
    """Return the scopes that names mean.

    Raises:
        InputError: One of them is unknown, or the list is empty.
    """
    known = {scope.value: scope for scope in Scope}
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        wrong = f"there is no scope {unknown[0][:40]!r}" if unknown else "a key needs at least one scope"
        raise InputError(f"{wrong}: choose from {', '.join(known)}")
    return frozenset(known[name] for name in names)


def scopes_of(role: Role, *, is_home: bool) -> frozenset[Scope]:
    """Return what a role may do.

    The system's scopes (tasks, schedules, processes) reach across organisations, so only the organisation that runs
    this installation has them.
    """
    return ROLES[role] if is_home else ROLES[role] - _SYSTEM
