"""The database: one `unit()` of work, one commit; `read()` for the rest.

SQLite runs in WAL mode and a unit begins IMMEDIATE: a deferred transaction that turns into a write fails at once when
somebody else wrote in between, whatever its busy timeout. PostgreSQL needs no such care. Nothing else in Airledger
commits (tests/contract/test_house.py).
"""

import contextlib
import math
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from airledger.platform.errors import UnavailableError

BUSY_TIMEOUT_S = 30
PRAGMAS = (
    "auto_vacuum=INCREMENTAL",  # first: it holds for files that have no table yet
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-16000",
)
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they would mean another moment on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored: give it UTC")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware time."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True)
class Retention:
    """What a table keeps and for how long.

    Attributes:
        days: Rows older than this are deleted by the nightly clean-up; None keeps them for ever.
        age_column: The column that `days` counts from.
        not_after: The verb, as `module:function`, that says up to when rows may go: it takes a session and gives a
            time, or None when none may go yet. For rows that are made into something else first.
        personal: Rows tell of a person, or hold sound; then `export` and `delete` name the verbs that answer the
            person's rights, as `module:function`.
        reason: Why this long.
    """

    reason: str
    days: int | None = None
    age_column: str | None = None
    not_after: str | None = None
    personal: bool = False
    export: str | None = None
    delete: str | None = None


class Row(DeclarativeBase):
    """Base of every table. Each states its retention."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[Any]: JSON(),
    }
    retention: ClassVar[Retention]


class Unit:
    """One unit of work: a session, and what shall happen once it is committed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call once the unit is committed; dropped when it is rolled back."""
        self._after_commit.append(call)

    def committed(self) -> None:
        """Run what waited for the commit."""
        for call in self._after_commit:
            call()


class Database:
    """An engine with the two ways of using it."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine = _engine(url, pool_size)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._thread = threading.local()

    @contextlib.contextmanager
    def unit(self) -> Iterator[Unit]:
        """Open a unit of work that is committed at the end, or rolled back whole.

        Raises:
            UnavailableError: The database cannot be reached, or stayed locked for 30 s.
        """
        with self._writing(), translated(), self.engine.connect() as plain:
            writer = plain.execution_options(airledger_write=True)
            with Session(writer, expire_on_commit=False, autoflush=True) as session, session.begin():
                unit = Unit(session)
                yield unit
        unit.committed()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        if getattr(self._thread, "is_writing", False):
            raise RuntimeError("a unit inside a unit would wait for its own lock: pass the outer one down")
        self._thread.is_writing = True
        try:
            yield
        finally:
            self._thread.is_writing = False

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one consistent state and never writes."""
        with (
            translated(),
            self.engine.connect() as connection,
            Session(connection, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    def is_up(self) -> bool:
        """Tell whether the database answers."""
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except DBAPIError:
            return False
        return True

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise UnavailableError where the driver says that the database is away."""
    try:
        yield
    except OperationalError as error:
        raise UnavailableError(f"the database is away or busy: {error.orig}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise UnavailableError(f"the connection to the database was cut: {error.orig}") from error
        raise


def _engine(url: str, pool_size: int) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=pool_size, pool_pre_ping=True, connect_args={"connect_timeout": 5})
    engine = create_engine(url, pool_size=pool_size, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    del record
    connection.isolation_level = None  # the driver's own BEGIN would be deferred
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
    _add_mathematics(connection)


def _add_mathematics(connection: Any) -> None:
    """Give an SQLite that was built without mathematics the functions that distances need."""
    try:
        connection.execute("SELECT cos(radians(sin(0)))").close()
    except sqlite3.OperationalError:
        for call in (math.sin, math.cos, math.radians):
            connection.create_function(call.__name__, 1, _null_safe(call), deterministic=True)


def _null_safe(call: Callable[[float], float]) -> Callable[[float | None], float | None]:
    return lambda value: None if value is None else call(value)


def _begin_sqlite(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("airledger_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
