"""Child processes for strangers' bytes: little memory, no privileges, no network where possible, dead when we are.

A child is started through `sandbox_entry.py`, which puts the limits on itself and then becomes the command. So the
limits are in force before the command's first line runs, and no Python code runs between fork and exec in a parent
that has threads.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Self

ENTRY = Path(__file__).with_name("sandbox_entry.py")
# Threads of numerical libraries and of malloc's arenas cost address space by the gigabyte and gain a decoder nothing.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
KILL_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What a child may use; None means that the system's own limit stays.

    Attributes:
        address_space_bytes: virtual memory; allocation fails beyond it.
        cpu_s: processor time; the kernel kills the child beyond it.
        open_files: file descriptors.
        file_size_bytes: largest file that the child may write; 0 forbids writing files.
        network: whether the child may reach any network. False puts it into a network namespace of its own where
            the kernel lets us (`network_is_cut` tells); where it does not, the other limits still hold.
    """

    address_space_bytes: int | None = 1 << 30
    cpu_s: int | None = None
    open_files: int | None = 64
    file_size_bytes: int | None = 0
    network: bool = False


@dataclass(frozen=True, slots=True)
class SandboxedCommand:
    """A command line and the limits it runs under."""

    arguments: Sequence[str]
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    environment: Mapping[str, str] = field(default_factory=dict)


def python_command(module: str, *arguments: str) -> list[str]:
    """Give the command line that runs one of our modules, isolated from the user's environment and folders."""
    return [sys.executable, "-I", "-m", module, *arguments]


class SandboxedProcess:
    """A child under limits, in a process group of its own, its stdin and stdout pipes (or `stdin` given) of ours.

    The kernel kills it when the *thread* that started it ends, so start it from a thread that outlives it.
    """

    def __init__(self, command: SandboxedCommand, *, stdin: IO[bytes] | int = subprocess.PIPE) -> None:
        """Start the command.

        Raises:
            OSError: it cannot be started.
        """
        orders = json.dumps({**asdict(command.limits), "parent": os.getpid()})
        self.process = subprocess.Popen(  # noqa: S603 - the command is ours, only its input is a stranger's
            [sys.executable, "-I", "-S", str(ENTRY), orders, *command.arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**ENVIRONMENT, **command.environment},
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id, the same before and after the child became the command."""
        return self.process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe into the child."""
        if self.process.stdin is None:
            raise ValueError("This child was given its own stdin.")
        return self.process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe out of the child."""
        if self.process.stdout is None:
            raise ValueError("This child has no stdout pipe.")
        return self.process.stdout

    def network_is_cut(self) -> bool:
        """Whether the kernel gave the child an empty network of its own.

        Known once the command runs. Some containers forbid it; the other limits hold there all the same.
        """
        try:
            theirs = Path(f"/proc/{self.pid}/ns/net").readlink()
        except OSError:  # it has ended
            return False
        return theirs != Path("/proc/self/ns/net").readlink()

    def ended_by(self) -> str | None:
        """Tell how the child ended (`exit 1`, `signal 11`), None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        return f"signal {-code}" if code < 0 else f"exit {code}"

    def kill(self) -> None:
        """End the child at once and free its pipes. May be called twice."""
        self.process.kill()
        self.process.wait(KILL_WAIT_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                _close_quietly(pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()


def _close_quietly(pipe: IO[bytes]) -> None:
    """Close a pipe; what was still buffered for a dead child is lost on purpose."""
    try:
        pipe.close()
    except BrokenPipeError:
        return
