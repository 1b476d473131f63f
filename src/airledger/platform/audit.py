"""The audit log: who changed what, when, written in the transaction of the change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Uuid, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.db import Retention, Row, Unit
from airledger.platform.logging import correlation_id


class AuditEntry(Row):
    """That somebody changed something."""

    __tablename__ = "audit_log"
    retention = Retention(
        days=3_650,
        age_column="at",
        reason="ten years, as for books of account",
        personal=True,
        export="airledger.platform.auth.accounts:export_person",
        delete="airledger.platform.auth.accounts:delete_person",
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    at: Mapped[datetime] = mapped_column(index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    actor: Mapped[str]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str]
    change: Mapped[dict[str, Any]]
    correlation_id: Mapped[str | None]


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


def find_entries(
    session: Session, organisation_id: UUID, *, limit: int = 100, cursor: str | None = None
) -> tuple[list[AuditEntry], str | None]:
    """List an organisation's entries, newest first, and the cursor of the next page.

    Raises:
        InputError: The cursor cannot be used.
    """
    query = select(AuditEntry).where(AuditEntry.organisation_id == organisation_id)
    if cursor is not None:
        at, entry_id = decode_place(cursor)
        query = query.where(or_(AuditEntry.at < at, (AuditEntry.at == at) & (AuditEntry.id < entry_id)))
    rows = list(session.scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit + 1)))
    return rows[:limit], encode_place(rows[limit - 1].at, rows[limit - 1].id) if len(rows) > limit else None
