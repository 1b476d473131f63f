"""What probing costs: first looks against a bare pycurl loop, proofs to level 2, and writing down what was found.

    python -m bench.probing [--probes N] [--rounds N]

The servers run in processes of their own; what counts is the processor time of the prober and its children. The bare
loop has the same callbacks (headers, body, socket) on the same kind of event loop, but no guard, no manners and no
verdict. Both are measured in turns, in fresh processes, and the medians compared.
"""

import argparse
import json
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

AT_ONCE = 2_000
WANTED_BYTES = 16 * 1024
LOOK_BYTES = 64 * 1024
LOOKS_AT_ONCE = 256
SERVERS = 2
WRITTEN_AT_ONCE = 32
OPEN_FILES = 16_384


def bare(ports: list[int], probes: int) -> dict[str, float]:
    """Ask with as little of our own as can be."""
    from bench.bare_pycurl import BareLoop

    loop = BareLoop(AT_ONCE, WANTED_BYTES)
    began, wall = time.process_time(), time.monotonic()
    enough = loop.run(_urls(ports, probes))
    return _measured(time.process_time() - began, time.monotonic() - wall, probes, enough)


def ours(ports: list[int], probes: int) -> dict[str, float]:
    """Ask as Airledger does."""
    from airledger.platform.guard import AddressGuard
    from airledger.stations.probing.knock import Knocker
    from airledger.stations.proof_job import ProofJob

    knocker = Knocker(AddressGuard([ip_network("127.0.0.0/8")]), "Airledger bench", at_once=AT_ONCE)
    jobs = [ProofJob(number, url, 0) for number, url in enumerate(_urls(ports, probes))]
    began, wall = time.process_time(), time.monotonic()
    media = sum(knock.is_media and knock.what.name == "mp3" for knock in knocker.knock(jobs))
    return _measured(time.process_time() - began, time.monotonic() - wall, probes, media)


def look(ports: list[int], probes: int) -> dict[str, float]:
    """Prove to level 2: 64 KiB of each stream, decoded in a child."""
    import psutil

    from airledger.platform.guard import AddressGuard
    from airledger.stations.levels import DECODES
    from airledger.stations.probing.first_frames import FramesDecoder
    from airledger.stations.probing.knock import Knocker
    from airledger.stations.proof_job import ProofJob

    knocker = Knocker(AddressGuard([ip_network("127.0.0.0/8")]), "Airledger bench", at_once=LOOKS_AT_ONCE)
    decoder = FramesDecoder()
    jobs = [ProofJob(number, url, 0) for number, url in enumerate(_urls(ports, probes))]
    began, wall = time.process_time(), time.monotonic()
    found = [frames for _, frames in decoder.decode_all(knocker.knock(jobs, wanted_bytes=LOOK_BYTES))]
    children = [psutil.Process(pid).cpu_times() for pid in decoder.child_pids()]
    cpu_s = time.process_time() - began + sum(times.user + times.system for times in children)
    decoded = sum(each is not None and each.level == DECODES for each in found)
    measured = _measured(cpu_s, time.monotonic() - wall, probes, decoded)
    decoder.close()
    return measured


MODES = {"bare": bare, "ours": ours, "look": look}


def _measured(cpu_s: float, wall_s: float, probes: int, right: int) -> dict[str, float]:
    status = Path("/proc/self/status").read_text(encoding="ascii")  # ru_maxrss would begin with our parent's
    peak_kib = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    return {
        "cpu_ms": cpu_s * 1000 / probes,
        "wall_s": wall_s,
        "right": right,
        "probes": probes,
        "peak_mib": peak_kib / 1024,
    }


def _urls(ports: list[int], probes: int) -> Iterator[str]:
    return (f"http://127.0.0.1:{ports[number % len(ports)]}/stream/{number}" for number in range(probes))


