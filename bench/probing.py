"""What probing costs: first looks against a bare pycurl loop, proofs to level 2, and writing down what was found.

    python -m bench.probing [--probes N] [--rounds N]

The servers run in processes of their own; what counts is the processor time of the prober and its children. The bare
loop has the same callbacks (headers, body, socket) on the same kind of event loop, but no guard, no manners and no
verdict. Both are measured in turns, in fresh processes, and the medians compared.
"""

import argparse
import json
import os
import resource
import select
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
from typing import Any

AT_ONCE = 2_000
WANTED_BYTES = 16 * 1024
LOOK_BYTES = 64 * 1024
LOOKS_AT_ONCE = 256
SERVERS = 2
OPEN_FILES = 16_384


def bare(ports: list[int], probes: int) -> dict[str, float]:
    """Ask with as little of our own as can be."""
    import pycurl

    multi, epoll, watched = pycurl.CurlMulti(), select.epoll(), set()
    timer: list[float | None] = [None]

    def watch(event: int, descriptor: int, _multi: Any, _data: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            watched.discard(descriptor)
            try:
                epoll.unregister(descriptor)
            except OSError:
                return
            return
        mask = (select.EPOLLIN if event & pycurl.POLL_IN else 0) | (select.EPOLLOUT if event & pycurl.POLL_OUT else 0)
        if descriptor in watched:
            epoll.modify(descriptor, mask)
        else:
            watched.add(descriptor)
            epoll.register(descriptor, mask)

    def set_timer(timeout_ms: int) -> None:
        timer[0] = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000

    multi.setopt(pycurl.M_SOCKETFUNCTION, watch)
    multi.setopt(pycurl.M_TIMERFUNCTION, set_timer)

    class Slot:
        def __init__(self) -> None:
            self.curl = curl = pycurl.Curl()
            curl.setopt(pycurl.NOSIGNAL, 1)
            curl.setopt(pycurl.HTTP200ALIASES, ["ICY "])
            curl.setopt(pycurl.HTTPHEADER, ["Icy-MetaData: 1"])
            curl.setopt(pycurl.FORBID_REUSE, 1)
            curl.setopt(pycurl.TIMEOUT_MS, 15_000)
            curl.setopt(pycurl.HEADERFUNCTION, self.header)
            curl.setopt(pycurl.WRITEFUNCTION, self.body)
            curl.setopt(pycurl.OPENSOCKETFUNCTION, self.open)

        def begin(self, url: str) -> None:
            self.headers = self.received = 0
            self.curl.setopt(pycurl.URL, url)

        def header(self, raw: bytes) -> None:
            self.headers += len(raw)

        def body(self, data: bytes) -> int | None:
            self.received += len(data)
            return -1 if self.received >= WANTED_BYTES else None

        def open(self, _purpose: int, address: Any) -> socket.socket:
            return socket.socket(*address[:3])

    urls = _urls(ports, probes)
    free = [Slot() for _ in range(AT_ONCE)]
    running: dict[Any, Slot] = {}
    began, done, enough = time.process_time(), 0, 0
    wall = time.monotonic()
    while done < probes:
        while free and (url := next(urls, None)) is not None:
            slot = free.pop()
            slot.begin(url)
            running[slot.curl] = slot
            multi.add_handle(slot.curl)
        wait_s = 0.25 if timer[0] is None else min(max(timer[0] - time.monotonic(), 0.0), 0.25)
        for descriptor, mask in epoll.poll(wait_s, 1_024):
            act = pycurl.CSELECT_IN if mask & select.EPOLLIN else 0
            multi.socket_action(descriptor, act | (pycurl.CSELECT_OUT if mask & select.EPOLLOUT else 0))
        if timer[0] is not None and time.monotonic() >= timer[0]:
            timer[0] = None
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        waiting = 1
        while waiting:
            waiting, well, badly = multi.info_read()
            for curl in [*well, *(each[0] for each in badly)]:
                multi.remove_handle(curl)
                slot = running.pop(curl)
                enough += slot.received >= WANTED_BYTES
                free.append(slot)
                done += 1
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
                assert server.stdout is not None
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


def main() -> None:
    """Measure, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
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
    for mode in ("bare", "ours"):
        print(
            mode,
            [(round(one[mode]["cpu_ms"], 4), one[mode]["right"], round(one[mode]["peak_mib"], 1)) for one in rounds],
        )


if __name__ == "__main__":
    main()
