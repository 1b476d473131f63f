"""Child processes of `airledger up`: started, restarted when they die, ended together."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from airledger.platform.logging import logger

PARENT = "AIRLEDGER_PARENT"
PR_SET_PDEATHSIG = 1
FIRST_PAUSE_S = 0.5
PAUSE_LIMIT_S = 30.0
HEALTHY_S = 60.0
PATIENCE_S = 15.0
WATCH_S = 0.2

log = logger(__name__)


@dataclass
class Child:
    """One child: what to run, and how it has been going.

    Attributes:
        name: For the log.
        argv: The command.
        env: Environment beside the inherited one.
        is_once: Runs once; its end is no failure.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    is_once: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    started_s: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    not_before_s: float = 0.0
    is_over: bool = field(default=False)

    def start(self) -> None:
        """Start it in a session of its own, so that a Ctrl-C in the terminal reaches only the parent."""
        env = {**os.environ, **self.env, PARENT: str(os.getpid())}
        self.process = subprocess.Popen(self.argv, env=env, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  our own program
        self.started_s = time.monotonic()

    def watch(self) -> None:
        """Start it when it does not run, at growing distance when it keeps dying."""
        moment = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self._note_end(moment)
        if not self.is_over and moment >= self.not_before_s:
            self.start()

    def _note_end(self, moment: float) -> None:
        code = self.process.returncode if self.process else 0
        self.process = None
        if self.is_once:
            self.is_over = True
            if code:
                log.error("child_failed", child=self.name, code=code)
            return
        if moment - self.started_s > HEALTHY_S:
            self.pause_s = FIRST_PAUSE_S
        self.not_before_s = moment + self.pause_s
        log.warning("child_died", child=self.name, code=code, again_in_s=self.pause_s)
        self.pause_s = min(self.pause_s * 2, PAUSE_LIMIT_S)


def supervise(children: Sequence[Child], stop: threading.Event) -> None:
    """Keep children running until `stop` is set, then end them: asked first, killed after 15 s."""
    try:
        while not stop.wait(WATCH_S):
            for child in children:
                child.watch()
    finally:
        end_all(children)


def end_all(children: Sequence[Child]) -> None:
    """Ask all children to end, and kill those that have not within 15 s."""
    running = [child.process for child in children if child.process is not None and child.process.poll() is None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("child_killed", pid=process.pid)
            process.kill()
            process.wait()


def die_with_parent() -> None:
    """Have the kernel end this process when the parent that started it is gone, however it went."""
    parent = os.environ.get(PARENT)
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):  # it died before we asked
        sys.exit(1)
