"""Which tasks there are: a name, a queue, and the function that does it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from airledger.platform.errors import NotFoundError
from airledger.platform.tasks.queue import add_task

QueueName = Literal["probe", "recognise", "transcode", "analyse", "money", "deliver", "default"]
QUEUES: tuple[QueueName, ...] = ("probe", "recognise", "transcode", "analyse", "money", "deliver", "default")

Result = dict[str, Any] | None


@dataclass(frozen=True)
class Context:
    """What a running task may ask of the worker."""

    task_id: UUID
    attempt: int
    progress: Callable[[float], None]
    stopping: Callable[[], bool]


@dataclass(frozen=True)
class Task:
    """A kind of task."""

    name: str
    queue: QueueName
    call: Callable[..., Result]
    max_attempts: int = 3


@dataclass
class Registry:
    """All kinds of tasks of one application."""

    tasks: dict[str, Task] = field(default_factory=dict)

    def declare(self, name: str, queue: QueueName, call: Callable[..., Result], *, max_attempts: int = 3) -> None:
        """Make a kind of task known. `call` takes a Context and the task's arguments by name."""
        self.tasks[name] = Task(name, queue, call, max_attempts)

    def get(self, name: str) -> Task:
        """Find a kind of task.

        Raises:
            NotFoundError: No such kind; the row may come from another version.
        """
        try:
            return self.tasks[name]
        except KeyError:
            raise NotFoundError(f"there is no task named {name!r} in this version") from None

    def enqueue(
        self,
        session: Session,
        name: str,
        args: dict[str, Any],
        *,
        now: datetime,
        run_at: datetime | None = None,
        unique_key: str | None = None,
        priority: int = 0,
        organisation_id: UUID | None = None,
    ) -> UUID | None:
        """Write a task row in the caller's unit; None when its unique key is open already."""
        kind = self.get(name)
        return add_task(
            session,
            name,
            kind.queue,
            args,
            now=now,
            run_at=run_at,
            unique_key=unique_key,
            priority=priority,
            max_attempts=kind.max_attempts,
            organisation_id=organisation_id,
        )
