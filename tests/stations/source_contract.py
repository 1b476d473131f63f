"""What every kind of directory must do, whatever it is given. Each adapter's test class inherits it."""

import io
import tracemalloc
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airledger.platform.errors import InputError
from airledger.stations.sources import SOURCE_FILES, sniff
from airledger.stations.sources.base import BoundedBody, Entry, Refused, SourceFile
from airledger.stations.urls import UrlRefusedError, parse_address

MEMORY_LIMIT_BYTES = 2 * 1024 * 1024
READ_LIMIT_BYTES = 256 * 1024


class Endless(io.RawIOBase):
    """A body that repeats itself until a number of bytes has been read."""

    def __init__(self, start: bytes, piece: bytes, total_bytes: int) -> None:
        self._start = start
        self._piece = piece * (1 + 65_536 // len(piece))
        self._left = total_bytes
        self._held = start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while len(self._held) < len(buffer) and self._left > 0:
            self._held += self._piece
            self._left -= len(self._piece)
        taken = self._held[: len(buffer)]
        self._held = self._held[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


class SourceContract:
    """Inherit, set `kind` and `good`, and give `listing` and the pieces of an endless file."""

    kind: ClassVar[str]
    good: ClassVar[bytes]
    """A proper file with at least two entries."""
    has_names: ClassVar[bool] = True
    is_sniffed: ClassVar[bool] = True
    endless: ClassVar[tuple[bytes, bytes]]
    """How a file begins, and a piece that may be repeated for ever."""

    def listing(self, url: str) -> bytes:
        """Give a file whose first entry has this address."""
        raise NotImplementedError

    @property
    def adapter(self) -> SourceFile:
        return SOURCE_FILES[self.kind]

    def read(self, body: bytes) -> list[Entry | Refused]:
        return list(self.adapter.entries(io.BytesIO(body)))

    def taken(self, body: bytes) -> list[Entry]:
        return [entry for entry in self.read(body) if isinstance(entry, Entry)]

    def test_a_good_file_is_read_and_recognised(self) -> None:
        entries = self.taken(self.good)
        assert len(entries) >= 2
        assert all(parse_address(entry.url) for entry in entries)
        assert all(entry.name for entry in entries) == self.has_names
        assert all(entry.where for entry in entries)
        if self.is_sniffed:
            assert sniff(self.good[:4096]).name == self.kind

    def test_text_is_fit_to_show(self) -> None:
        for entry in self.taken(self.good):
            for value in (entry.name, entry.genre, entry.city, entry.language, *entry.tags):
                assert value is None or (value == value.strip() and value.isprintable())
            assert entry.country_code is None or (len(entry.country_code) == 2 and entry.country_code.isupper())

    def test_a_url_of_100_kb_is_refused_alone(self) -> None:
        assert self._refusal(self.read(self.listing("http://example.com/" + "a" * 100_000))) in {
            "url_too_long",
            "line_too_long",
            "entry_too_large",
        }

    def test_a_nul_in_a_url_is_refused(self) -> None:
        try:
            entries = self.read(self.listing("http://example.com/\x00a"))
        except InputError:
            return  # XML knows no NUL at all
        assert self._refusal(entries) in {"control_characters", "not_an_address"}

    # One method for all adapters is the point; each class runs examples of its own.
    @settings(suppress_health_check=[HealthCheck.differing_executors])
    @given(junk=st.binary(max_size=400))
    def test_junk_is_refused_in_a_sentence(self, junk: bytes) -> None:
        self._survives(junk)
        self._survives(self.good[: len(self.good) // 2] + junk)

    def test_every_truncation_is_survived(self) -> None:
        for end in range(0, len(self.good), 7):
            self._survives(self.good[:end])

    def test_an_endless_file_ends_in_bounded_memory(self) -> None:
        start, piece = self.endless
        body = cast(
            "BinaryIO",
            BoundedBody(cast("BinaryIO", io.BufferedReader(Endless(start, piece, 1 << 40))), READ_LIMIT_BYTES),
        )
        tracemalloc.start()
        try:
            with pytest.raises(InputError):
                for _ in self.adapter.entries(body):
                    pass
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak_bytes < MEMORY_LIMIT_BYTES

    def _survives(self, body: bytes) -> None:
        try:
            entries = self.read(body)
        except InputError:
            return
        assert all(isinstance(entry, Entry | Refused) for entry in entries)

    def _refusal(self, entries: list[Entry | Refused]) -> str:
        first = entries[0]
        if isinstance(first, Refused):
            return first.reason
        with pytest.raises(UrlRefusedError) as caught:
            parse_address(first.url)
        return caught.value.reason


def adapters_without(classes: Iterator[type[SourceContract]]) -> set[str]:
    """Name the adapters that no test class takes to task."""
    return set(SOURCE_FILES) - {tested.kind for tested in classes}
