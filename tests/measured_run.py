"""A command of ours as a process of its own: what it said, how long it took, how much memory it needed."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Ran:
    """What became of a command.

    Attributes:
        code: Its exit code, negative for a signal.
        peak_mib: The most memory that it, or any one child that it waited for, held at a time.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak_mib: float

    @property
    def is_plain_failure(self) -> bool:
        """Whether it failed as it should: code 1 or 2, one sentence, no trace."""
        return self.code in {1, 2} and bool(self.err.strip() or self.out.strip()) and "Traceback" not in self.err


def run_measured(arguments: list[str], environment: Mapping[str, str], limit_s: float = 120) -> Ran:
    """Run `airledger ...`; kill it after `limit_s` seconds (then its code is -9)."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "airledger", *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        killer = threading.Timer(limit_s, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
    return Ran(process.returncode, said[0], said[1], seconds, usage.ru_maxrss / KIB_PER_MIB)