@contextmanager
def servers() -> Iterator[list[int]]:
    """Run servers that greet with 64 KiB of MP3 and keep the connection."""
    from bench.mp3 import burst

    with TemporaryDirectory() as folder:
        file = Path(folder) / "burst.mp3"
        file.write_bytes(burst(LOOK_BYTES))
        ports = [_free_port() for _ in range(SERVERS)]
        script = Path(__file__).with_name("burst_server.py")
        running = [
            subprocess.Popen([sys.executable, str(script), str(file), str(port)], stdout=subprocess.PIPE)
            for port in ports
        ]
        try:
            for server in running:
                if server.stdout is not None:
                    server.stdout.readline()
            yield ports
        finally:
            for server in running:
                server.kill()
                server.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _in_child(mode: str, ports: list[int], probes: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.probing", "--child", mode, "--probes", str(probes)]
    done = subprocess.run([*command, "--ports", ",".join(map(str, ports))], check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def store(streams: int) -> dict[str, float]:
    """Write proofs down, 32 in a unit, and tell how long the longest unit held the database."""
    from datetime import UTC, datetime

    from airledger.app import Airledger
    from airledger.platform.settings import Settings
    from airledger.stations.models import PLAYING, Stream
    from airledger.stations.proof import Proof
    from airledger.stations.record import record_proofs
    from airledger.stations.score import Evidence, lower_bound
    from airledger.stations.standing import Pace
    from airledger.stations.urls import parse_address

    light = Proof(level=1, is_healthy=True, http_status=200, response_time_ms=30, is_deep=False)
    now, longest_s = datetime.now(UTC), 0.0
    lower_bound(Evidence())  # loads what a worker loads once
    with TemporaryDirectory() as folder, Airledger.open(Settings(data=Path(folder))) as app:
        with app.unit() as unit:
            for number in range(streams):
                address = parse_address(f"http://h{number % 997}.example/{number}")
                row = Stream(url=address.url, url_key=address.key, host=address.host, name="A", state=PLAYING)
                row.tags, row.warnings, row.search_text, row.created_at, row.updated_at = [], [], "a", now, now
                unit.session.add(row)
        began = time.process_time()
        for start in range(1, streams + 1, WRITTEN_AT_ONCE):
            at = time.process_time()
            some = range(start, min(start + WRITTEN_AT_ONCE, streams + 1))
            with app.unit() as unit:
                record_proofs(unit, [(one, light) for one in some], now=now, pace=Pace())
            if start > 1:  # the first one compiles the statements
                longest_s = max(longest_s, time.process_time() - at)
        cpu_s = time.process_time() - began
    return {"per_s": streams / cpu_s, "longest_ms": longest_s * 1000}


def main() -> None:
    """Measure, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=20_000)
    parser.add_argument("--looks", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", choices=MODES)
    parser.add_argument("--ports", default="")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    if given.child:
        print(json.dumps(MODES[given.child]([int(port) for port in given.ports.split(",")], given.probes)))
        return
    with servers() as ports:
        rounds = [
            {mode: _in_child(mode, ports, given.probes) for mode in ("bare", "ours")} for _ in range(given.rounds)
        ]
        look_s = _in_child("look", ports, given.looks)
    _write(rounds, look_s, store(given.looks))


def _write(rounds: list[dict[str, dict[str, float]]], looked: dict[str, float], stored: dict[str, float]) -> None:
    from bench.results import write_row

    bare_ms, ours_ms = (statistics.median(one[mode]["cpu_ms"] for one in rounds) for mode in ("bare", "ours"))
    ratio = statistics.median(one["bare"]["cpu_ms"] / one["ours"]["cpu_ms"] for one in rounds)
    peak_mib = max(one["ours"]["peak_mib"] for one in rounds)
    right = all(one["ours"]["right"] == one["ours"]["probes"] for one in rounds)
    write_row(
        "Probing on loopback, headers and 16 KiB, 2,000 at once",
        f"{ours_ms:.3f} ms of CPU, {1000 / ours_ms:,.0f}/s on a core, {peak_mib:.0f} MiB"
        f"{'' if right else ', NOT ALL RIGHT'}",
        f"{ratio:.0%} of a bare pycurl loop ({bare_ms:.3f} ms); ≥ 80%, ≤ 100 MB",
    )
    write_row(
        "Proof L0-L2 of 64 KiB of MP3",
        f"{looked['cpu_ms']:.2f} ms of CPU with its child, {1000 / looked['cpu_ms']:.0f}/s on a core; "
        f"{looked['right']:.0f} of {looked['probes']:.0f} decoded",
        "≥ 120/s",
    )
    write_row(
        "Writing light proofs down, 32 in a unit (SQLite)",
        f"{stored['per_s']:,.0f}/s on a core; the longest unit after the first took "
        f"{stored['longest_ms']:.0f} ms of CPU",
        "units hold the lock < 100 ms",
    )


if __name__ == "__main__":
    main()
