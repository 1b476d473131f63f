"""Bringing a database to this version's tables, by Alembic, from within the program."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection

from airledger.platform.db import Database, Row
from airledger.platform.errors import ConflictError, UnavailableError
from airledger.platform.migrations import full_text

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_KEY = 7_203_941  # any number: names our advisory lock in PostgreSQL


def upgrade(database: Database, revision: str = "head") -> None:
    """Run what migrations are missing, up to `revision`; several processes may start at once."""
    if is_current(database):
        return
    with _alone(database), database.engine.connect() as connection, _keys_unheeded(database, connection):
        writer = connection.execution_options(airledger_write=True)
        with writer.begin():
            command.upgrade(_config(writer), revision)
            _require_whole_keys(database, writer)


def lay_anew(database: Database, revision: str) -> None:
    """Drop all tables, which must be empty, and make them as they were at `revision`."""
    with _alone(database), database.engine.connect() as connection:
        writer = connection.execution_options(airledger_write=True)
        with writer.begin():
            full_text.remove(writer)  # its own tables cannot be dropped one by one
            found = MetaData()
            found.reflect(writer)
            found.drop_all(writer)
            command.upgrade(_config(writer), revision)


def revisions() -> frozenset[str]:
    """All revisions that this version knows, from the first release on."""
    return frozenset(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def is_current(database: Database) -> bool:
    """Tell whether the database has this version's tables."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head_revision()


def head_revision() -> str | None:
    """Return the newest migration's revision."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def include_object(thing: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """Tell Alembic what to compare: all but the full-text index, which is no table of ours."""
    del thing, kind, reflected, other
    return not full_text.is_part(name)


def differences(database: Database) -> list[object]:
    """List how the database differs from the tables in code; empty when migrations are complete."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": include_object})
        return list(compare_metadata(context, Row.metadata))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["include_object"] = include_object
    return config


@contextlib.contextmanager
def _keys_unheeded(database: Database, connection: Connection) -> Iterator[None]:
    """Have SQLite heed no foreign keys meanwhile.

    It changes some tables by copying and dropping them, and a drop would delete, by its cascades, what refers to them.
    """
    if not database.is_sqlite:
        yield
        return
    driver = connection.connection.driver_connection
    if driver is None:
        raise UnavailableError("the database was closed while it was brought up to date")
    driver.execute("PRAGMA foreign_keys=OFF").close()
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON").close()


def _require_whole_keys(database: Database, connection: Connection) -> None:
    """Raise, and so roll back, where a migration left a row that refers to nothing."""
    if not database.is_sqlite:
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise ConflictError(f"bringing the database up to date would leave rows of {broken[0]} that refer to nothing")


@contextlib.contextmanager
def _alone(database: Database) -> Iterator[None]:
    """Keep two processes from migrating at once."""
    if database.is_sqlite:
        path = database.engine.url.database
        with Path(f"{path}.migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with database.engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK_KEY})")
        try:
            yield
        finally:
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK_KEY})")
