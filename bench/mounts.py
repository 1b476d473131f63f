"""A row of stations as Icecast would serve them: MP3 at 128 kbit/s, a burst, blocks of 1,400 bytes, titles.

    python bench/mounts.py PROGRAMME.json PORT

`PROGRAMME.json` is written by `programme.py`. Position in the programme is a function of the wall clock alone, so what
was on air at any moment is known without asking.
"""

import asyncio
import json
import mmap
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BYTES_PER_S = 16_000
BURST_BYTES = 65_536  # Icecast's default
BLOCK_BYTES = 1_400  # what Icecast's MP3 queue holds at most in one block
METAINT_BYTES = 16_000
HEAD = (
    "HTTP/1.0 200 OK\r\nServer: Icecast 2.4.4\r\nContent-Type: audio/mpeg\r\nicy-br:128\r\n"
    "icy-name:Station {number}\r\nicy-pub:1\r\nCache-Control: no-cache\r\n{metaint}\r\n"
)


@dataclass(frozen=True)
class Station:
    """One endless programme: pieces of (bytes, title), round and round."""

    pieces: tuple[tuple[mmap.mmap, str], ...]
    starts: tuple[int, ...]
    length: int

    def bytes_at(self, position: int, count: int) -> bytes:
        """Give bytes from a position on."""
        got = b""
        while len(got) < count:
            place = (position + len(got)) % self.length
            number = self._number(place)
            at = place - self.starts[number]
            got += self.pieces[number][0][at : at + count - len(got)]
        return got

    def title_at(self, position: int) -> str:
        """Say what is on."""
        return self.pieces[self._number(position % self.length)][1]

    def _number(self, place: int) -> int:
        number = 0
        while number + 1 < len(self.starts) and self.starts[number + 1] <= place:
            number += 1
        return number


class Listener:
    """One connection: where it is in the programme and in its metadata interval."""

    def __init__(self, station: Station, writer: asyncio.StreamWriter, position: int, *, titles: bool) -> None:
        self.station, self.writer, self.position, self.titles = station, writer, position, titles
        self._until_title = METAINT_BYTES
        self._last_title = ""

    def send_up_to(self, edge: int) -> None:
        """Send whole blocks up to the live edge."""
        while edge - self.position >= BLOCK_BYTES:
            block = self.station.bytes_at(self.position, BLOCK_BYTES)
            self.position += BLOCK_BYTES
            self.writer.write(self._with_titles(block) if self.titles else block)

    def _with_titles(self, block: bytes) -> bytes:
        made = b""
        while len(block) >= self._until_title:
            made += block[: self._until_title] + self._title()
            block = block[self._until_title :]
            self._until_title = METAINT_BYTES
        self._until_title -= len(block)
        return made + block

    def _title(self) -> bytes:
        title = self.station.title_at(self.position)
        if title == self._last_title:
            return b"\0"
        self._last_title = title
        text = f"StreamTitle='{title}';".encode()
        units = -(-len(text) // 16)
        return bytes([units]) + text.ljust(units * 16, b"\0")


class Mounts:
    """All stations and who listens to them."""

    def __init__(self, programme: dict[str, object]) -> None:
        self.epoch_s = float(str(programme["epoch_s"]))
        files = {name: _mapped(name) for name in _listed(programme, "files")}
        self.stations = [
            _station([(files[piece["file"]], piece["title"]) for piece in pieces])
            for pieces in _listed(programme, "stations")
        ]
        self.listeners: set[Listener] = set()

    def edge(self, number: int) -> int:
        """Where a station is now; each began at another place of its programme."""
        return int((time.time() - self.epoch_s) * BYTES_PER_S) + number * 997 * BLOCK_BYTES

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one listener until it leaves."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        number = int(head.split(" ")[1].strip("/"))
        titles = "icy-metadata: 1" in head.lower()
        metaint = f"icy-metaint:{METAINT_BYTES}\r\n" if titles else ""
        writer.write(HEAD.format(number=number, metaint=metaint).encode())
        start = (self.edge(number) - BURST_BYTES) // BLOCK_BYTES * BLOCK_BYTES
        one = Listener(self.stations[number], writer, start, titles=titles)
        self.listeners.add(one)
        try:
            with suppress(ConnectionError):
                await reader.read(1)
        finally:
            self.listeners.discard(one)
            writer.close()

    async def run(self, port: int) -> None:
        """Send for ever."""
        await asyncio.start_server(self.serve, "127.0.0.1", port, backlog=1024)
        print(json.dumps({"serving": port}), flush=True)
        numbers = {id(station): number for number, station in enumerate(self.stations)}
        due_s = time.monotonic()
        while True:
            for one in list(self.listeners):
                if not one.writer.is_closing():
                    one.send_up_to(self.edge(numbers[id(one.station)]))
            due_s = max(due_s + BLOCK_BYTES / BYTES_PER_S, time.monotonic())
            await asyncio.sleep(due_s - time.monotonic())


def _listed(programme: dict[str, object], key: str) -> list:  # type: ignore[type-arg]
    found = programme[key]
    if not isinstance(found, list):
        raise TypeError(f"{key} is not a list")
    return found


def _mapped(name: str) -> mmap.mmap:
    with Path(name).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _station(pieces: list[tuple[mmap.mmap, str]]) -> Station:
    starts, total = [], 0
    for content, _ in pieces:
        starts.append(total)
        total += len(content)
    return Station(tuple(pieces), tuple(starts), total)


if __name__ == "__main__":
    asyncio.run(Mounts(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).run(int(sys.argv[2])))
