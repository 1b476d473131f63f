"""From a fresh clone in an empty folder to songs in the log: `make run`, nothing installed before, not as root."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from servers.process import HOST, ServerFailedError, bound_to_us, free_port, gone, unprivileged_user, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_S = 300
STOP_LIMIT_S = 30
# Our questions must not slow down what we time.
POLL_S = 1.0
# What would make the machine less fresh than it is meant to be. Where packages come from stays as it is set up here.
FORGOTTEN = ("VIRTUAL_ENV", "AIRLEDGER_", "PYTHON", "PYTEST", "NUMBA", "MAKE", "MFLAGS", "NODE_PATH", "XDG_")

pytestmark = pytest.mark.acceptance


@dataclass
class FreshRun:
    """`make run` in a clone of its own."""

    folder: Path
    port: int
    user: str | None
    process: subprocess.Popen[bytes]
    began: float
    client: httpx.Client
    reached_s: dict[str, float] = field(default_factory=dict)

    def log(self) -> str:
        return (self.folder / "make.log").read_text(errors="replace")[-6000:]

    def ask(self, path: str) -> Any:
        """Return the JSON at `path`, or None while there is no answer."""
        try:
            answer = self.client.get(path)
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None

    def reach(self, milestone: str, condition: Callable[[], bool]) -> None:
        """Wait for a milestone and note how long after `make run` it came."""

        def reached_or_over() -> bool:
            assert self.process.poll() is None, f"make run ended:\n{self.log()}"
            return condition()

        try:
            wait_until(reached_or_over, milestone, LIMIT_S - (time.monotonic() - self.began), POLL_S)
        except ServerFailedError as error:
            raise AssertionError(f"{error}; reached: {self.reached_s}\n{self.log()}") from error
        self.reached_s[milestone] = round(time.monotonic() - self.began, 1)


@pytest.fixture
def fresh_run() -> Iterator[FreshRun]:
    folder = Path(tempfile.mkdtemp(prefix="airledger-fresh-"))
    user = unprivileged_user()
    clone = folder / "airledger"
    source = ["git", "-c", "safe.directory=*", "clone", "--quiet", "--no-local", f"file://{REPOSITORY}", str(clone)]
    subprocess.run(source, check=True)
    if user is not None:
        subprocess.run(["chown", "-R", user, str(folder)], check=True)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FORGOTTEN)}
    # Tools of our own virtualenv must not be found, nor what an earlier run left in a home folder.
    path = [place for place in environment["PATH"].split(":") if not place.startswith(str(REPOSITORY))]
    environment |= {"HOME": str(folder), "PATH": ":".join(path)}
    command = ["make", "run", f"PORT={port}", f"DATA={folder / 'data'}"]
    with (folder / "make.log").open("wb") as log:
        process = subprocess.Popen(
            bound_to_us(command, signal.SIGKILL, user),
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    began = time.monotonic()
    family: list[psutil.Process] = []
    try:
        with httpx.Client(base_url=f"http://{HOST}:{port}", trust_env=False, timeout=10) as client:
            yield FreshRun(folder, port, user, process, began, client)
    finally:
        if process.poll() is None:
            family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for member in family:
            if not gone(member):
                member.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_make_run_hears_songs_within_five_minutes_and_leaves_nothing(fresh_run: FreshRun) -> None:
    run = fresh_run

    def page_is_served() -> bool:
        try:
            page = run.client.get("/")
        except httpx.TransportError:
            return False
        return page.is_success and "<title>" in page.text

    def streams_in(state: str) -> int:
        return sum(stream["state"] == state for stream in run.ask("/api/v1/streams?all=true") or [])

    run.reach("the page is served", page_is_served)
    run.reach("stations are found", lambda: len(run.ask("/api/v1/streams?all=true") or []) >= 12)
    run.reach("a station is proven", lambda: streams_in("playing") >= 1)
    run.reach("ten stations are proven", lambda: streams_in("playing") >= 10)
    run.reach("a song is in the log", lambda: (run.ask("/api/v1/stats") or {"plays_total": 0})["plays_total"] >= 1)
    run.reach("ten songs are in the log", lambda: (run.ask("/api/v1/stats") or {"plays_total": 0})["plays_total"] >= 10)
    print(json.dumps(run.reached_s, indent=1))  # noqa: T201 - the figure that is to be shown
    assert run.user is not None or os.geteuid() != 0
    leave_by_ctrl_c(run)


def leave_by_ctrl_c(run: FreshRun) -> None:
    family = psutil.Process(run.process.pid).children(recursive=True)
    assert len(family) >= 4, "api, worker, scheduler and listener are children"
    # A terminal sends Ctrl-C to the whole group.
    os.killpg(run.process.pid, signal.SIGINT)
    run.process.wait(STOP_LIMIT_S)
    wait_until(lambda: all(gone(member) for member in family), "every process has ended", STOP_LIMIT_S)
