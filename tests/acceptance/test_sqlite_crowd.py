"""One SQLite file, everybody at once for five minutes: crawls, API writes, reads, listening. Nobody is locked out."""

import itertools
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from acceptance.installation import Installation, with_songs
from airledger.platform.tasks.rows import FAILED, TaskRow
from servers.process import free_port, wait_until

pytestmark = pytest.mark.acceptance

CACHE = Path(os.environ.get("AIRLEDGER_SONGS_CACHE", tempfile.gettempdir())) / "airledger-demo-songs"
MINUTES = float(os.environ.get("AIRLEDGER_CROWD_MINUTES", "5"))
ENTRIES = 3_000
WRITE_EVERY_S = 0.5
READ_EVERY_S = 0.2
READS = ("streams?all=true&limit=1000", "stats", "plays?limit=100", "tasks", "sessions", "processes", "recordings")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    house = Installation(with_songs(tmp_path, CACHE))
    house.up()
    try:
        house.wait_for_plays(1)
        yield house
    finally:
        house.stop()


@dataclass
class Crowd:
    """Who does what to the installation, and what went wrong."""

    house: Installation
    token: str
    over: threading.Event = field(default_factory=threading.Event)
    wrong: list[str] = field(default_factory=list)
    took_s: dict[str, list[float]] = field(default_factory=dict)

    def each(self, name: str, act: Callable[[int], str | None], every_s: float = 0.0) -> threading.Thread:
        """Do something again and again in a thread; `act` returns what was wrong."""
        times = self.took_s.setdefault(name, [])

        def work() -> None:
            for number in itertools.count():
                began = time.monotonic()
                wrong = act(number)
                times.append(time.monotonic() - began)
                if wrong:
                    self.wrong.append(f"{name} {number}: {wrong}")
                if self.over.wait(every_s):
                    return

        return threading.Thread(target=work, name=name)

    def ask(self, method: str, path: str, body: object = None) -> str | None:
        """Send one request; return what is wrong with the answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = httpx.request(
                method, f"{self.house.address}/api/v1/{path}", json=body, headers=headers, trust_env=False, timeout=30
            )
        except httpx.TransportError as error:
            return repr(error)
        return None if answer.is_success else f"{answer.status_code} {answer.text[:300]}"

    def figures(self) -> dict[str, dict[str, float]]:
        """Return how often each was done and how long it took."""
        return {
            name: {
                "count": len(times),
                "p50_s": round(statistics.median(times), 3),
                "p95_s": round(sorted(times)[int(len(times) * 0.95)], 3),
                "max_s": round(max(times), 3),
            }
            for name, times in self.took_s.items()
        }


def crawling(house: Installation, port: int) -> Callable[[int], str | None]:
    """Crawl a list whose names are others each time, at an address where nobody listens."""
    path = house.folder / "crowd.m3u"

    def crawl(number: int) -> str | None:
        lines = [
            f"#EXTINF:-1,Crowd {place} in round {number}\nhttp://127.0.0.1:{port}/{place}\n" for place in range(ENTRIES)
        ]
        path.write_text("#EXTM3U\n" + "".join(lines))
        done = house.attempt("crawl", str(path), "--json")
        if done.returncode != 0:
            return done.stderr[-500:] or done.stdout[-500:]
        report = json.loads(done.stdout)
        changed = report["added"] if number == 0 else report["updated"]
        return None if changed == report["found"] == ENTRIES else done.stdout

    return crawl


def failed_tasks(house: Installation) -> dict[str, int]:
    """Return how many tasks failed, by name and error."""
    database = house.database
    with database.read() as session:
        query = select(TaskRow.name, TaskRow.error, func.count()).where(TaskRow.status == FAILED)
        found = {f"{name}: {error}": count for name, error, count in session.execute(query.group_by("name", "error"))}
    database.close()
    return found


def test_nobody_is_locked_out(house: Installation) -> None:
    link = house.link().partition("link=")[2]
    signed_in = httpx.post(f"{house.address}/api/v1/auth/login", json={"link": link}, trust_env=False, timeout=30)
    port = free_port()
    crowd = Crowd(house, signed_in.raise_for_status().json()["token"])
    plays_before = len(house.plays())
    threads = [
        crowd.each("crawl", crawling(house, port)),
        crowd.each(
            "write",
            lambda number: crowd.ask("POST", "streams", {"url": f"http://127.0.0.1:{port}/written/{number}"}),
            WRITE_EVERY_S,
        ),
        crowd.each(
            "key", lambda number: crowd.ask("POST", "keys", {"name": f"k{number}", "scopes": ["catalogue:read"]}), 1.0
        ),
        crowd.each("read", lambda number: crowd.ask("GET", READS[number % len(READS)]), READ_EVERY_S),
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + MINUTES * 60
    wait_until(lambda: time.monotonic() > until, "the time is over", MINUTES * 60 + 60)
    crowd.over.set()
    for thread in threads:
        thread.join()
    plays = len(house.plays()) - plays_before
    print(json.dumps({**crowd.figures(), "plays_logged_meanwhile": plays}))  # noqa: T201  the figures to be shown
    assert crowd.wrong == []
    log = (house.folder / "up.log").read_text(errors="replace")
    assert "database is locked" not in log
    assert "Traceback" not in log
    assert failed_tasks(house) == {}
    assert plays > 0
