"""Leases: one holder at a time, lost by not renewing.

They keep two schedulers from doubling, and let a dead one's work be taken over.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from airledger.platform.db import Retention, Row


class Lease(Row):
    """Who holds what until when."""

    __tablename__ = "leases"
    retention = Retention(reason="a row per thing that can be held, overwritten in place")

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


def try_lease(session: Session, name: str, holder: str, now: datetime, seconds: float) -> bool:
    """Take or renew a lease; tell whether `holder` has it now."""
    until = now + timedelta(seconds=seconds)
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    session.execute(insert(Lease).values(name=name, holder=holder, until=now).on_conflict_do_nothing())
    taken = session.execute(
        update(Lease)
        .where(Lease.name == name, or_(Lease.holder == holder, Lease.until <= now))
        .values(holder=holder, until=until)
        .returning(Lease.name)
    )
    return taken.first() is not None


def release(session: Session, name: str, holder: str) -> None:
    """Give a lease back before it ends."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
