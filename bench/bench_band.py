"""What hearing a station costs: CPU of the listener and its decoder children on the demo band, in real time.

The limit is decoding alone: the children's share. `python bench/bench_band.py [SECONDS]` writes a row of RESULTS.md.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
from results import write_row

READY_LIMIT_S = 300
WARM_S = 30
WANTED = 12


def tree(process: psutil.Process, role: str) -> list[psutil.Process]:
    """Return the processes of a role with their children."""
    heads = [one for one in process.children(recursive=True) if role in one.cmdline()[1:]]
    return [member for head in heads for member in (head, *head.children(recursive=True))]


def cpu_s(processes: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def ask(port: int, path: str) -> dict[str, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        found: dict[str, int] = json.load(answer)
        return found


def wait_until_heard(port: int) -> int:
    deadline = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < deadline:
        try:
            stats = ask(port, "/api/v1/stats")
        except OSError:
            stats = {"sessions_live": 0, "plays_total": 0}
        if stats["sessions_live"] >= WANTED and stats["plays_total"] > 0:
            return stats["sessions_live"]
        time.sleep(1)
    raise SystemExit("the demo band was not heard within five minutes")


def measure(up: psutil.Process, port: int, seconds: float) -> None:
    wait_until_heard(port)
    time.sleep(WARM_S)
    listener = tree(up, "listener")
    children = listener[1:]
    others = {role: tree(up, role) for role in ("worker", "scheduler", "api", "airledger.testing.transmitter")}
    began = time.monotonic(), cpu_s(listener), cpu_s(children), {role: cpu_s(found) for role, found in others.items()}
    time.sleep(seconds)
    wall_s = time.monotonic() - began[0]
    all_s, decoding_s = cpu_s(listener) - began[1], cpu_s(children) - began[2]
    stations = ask(port, "/api/v1/stats")["sessions_live"]
    per_station = all_s / wall_s / stations
    for role, found in others.items():
        print(f"{role}: {(cpu_s(found) - began[3][role]) / wall_s:.1%} of a core")
    memory_mb = sum(one.memory_info().rss for one in listener) / 1e6
    write_row(
        "hearing the demo band (mixed codecs, library of 24 songs)",
        f"{per_station:.2%} of a core per station, {1 / per_station:.0f} stations per core; {stations} stations, "
        f"{wall_s:.0f} s, {memory_mb:.0f} MB",
        f"{all_s / decoding_s:.2f} × decoding alone",
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    with tempfile.TemporaryDirectory() as folder:
        port = 8799
        command = [sys.executable, "-m", "airledger", "up", "--demo", "--data", folder, "--port", str(port)]
        with Path(folder, "up.log").open("wb") as log:
            up = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "AIRLEDGER_LOG_LEVEL": "WARNING"})
        try:
            measure(psutil.Process(up.pid), port, seconds)
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)


if __name__ == "__main__":
    main()
