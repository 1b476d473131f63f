"""The tasks of alerts: put together what is due, deliver one message."""

from uuid import UUID

from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.stations.alerts.send import DELIVER, AlertPost

GATHER = "alerts.gather"
GATHER_EVERY_S = 30
ATTEMPTS = 7  # at 5 s, 20 s, 80 s, 5 min, 15 min, 15 min


def declare(registry: Registry, post: AlertPost) -> None:
    """Make the tasks known."""

    def gather(context: Context) -> Result:
        return {"messages": post.gather_all(stopping=context.stopping)}

    def deliver(context: Context, message_id: str) -> Result:
        return {"status": post.deliver(UUID(message_id), is_last=context.attempt >= ATTEMPTS)}

    registry.declare(GATHER, "default", gather)
    registry.declare(DELIVER, "deliver", deliver, max_attempts=ATTEMPTS)
