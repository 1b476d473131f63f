"""The audit log: who changed what, when, written in the transaction of the change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from airledger.platform.auth.rows import AuditEntry
from airledger.platform.db import Unit
from airledger.platform.logging import correlation_id


@dataclass(frozen=True)
class Actor:
    """Who acts: an account, a key, or a part of Airledger itself.

    Attributes:
        name: `user:<uuid>`, `key:<uuid>`, or `system:<part>`.
        organisation_id: Whose rows they may touch; None for the system.
    """

    name: str
    organisation_id: UUID | None = None


SYSTEM = Actor("system:airledger")


def record_change(
    unit: Unit,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: object,
    change: dict[str, Any],
    *,
    at: datetime,
) -> None:
    """Write one entry.

    Args:
        unit: The unit of the change itself.
        actor: Who did it.
        action: A verb in the past tense.
        object_type: Table or kind of the thing.
        object_id: Its id.
        change: JSON of what is new, and of what was where that matters.
        at: When.
    """
    unit.session.add(
        AuditEntry(
            at=at,
            organisation_id=actor.organisation_id,
            actor=actor.name,
            action=action,
            object_type=object_type,
            object_id=str(object_id),
            change=change,
            correlation_id=correlation_id(),
        )
    )
