"""Structured logs with a correlation id that follows a request into its tasks and events."""

import logging
import sys
import uuid
from typing import Literal

import structlog
from structlog.contextvars import bind_contextvars, get_contextvars, merge_contextvars

QUIET = ("alembic", "celery", "kombu", "amqp", "httpx", "numba", "asyncio")  # their INFO says nothing to an operator
LogFormat = Literal["console", "json"]


def configure_logging(process: str, *, level: str = "INFO", style: LogFormat = "console") -> None:
    """Send all logs, the standard library's too, to stderr in one form.

    Args:
        process: Name of this process (api, worker, ...), put on every line.
        level: Standard level name.
        style: `console` for people, `json` for collectors.
    """
    shared: list[structlog.types.Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        ),
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    bind_contextvars(process=process)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def correlation_id() -> str:
    """Return the id of the work in hand, making one when there is none yet."""
    known = get_contextvars().get("correlation_id")
    if isinstance(known, str):
        return known
    fresh = uuid.uuid4().hex
    bind_contextvars(correlation_id=fresh)
    return fresh


def adopt_correlation_id(value: str | None) -> str:
    """Continue the work that `value` names, or start one."""
    adopted = value or uuid.uuid4().hex
    bind_contextvars(correlation_id=adopted)
    return adopted
