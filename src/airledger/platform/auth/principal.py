"""Who is asking, once that has been proven."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from airledger.platform.audit import Actor
from airledger.platform.auth.scopes import Role, Scope


@dataclass(frozen=True)
class Principal:
    """A person or a key whose credential was checked.

    Attributes:
        user_id: The account, or the account that made the key.
        organisation_id: Whose rows they may see.
        organisation: That organisation's name.
        email: The account's address.
        name: The account's name.
        role: The account's role.
        scopes: What this credential may do; for a key no more than its maker may.
        key_id: Set when a key asks.
        token_id: Set when a sign-in asks; names it for signing out.
        expires_at: When the credential ends; None for a key without an end.
    """

    user_id: UUID
    organisation_id: UUID
    organisation: str
    email: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    key_id: UUID | None = None
    token_id: UUID | None = None
    expires_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """How the audit log names them."""
        name = f"key:{self.key_id}" if self.key_id else f"user:{self.user_id}"
        return Actor(name, self.organisation_id)
