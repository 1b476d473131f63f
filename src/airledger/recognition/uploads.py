"""Where uploaded sound waits in storage, and the queue of those who read it."""

from airledger.platform.tasks.registry import QueueName

UPLOADS = "uploads/"
UPLOADS_QUEUE: QueueName = "analyse"
