"""The task of the webhooks."""

from uuid import UUID

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.fetch import Fetcher
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.platform.webhooks.deliver import Courier
from airledger.platform.webhooks.feed import DELIVER


def declare(registry: Registry, database: Database, clock: Clock, fetcher: Fetcher) -> None:
    """Make the task known."""
    courier = Courier(database, clock, fetcher)

    def deliver(context: Context, webhook_id: str) -> Result:
        return {"delivered": courier.deliver(UUID(webhook_id), stopping=context.stopping)}

    registry.declare(DELIVER, "deliver", deliver)
