"""A real server as a private child process: free port, own folder, readiness with a deadline, kill and start again."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

from servers.debian import ServerUnavailableError

HOST = "127.0.0.1"
READY_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0
ORPHAN_LIMIT_S = 5.0
POLL_S = 0.02
START_ATTEMPTS = 5
LOG_TAIL_BYTES = 4_096
# Below Linux's ephemeral range (32768 up): while a killed server is down, no outgoing connection can take its port.
PORTS = range(20_000, 32_000)


class ServerFailedError(Exception):
    """A server ended or did not answer in time; the message carries the end of its log."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nobody listens now."""
    for port in random.sample(PORTS, k=200):
        if not taken(port):
            return port
    raise ServerFailedError("no free port was found among 200 tried")


def taken(port: int) -> bool:
    """Tell whether somebody listens on a TCP port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set it too; without, a port with connections in TIME_WAIT would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def wait_until(
    condition: Callable[[], bool], what: str, limit_s: float = READY_LIMIT_S, poll_s: float = POLL_S
) -> None:
    """Ask for `condition` every `poll_s` seconds until it holds.

    Raises:
        ServerFailedError: It did not hold within `limit_s` seconds; the message names `what`.
    """
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise ServerFailedError(f"{what}: not within {limit_s:g} s")
        time.sleep(poll_s)


def unprivileged_user(*preferred: str) -> str | None:
    """Return whom a server that refuses root shall run as: None (ourselves) unless we are root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in (*preferred, "nobody") if name in known), None)


def bound_to_us(command: list[str], death_signal: signal.Signals, user: str | None = None) -> list[str]:
    """Return `command` so that the kernel ends it when the thread that starts it ends, and run as `user` if given.

    Raises:
        ServerUnavailableError: This machine has no `setpriv`.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServerUnavailableError("setpriv (Debian package util-linux) is needed to bind servers to our life")
    drop: list[str] = []
    if user is not None:
        drop = ["--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--clear-groups"]
    return [setpriv, "--pdeathsig", death_signal.name.removeprefix("SIG"), *drop, "--", *command]


def gone(process: psutil.Process) -> bool:
    """Tell whether a process has ended; one that nobody has reaped yet (a container without init) has."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _end(family: list[psutil.Process]) -> None:
    """Wait until orphans have left, as PostgreSQL's do when their parent dies; kill those that stay."""
    deadline = time.monotonic() + ORPHAN_LIMIT_S
    while not all(gone(process) for process in family) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    for process in family:
        if not gone(process):
            process.kill()
    wait_until(lambda: all(gone(process) for process in family), "children end with their server", STOP_LIMIT_S)


class LocalServer(ABC):
    """One server process on 127.0.0.1, with a folder of its own that outlives `kill` and `start`.

    It dies with us: the kernel sends `death_signal` when the thread that called `start` ends, however it ends. Start
    servers from the test's main thread, therefore, never from a thread that ends before the test does.
    """

    death_signal: signal.Signals = signal.SIGKILL
    stop_signal: signal.Signals = signal.SIGTERM

    def __init__(self, name: str, user: str | None = None) -> None:
        """Make the server's folder; nothing runs yet.

        Args:
            name: What the server is called in messages and in its folder's name.
            user: Whom to run it as where we are root; None for ourselves.
        """
        self.name = name
        self.user = user
        # Not under pytest's tmp_path: that is closed to everybody but root, and the server may run as nobody.
        self.folder = Path(tempfile.mkdtemp(prefix=f"airledger-{name}-"))
        self.log_path = self.folder / "server.log"
        self.port = 0
        self._log_from = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.hand_over(self.folder)

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that serves on `self.port` from `self.folder`."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether the server does its work by now."""

    def prepare(self) -> None:  # noqa: B027 - most servers need nothing
        """Make what must be in the folder before the first start."""

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None or not self.running:
            raise ServerFailedError(f"{self.name} is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start the server and wait until it answers; a second start uses the same port and data.

        Raises:
            ServerFailedError: It ended or did not answer in time.
        """
        if self.running:
            return self
        if self.port:
            self._launch()
            return self
        self.prepare()
        for attempt in range(1, START_ATTEMPTS + 1):
            self.port = free_port()
            try:
                self._launch()
            except ServerFailedError:
                # Another worker may have taken the port between our look and the server's bind.
                if attempt == START_ATTEMPTS or not taken(self.port):
                    raise
            else:
                return self
        return self

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL), with all its children; port and data stay for `start`."""
        if self._process is None:
            return
        family = self._family()
        if self.running:
            self._process.kill()
        self._process.wait()
        _end(family)

    def stop(self) -> None:
        """End it politely; by force after a deadline."""
        if self._process is not None and self.running:
            family = self._family()
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.kill()
            _end(family)

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget_log(self) -> None:
        """Begin `log_tail` anew from here: what follows belongs to the next test."""
        self._log_from = self._log_size()

    def log_tail(self) -> str:
        """Return the end of what the server has written to stdout and stderr since `forget_log`."""
        start = max(self._log_from, self._log_size() - LOG_TAIL_BYTES)
        return self.log_path.read_bytes()[start:].decode(errors="replace") if self.log_path.exists() else ""

    def hand_over(self, path: Path) -> None:
        """Give `path` to the user the server runs as."""
        if self.user is not None:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)

    def run(self, command: list[str]) -> None:
        """Run a command of set-up as the server's user in its folder.

        Raises:
            ServerFailedError: It failed; with its output.
        """
        done = subprocess.run(
            bound_to_us(command, self.death_signal, self.user),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            check=False,
            timeout=READY_LIMIT_S,
        )
        if done.returncode:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise ServerFailedError(f"{command[0]} ended with {done.returncode}: {said}")

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the server: nothing of ours leaks in, so runs are alike everywhere."""
        path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
        return {"PATH": path, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def _launch(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                bound_to_us(self.command(), self.death_signal, self.user),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for pytest, which then stops us in order.
                start_new_session=True,
            )
        try:
            wait_until(lambda: not self.running or self.answers(), f"{self.name} answers on port {self.port}")
        except ServerFailedError as error:
            self.kill()
            raise ServerFailedError(f"{error}\n{self.log_tail()}") from error
        if not self.running:
            code = self._process.returncode
            raise ServerFailedError(f"{self.name} ended with {code} instead of serving:\n{self.log_tail()}")

    def _log_size(self) -> int:
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def _family(self) -> list[psutil.Process]:
        try:
            family: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
        except (psutil.NoSuchProcess, ServerFailedError):
            return []
        return family
