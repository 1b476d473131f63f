"""Supervision of real child processes."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from airledger.platform.children import Child, supervise
from servers.process import wait_until

BEAT = """
import os, signal, sys, time
open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')
if sys.argv[2] == 'stubborn':
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    time.sleep(0.05)
"""


def pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "pids"


def run(children: list[Child], stop: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=supervise, args=(children, stop))
    thread.start()
    return thread


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_that_dies_is_started_again_and_all_are_ended(notes: Path) -> None:
    child = Child("beat", [sys.executable, "-c", BEAT, str(notes), "mild"], {})
    stop = threading.Event()
    thread = run([child], stop)
    wait_until(lambda: len(pids(notes)) == 1, "it runs")
    os.kill(pids(notes)[0], signal.SIGKILL)
    wait_until(lambda: len(pids(notes)) == 2, "it runs again")
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert not any(runs(pid) for pid in pids(notes))


def test_one_that_runs_once_is_not_started_again(notes: Path) -> None:
    once = Child("once", [sys.executable, "-c", f"open({str(notes)!r}, 'a').write('1\\n')"], {}, is_once=True)
    stop = threading.Event()
    thread = run([once], stop)
    wait_until(lambda: once.is_over, "it is over")
    stop.set()
    thread.join(30)
    assert pids(notes) == [1]


def test_a_stubborn_child_is_killed(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airledger.platform.children.PATIENCE_S", 0.5)
    child = Child("beat", [sys.executable, "-c", BEAT, str(notes), "stubborn"], {})
    stop = threading.Event()
    thread = run([child], stop)
    wait_until(lambda: len(pids(notes)) == 1, "it runs")
    stop.set()
    thread.join(30)
    assert not runs(pids(notes)[0])
