"""Webhooks that asked for one station, when that station becomes another's."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.platform.webhooks.rows import Webhook


def hear_station_too(session: Session, asked_id: int, also_id: int) -> list[str]:
    """Have webhooks that asked for a station hear of another one too; name those that did not before."""
    changed = []
    for row in session.scalars(select(Webhook)):
        if asked_id in row.station_ids and also_id not in row.station_ids:
            row.station_ids = [*row.station_ids, also_id]
            changed.append(str(row.id))
    return changed


def forget_station(session: Session, webhook_ids: Sequence[str], station_id: int) -> None:
    """Take back what `hear_station_too` did."""
    for row in session.scalars(select(Webhook).where(Webhook.id.in_([UUID(one) for one in webhook_ids]))):
        row.station_ids = [one for one in row.station_ids if one != station_id]
