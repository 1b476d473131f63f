"""A private PostgreSQL: one cluster per test worker, one database per test, copied from a template."""

import secrets
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from servers.debian import binary
from servers.process import HOST, LocalServer, unprivileged_user

PACKAGE = "postgresql"
SUPERUSER = "airledger"


class PostgresServer(LocalServer):
    """PostgreSQL over TCP with a password; durable against `kill`, not against a power cut (no fsync)."""

    # On SIGKILL the postmaster would leave its shared memory segment behind; SIGQUIT is its immediate shutdown.
    death_signal = signal.SIGQUIT
    # "Fast" shutdown: SIGTERM would wait for every client to leave.
    stop_signal = signal.SIGINT

    def __init__(self) -> None:
        """Find or fetch the programs; nothing runs yet."""
        self._postgres = binary("postgres", PACKAGE)
        self._initdb = binary("initdb", PACKAGE)
        self._password = secrets.token_hex(8)
        self._prepared: dict[str, str] = {}
        self._made = 0
        super().__init__("postgres", unprivileged_user("postgres"))

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.folder / "data"

    def prepare(self) -> None:
        """Make the cluster."""
        password_file = self.folder / "password"
        password_file.write_text(self._password)
        self.hand_over(password_file)
        self.run(
            [
                str(self._initdb),
                f"--pgdata={self.data}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ]
        )

    def command(self) -> list[str]:
        """Return the postmaster's command line."""
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            # The page cache outlives a killed process, so commits do as well.
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
            "max_connections": "100",
            "autovacuum_naptime": "10min",
            "log_min_messages": "warning",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(self._postgres), "-D", str(self.data), *options]

    def answers(self) -> bool:
        """Tell whether a connection can be made."""
        try:
            with self._connect("postgres", connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of a database (driver psycopg 3)."""
        return f"postgresql+psycopg://{SUPERUSER}:{self._password}@{HOST}:{self.port}/{database}"

    def create_database(self, template: str = "template1") -> str:
        """Make a new database as a copy of `template`; return its name."""
        self._made += 1
        name = f"airledger_{self._made}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        self._administer(copy)
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, throwing out who is still connected."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def template(self, key: str, prepare: Callable[[str], None]) -> str:
        """Return the name of a database that `prepare` has filled once; to be given to `create_database`.

        Args:
            key: What the template is called; the second call with the same key prepares nothing.
            prepare: Gets the new database's address; must close all its connections before it returns.
        """
        if key not in self._prepared:
            name = self.create_database()
            prepare(self.url(name))
            self._prepared[key] = name
        return self._prepared[key]

    def _connect(self, database: str, connect_timeout: int = 10) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=SUPERUSER,
            password=self._password,
            dbname=database,
            autocommit=True,
            connect_timeout=connect_timeout,
        )

    def _administer(self, statement: sql.Composed) -> None:
        with self._connect("postgres") as connection:
            connection.execute(statement)
