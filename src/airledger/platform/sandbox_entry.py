"""First code of a sandboxed child: take the limits, then become the command.

Run by file path with `python -I -S`, so it imports nothing of ours. Arguments: the orders as JSON, then the command.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PARENT_GONE = 3


def limit(kind: int, value: int | None) -> None:
    """Lower one resource limit, hard and soft; never above what we were given ourselves."""
    if value is None:
        return
    hard = resource.getrlimit(kind)[1]
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (allowed, allowed))


def main() -> None:
    """Obey the orders and exec."""
    orders: dict[str, Any] = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != orders["parent"]:  # it died before the line above
        sys.exit(PARENT_GONE)
    if not orders["network"]:
        # Refused in some containers; then the child merely has no reason to use a network, instead of no network.
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, orders["open_files"])
    limit(resource.RLIMIT_FSIZE, orders["file_size_bytes"])
    limit(resource.RLIMIT_CPU, orders["cpu_s"])
    limit(resource.RLIMIT_AS, orders["address_space_bytes"])
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is ours


if __name__ == "__main__":
    main()
