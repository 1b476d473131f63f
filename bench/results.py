"""Writing RESULTS.md: one row per figure, replaced when it is measured again."""

import platform
from datetime import UTC, datetime
from pathlib import Path

import psutil

RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# Results

Each row was written by the script that measured it (`make bench`). Machines are noisy: read the ratios.

| what | figure | against the limit or peer | machine | date |
|---|---|---|---|---|
"""


def write_row(what: str, figure: str, ratio: str) -> None:
    """Write or replace the row of `what`."""
    row = f"| {what} | {figure} | {ratio} | {_machine()} | {datetime.now(UTC):%Y-%m-%d} |"
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEAD
    lines = [line for line in old.splitlines() if not line.startswith(f"| {what} |")]
    RESULTS.write_text("\n".join([*lines, row]) + "\n", encoding="utf-8")
    print(row)


def _machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} × {model}, {memory_gib:.0f} GiB, Python {platform.python_version()}"
