"""Celery as a carrier: its message only names a task row, and the row's lease decides who runs it.

What Celery loses (a killed worker, a lost broker) the sweeper finds in the rows and sends again.
"""

import threading
from uuid import UUID

from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy import select

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.logging import logger
from airledger.platform.tasks.queue import claim_one
from airledger.platform.tasks.registry import QUEUES, Registry
from airledger.platform.tasks.rows import PENDING, TaskRow
from airledger.platform.tasks.run import Runner

RUN = "airledger.run"
SEND_BATCH = 500

log = logger(__name__)


def carrier(broker_url: str) -> Celery:
    """Make a Celery application that only carries ids; results stay in the rows."""
    celery = Celery("airledger", broker=broker_url)
    celery.conf.update(
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue="default",
        task_create_missing_queues=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": 3600, "socket_timeout": 5, "socket_connect_timeout": 5},
    )
    return celery


class Sender:
    """Sends the ids of due rows to their queues, each once per attempt and again when nothing came of it."""

    def __init__(self, celery: Celery, database: Database, clock: Clock, *, resend_s: float = 30) -> None:
        self._celery = celery
        self._database = database
        self._clock = clock
        self._resend_s = resend_s
        self._sent: dict[tuple[UUID, int], float] = {}

    def turn(self) -> int:
        """Send what is due; return how many messages went out. A broker that is away is tried at the next turn."""
        now = self._clock.now()
        with self._database.read() as session:
            due = select(TaskRow.id, TaskRow.queue, TaskRow.attempts).where(
                TaskRow.status == PENDING, TaskRow.run_at <= now
            )
            rows = session.execute(due.order_by(TaskRow.priority.desc(), TaskRow.run_at).limit(SEND_BATCH)).all()
        moment = now.timestamp()
        self._sent = {key: at for key, at in self._sent.items() if moment - at < self._resend_s}
        fresh = [(row.id, row.queue, row.attempts) for row in rows if (row.id, row.attempts) not in self._sent]
        for task_id, queue, attempts in fresh:
            try:
                self._celery.send_task(RUN, args=[str(task_id)], queue=queue, retry=False)
            except (BrokerError, OSError) as error:
                log.warning("broker_away", error=str(error))
                return 0
            self._sent[task_id, attempts] = moment
        return len(fresh)


def work_by_celery(
    celery: Celery,
    database: Database,
    registry: Registry,
    clock: Clock,
    *,
    holder: str,
    queues: tuple[str, ...] = QUEUES,
    concurrency: int,
    stop: threading.Event,
) -> None:
    """Run a Celery worker in this process until its warm shutdown (SIGTERM)."""
    runner = Runner(database, registry, clock, holder, stop)
    threading.Thread(target=runner.keep_leases, name="lease-keeper", daemon=True).start()

    @celery.task(name=RUN)  # type: ignore[untyped-decorator,unused-ignore]
    def run(task_id: str) -> None:
        with database.unit() as unit:
            task = claim_one(unit.session, UUID(task_id), holder, clock.now())
        if task is not None:
            runner.run(task)

    worker = celery.Worker(
        queues=list(queues),
        pool="threads",
        concurrency=concurrency,
        hostname=f"{holder}@%h",
        without_mingle=True,
        without_gossip=True,
        loglevel="WARNING",
        quiet=True,
    )
    worker.start()
    stop.set()
    runner.hand_back_all()
