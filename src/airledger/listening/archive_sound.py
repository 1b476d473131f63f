"""A long file's sound, decoded in a sandboxed child while it is heard.

Unlike a song that is to be enrolled, a logger's file that was cut off by a power failure is not refused: it is heard as
far as it goes. And it is never in memory whole, since loggers write files of a day.
"""

import contextlib
import json
import os
import queue
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from airledger.audio.decoder_frames import FrameError, FrameKind, FrameReader, decode_json, decode_pcm
from airledger.audio.sniff import Kind, id3_length, sniff
from airledger.audio.stream_format import SOUND_RATE_HZ
from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess, SandboxLimits, python_command

HEAD_BYTES = 64 * 1024
READ_BYTES = 256 * 1024
BLOCK_S = 5.0
BLOCKS_AHEAD = 240
STUCK_S = 120.0
CPU_LIMIT_S = 3_600
MOST_S = 26 * 3_600.0
UNREADABLE, DAMAGED = "file_unreadable", "file_damaged"


@dataclass(frozen=True)
class About:
    """What a file says of itself."""

    tags: dict[str, str]
    sample_rate_hz: int


@dataclass(frozen=True)
class SoundEnd:
    """How a file ended: `cause` is None where it was whole."""

    cause: str | None = None
    text: str = ""


class FileSound:
    """Decodes one file ahead of its reader, at most 20 minutes of sound; `close` ends the child at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[NDArray[np.int16] | SoundEnd] = queue.Queue(BLOCKS_AHEAD)
        self._closed = threading.Event()
        self._known = threading.Event()
        self._about = About({}, 0)
        self.end: SoundEnd | None = None
        self._thread = threading.Thread(target=self._run, name=f"decode {path.name}", daemon=True)
        self._thread.start()

    def about(self) -> About:
        """Wait for the file's tags; empty where it cannot be decoded."""
        self._known.wait()
        return self._about

    def blocks(self) -> Iterator[NDArray[np.int16]]:
        """Give the sound, int16[n], 8 kHz mono, in blocks of about 5 s; afterwards `end` tells how it ended."""
        while self.end is None:
            one = self._queue.get()
            if isinstance(one, SoundEnd):
                self.end = one
            else:
                yield one

    def close(self) -> None:
        """Stop decoding."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            end = self._decode()
        except OSError as error:
            end = SoundEnd(UNREADABLE, f"{self._path.name} cannot be read: {error.strerror or error}")
        self._known.set()
        self._put(end)

    def _decode(self) -> SoundEnd:
        if not self._path.is_file():  # a pipe or a device may never end
            return SoundEnd(UNREADABLE, f"{self._path.name} is no file")
        with self._path.open("rb") as file:
            container = _container(file)
            if container is None:
                return SoundEnd(UNREADABLE, f"{self._path.name} is no kind of sound we know")
            try:
                with _child(file, container) as descriptor:
                    return self._follow(descriptor)
            except FrameError as error:
                return SoundEnd(DAMAGED, f"{self._path.name} broke the decoder ({error})")

    def _follow(self, descriptor: int) -> SoundEnd:
        reader, gathered = FrameReader(), _Gathered()
        heard_of_s = time.monotonic()
        while not self._closed.is_set():
            ready, _, _ = select.select([descriptor], [], [], 1.0)
            if not ready and time.monotonic() - heard_of_s < STUCK_S:
                continue
            data = os.read(descriptor, READ_BYTES) if ready else b""
            if not data:
                self._put_all(gathered.rest())
                why = "it ended early" if ready else f"it said nothing for {STUCK_S:.0f} s"
                return SoundEnd(DAMAGED, f"{self._path.name} broke the decoder: {why}")
            heard_of_s = time.monotonic()
            for frame in reader.feed(data):
                if frame.kind is FrameKind.PCM:
                    self._put_all(gathered.add(decode_pcm(frame.payload).pcm))
                elif frame.kind is FrameKind.FORMAT:
                    self._tell(decode_json(frame.payload))
                elif frame.kind in (FrameKind.ENDED, FrameKind.ERROR):
                    self._put_all(gathered.rest())
                    return self._ended(frame.kind, decode_json(frame.payload), gathered.samples)
            if gathered.samples > MOST_S * SOUND_RATE_HZ:
                return SoundEnd(DAMAGED, f"{self._path.name} is longer than {MOST_S / 3600:.0f} hours")
        return SoundEnd()

    def _ended(self, kind: FrameKind, told: dict[str, Any], samples: int) -> SoundEnd:
        if kind is FrameKind.ERROR:
            cause = DAMAGED if samples else UNREADABLE
            return SoundEnd(cause, f"{self._path.name} cannot be decoded: {told.get('text')}")
        return SoundEnd() if samples else SoundEnd(UNREADABLE, f"{self._path.name} contains no sound")

    def _tell(self, values: dict[str, Any]) -> None:
        tags = values.get("tags")
        rate_hz = values.get("sample_rate_hz")
        self._about = About(
            {str(name): str(value) for name, value in tags.items()} if isinstance(tags, dict) else {},
            rate_hz if isinstance(rate_hz, int) else 0,
        )
        self._known.set()

    def _put_all(self, blocks: list[NDArray[np.int16]]) -> None:
        for block in blocks:
            self._put(block)

    def _put(self, one: NDArray[np.int16] | SoundEnd) -> None:
        while not self._closed.is_set():
            try:
                self._queue.put(one, timeout=0.2)
            except queue.Full:
                continue
            return


class _Gathered:
    """Joins the decoder's small pieces to blocks."""

    def __init__(self) -> None:
        self.samples = 0
        self._pieces: list[NDArray[np.int16]] = []
        self._held = 0

    def add(self, pcm: NDArray[np.int16]) -> list[NDArray[np.int16]]:
        self._pieces.append(pcm)
        self._held += len(pcm)
        self.samples += len(pcm)
        return self.rest() if self._held >= BLOCK_S * SOUND_RATE_HZ else []

    def rest(self) -> list[NDArray[np.int16]]:
        joined = [np.concatenate(self._pieces)] if self._pieces else []
        self._pieces, self._held = [], 0
        return joined


@contextlib.contextmanager
def _child(file: BinaryIO, container: str) -> Iterator[int]:
    """Have a child decode a file; give the descriptor that its frames come from. Leaving ends the child."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = os.pipe()
    command = SandboxedCommand(python_command("airledger.audio.file_child"), SandboxLimits())
    with ours, open(reading, "rb", closefd=True):  # noqa: PTH123  a descriptor, not a path
        try:
            with theirs:
                child = SandboxedProcess(command, stdin=theirs.fileno())
            order = json.dumps({"container": container, "cpu_s": CPU_LIMIT_S}).encode()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died: the pipe's end tells
                socket.send_fds(ours, [order], [file.fileno(), writing])
        finally:
            os.close(writing)
        with child:
            try:
                yield reading
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)  # its fork too


def _container(file: BinaryIO) -> str | None:
    """Tell the container by the first bytes (behind an ID3 tag, which may hold a cover of megabytes)."""
    head = file.read(HEAD_BYTES)
    length = id3_length(head)
    if length >= HEAD_BYTES // 2:
        file.seek(length)
        head = file.read(HEAD_BYTES) or head
    file.seek(0)
    verdict = sniff(head, whole=True) if head else None
    return verdict.name if verdict is not None and verdict.kind is Kind.MEDIA else None
