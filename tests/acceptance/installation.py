"""An installation as a user has it: `airledger up --demo` in a folder, seen from outside."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select

import airledger.app  # noqa: F401  makes every table known
from airledger.listening.models import Coverage
from airledger.platform.db import Database
from airledger.platform.migrate import is_current
from airledger.platform.presence import ProcessRow
from airledger.playlog.models import PlayLog
from servers.process import HOST, bound_to_us, free_port, gone, wait_until

UP_LIMIT_S = 300
MAX_OVERLAP = timedelta(seconds=10)


@dataclass
class Installation:
    """One data folder, and the processes that work in it.

    Attributes:
        folder: The data folder.
        database_url: Empty for SQLite.
        broker_url: Empty for tasks leased from the database.
        port: Of the page and the API.
        is_demo: Bring the demo band; else nothing is on air but what the test puts there.
        settings: More of the environment, such as `AIRLEDGER_SOURCES`.
    """

    folder: Path
    database_url: str = ""
    broker_url: str = ""
    port: int = field(default_factory=free_port)
    is_demo: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def environment(self) -> dict[str, str]:
        """What every command of this installation gets."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRLEDGER_")}
        given = {"AIRLEDGER_DATABASE_URL": self.database_url, "AIRLEDGER_BROKER_URL": self.broker_url}
        chosen = {name: value for name, value in given.items() if value}
        return inherited | {"AIRLEDGER_DATA": str(self.folder)} | chosen | dict(self.settings)

    @property
    def address(self) -> str:
        """Where page and API are."""
        return f"http://{HOST}:{self.port}"

    @property
    def database(self) -> Database:
        """The database, to look into."""
        return Database(self.database_url or f"sqlite:///{self.folder}/airledger.db")

    def up(self) -> None:
        """Start everything."""
        band = ["--demo"] if self.is_demo else []
        command = [sys.executable, "-m", "airledger", "up", *band, "--port", str(self.port)]
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                bound_to_us(command, signal.SIGTERM),
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def run(self, *arguments: str) -> str:
        """Run one command beside it; return what it printed."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, f"airledger {' '.join(arguments)}: {done.stderr[-3000:]}"
        return done.stdout

    def attempt(self, *arguments: str, limit_s: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run one command beside it, whatever comes of it."""
        return subprocess.run(
            [sys.executable, "-m", "airledger", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )

    def score(self) -> dict[str, Any]:
        """Hold the log against the truth."""
        report: dict[str, Any] = json.loads(self.run("demo", "score", "--json"))
        return report

    def family(self) -> list[psutil.Process]:
        """Every process of it."""
        if self.process is None or self.process.poll() is not None:
            return []
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def kill(self, role: str) -> None:
        """`kill -9` of a role's processes, decoder children first found dead by themselves."""
        victims = [one for one in self.family() if role in one.cmdline()[1:]]
        assert victims, f"no {role} runs"
        for one in victims:
            one.kill()

    def kill_everything(self) -> None:
        """`kill -9` of all at once."""
        family = self.family()
        for one in family:
            one.kill()
        assert self.process is not None
        self.process.wait()
        wait_until(lambda: all(gone(one) for one in family), "everything is dead", 20)

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            family = self.family()
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
            wait_until(lambda: all(gone(one) for one in family), "every process has ended", 20)

    def link(self) -> str:
        """The address that signs in once, as `up` printed it; waits until it has."""
        path = self.folder / "up.log"

        def printed() -> "re.Match[str] | None":
            assert self.process is None or self.process.poll() is None, self.log()
            return re.search(r"http://\S+/\?link=\S+", path.read_text(errors="replace")) if path.exists() else None

        wait_until(lambda: printed() is not None, "the link is printed", UP_LIMIT_S)
        found = printed()
        assert found is not None
        return found[0]

    def plays(self) -> list[PlayLog]:
        """All plays, by start."""
        database = self.database
        try:
            with database.read() as session:
                return list(session.scalars(select(PlayLog).order_by(PlayLog.started_at)))
        finally:
            database.close()

    def coverage(self, kind: str) -> list[Coverage]:
        """All stretches of a kind."""
        database = self.database
        try:
            with database.read() as session:
                return list(
                    session.scalars(select(Coverage).where(Coverage.kind == kind).order_by(Coverage.started_at))
                )
        finally:
            database.close()

    def alive(self, role: str, since: datetime) -> bool:
        """Whether a process of this role began after `since` and beats."""
        database = self.database
        try:
            with database.read() as session:
                rows = session.scalars(select(ProcessRow).where(ProcessRow.role == role))
                return any(row.started_at > since for row in rows)
        finally:
            database.close()

    def wait_for_plays(self, count: int, limit_s: float = UP_LIMIT_S) -> None:
        """Wait until so many plays are in the log."""

        def there() -> bool:
            assert self.process is None or self.process.poll() is None, self.log()
            return (self.folder / "up.log").exists() and self._is_migrated() and len(self.plays()) >= count

        wait_until(there, f"{count} plays are in the log\n{self.log()}", limit_s)

    def _is_migrated(self) -> bool:
        if not self.database_url and not (self.folder / "airledger.db").exists():
            return False
        database = self.database
        try:
            return is_current(database)
        finally:
            database.close()

    def log(self) -> str:
        """The end of what it wrote."""
        path = self.folder / "up.log"
        return path.read_text(errors="replace")[-5000:] if path.exists() else ""


def with_songs(folder: Path, cache: Path) -> Path:
    """Make an installation's folder with the demo's songs in place, made once per machine and version."""
    songs = folder / "demo" / "songs"
    songs.parent.mkdir(parents=True, exist_ok=True)
    if not (cache / "library.csv").exists():
        subprocess.run([sys.executable, "-m", "airledger.testing.songs", str(cache), "--seed", "1"], check=True)
    shutil.copytree(cache, songs)
    return folder


def doubled(plays: list[PlayLog]) -> list[PlayLog]:
    """Plays that overlap another of the same recording on the same stream: the same play logged twice."""
    by_place: dict[tuple[int, object], list[PlayLog]] = defaultdict(list)
    for play in plays:
        by_place[play.stream_id, play.recording_id].append(play)
    return [
        later
        for group in by_place.values()
        for earlier, later in itertools.pairwise(group)
        if later.started_at < earlier.ended_at - MAX_OVERLAP
    ]
