"""A command of ours as a process of its own: what it said, how long it took, how much memory it needed."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

KIB_PER_MIB = 1024
# A process begins with its parent's size as its peak, and a test runner is large: so a small one stands between.
LAUNCHER = """
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
os.write(int(sys.argv[1]), b"%d %.3f" % (used.ru_maxrss, used.ru_utime + used.ru_stime))
sys.exit(code if code >= 0 else 128 - code)
"""


@dataclass(frozen=True)
class Ran:
    """What became of a command.

    Attributes:
        code: Its exit code; 128 and the signal's number, or -9 after the limit, when it was killed.
        peak_mib: The most memory that it, or any one child that it waited for, held at a time.
        cpu_s: Processor time of it and of the children that it waited for.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak_mib: float
    cpu_s: float = 0.0

    @property
    def is_plain_failure(self) -> bool:
        """Whether it failed as it should: code 1 or 2, one sentence, no trace."""
        return self.code in {1, 2} and bool(self.err.strip() or self.out.strip()) and "Traceback" not in self.err


def run_measured(arguments: list[str], environment: Mapping[str, str], limit_s: float = 120) -> Ran:
    """Run `airledger ...`; kill it after `limit_s` seconds (then its code is -9)."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as usage:
        began = time.monotonic()
        process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                LAUNCHER,
                str(usage.fileno()),
                sys.executable,
                "-m",
                "airledger",
                *arguments,
            ],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=[usage.fileno()],
            start_new_session=True,
        )
        killer = threading.Timer(limit_s, os.killpg, (process.pid, signal.SIGKILL))
        killer.start()
        code = process.wait()
        killer.cancel()
        seconds = time.monotonic() - began
        usage.seek(0)
        told = usage.read().split() or [b"0", b"0"]
        peak_kib, cpu_s = int(told[0]), float(told[1])
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
    return Ran(code, said[0], said[1], seconds, peak_kib / KIB_PER_MIB, cpu_s)
