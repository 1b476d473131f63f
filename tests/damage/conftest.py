"""A folder of an installation that never runs, for commands that are given what nobody should give them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from acceptance.installation import Installation
from measured_run import Ran, run_measured
from raw_http import RawServer, raw_server

# An interpreter with SQLAlchemy, NumPy and Numba in it holds about 200 MiB before it has read a byte.
PEAK_MIB = 450
LIMIT_S = 90


@dataclass
class Terminal:
    """Where commands are typed; loopback may be dialled."""

    folder: Path

    def type(self, *arguments: str) -> Ran:
        """Run a command; it must end in time, within memory, and without a trace."""
        house = Installation(
            self.folder,
            is_demo=False,
            settings={"AIRLEDGER_ALLOW_NETWORKS": '["127.0.0.0/8"]', "AIRLEDGER_SOURCES": "[]"},
        )
        ran = run_measured(list(arguments), house.environment, LIMIT_S)
        assert ran.code >= 0, f"ended by signal {-ran.code} after {ran.seconds:.0f} s: {ran.err[-2000:]}"
        assert "Traceback" not in ran.err, ran.err[-3000:]
        assert ran.peak_mib < PEAK_MIB, f"{ran.peak_mib:.0f} MiB"
        return ran


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("terminal"))


@pytest.fixture(scope="module")
def stranger() -> Iterator[RawServer]:
    with raw_server() as server:
        yield server
