"""Decoding a file that a stranger gave us, in a sandboxed child: sound, tags, or a clear reason why not."""

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from airledger.audio.decoder_frames import Frame, FrameError, FrameKind, FrameReader, decode_json, decode_pcm
from airledger.audio.file_claims import mp3_lie, wav_lie
from airledger.audio.sniff import Kind, id3_length, sniff
from airledger.audio.stream_format import SOUND_RATE_HZ, StreamFormat
from airledger.platform.errors import InputError
from airledger.platform.sandbox import KILL_WAIT_S, SandboxedCommand, SandboxedProcess, SandboxLimits, python_command

HEAD_BYTES = 64 * 1024
PIPE_READ_BYTES = 256 * 1024
FULL_SCALE = 32768.0
BAD_PACKETS_SHARE = 0.2
# Containers that state their length exactly; the others only let it be guessed from the bitrate.
EXACT_DURATIONS = frozenset({"mov", "flac", "wav", "aiff"})
CUT_SHARE = 0.95
CUT_SLACK_S = 0.5

# How containers spell what we ask for: ID3v2 frames, MP4 atoms, Vorbis comments.
TAG_NAMES = {
    "tsrc": "isrc",
    "tpub": "label",
    "publisher": "label",
    "organization": "label",
    "tit2": "title",
    "tpe1": "artist",
    "tpe2": "album_artist",
    "albumartist": "album_artist",
    "talb": "album",
    "tcom": "composer",
    "tdrc": "date",
    "year": "date",
    "tracknumber": "track",
    "tiswc": "iswc",
}


class MediaError(InputError):
    """A file is no media that we can use; the message names it and says why."""

    code = "media_unreadable"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How large a file may be, how long its sound, and how long decoding may take."""

    max_bytes: int = 2 << 30
    max_duration_s: float = 3 * 3600.0
    timeout_s: float = 300.0
    address_space_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class DecodedFile:
    """A file's sound and what it says of itself.

    Attributes:
        pcm: float32[n] mono at 8 kHz, full scale ±1.
        duration_s: length of `pcm`.
        tags: names in lower case, brought to common spelling (`title`, `artist`, `album`, `album_artist`, `isrc`,
            `label`, `composer`, `date`, `track`, `genre`; others as they are).
        format: container and codec of the file.
    """

    pcm: NDArray[np.float32]
    duration_s: float
    tags: dict[str, str]
    format: StreamFormat


class FileDecoder:
    """Decodes one file after another in a child that stays, which saves starting Python for each.

    For one thread at a time, and to be used in the thread that made it or ones that it outlives: the child dies with
    the thread that started it. A child that broke, or was too slow, is replaced.
    """

    def __init__(self) -> None:
        self._child: SandboxedProcess | None = None
        self._control: socket.socket | None = None
        self._address_space_bytes = 0

    def decode(self, path: Path, limits: FileLimits | None = None) -> DecodedFile:
        """Decode a file to 8 kHz mono.

        Args:
            path: any audio file, or a video file with sound.
            limits: of size and time.

        Raises:
            MediaError: it is missing, empty, no media, cut, damaged, too large or too long.
        """
        limits = limits or FileLimits()
        try:
            if path.exists() and not path.is_file():  # a pipe or a device may never end, or never begin
                raise MediaError(f"{path.name} is not a file.")
            with path.open("rb") as file:
                container = _checked_container(path, file, limits)
                return self._decode(path, file, container, limits)
        except OSError as error:
            raise MediaError(f"{path.name} cannot be read: {error.strerror or error}.") from error

    @property
    def child_pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return None if self._child is None else self._child.pid

    def close(self) -> None:
        """End the child. The decoder may be used again, with a new one."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)  # its fork too
            self._child.kill()
        if self._control is not None:
            self._control.close()
        self._child = self._control = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _decode(self, path: Path, file: BinaryIO, container: str, limits: FileLimits) -> DecodedFile:
        child, control = self._started(limits)
        result = _Result(path, limits)
        is_well = False
        reading, writing = os.pipe()
        try:
            order = json.dumps({"container": container, "cpu_s": int(limits.timeout_s) + 1}).encode()
            try:
                socket.send_fds(control, [order], [file.fileno(), writing])
            except (BrokenPipeError, ConnectionResetError):
                child.process.wait(KILL_WAIT_S)
            finally:
                os.close(writing)
            for frame in _frames(path, reading, limits.timeout_s):
                result.take(frame)
                if result.complete:
                    break
            ended_by = _ended_by(child, control)
            is_well = ended_by is None
            if not result.complete:
                raise MediaError(f"{path.name} broke the decoder ({ended_by or 'it said nothing'}).")
            return result.decoded()
        finally:
            os.close(reading)
            if not is_well:
                self.close()

    def _started(self, limits: FileLimits) -> tuple[SandboxedProcess, socket.socket]:
        if self._child is not None and self._address_space_bytes != limits.address_space_bytes:
            self.close()
        if self._child is None or self._control is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            command = SandboxedCommand(
                python_command("airledger.audio.file_child"),
                SandboxLimits(address_space_bytes=limits.address_space_bytes),
            )
            with theirs:
                self._child = SandboxedProcess(command, stdin=theirs.fileno())
            self._control, self._address_space_bytes = ours, limits.address_space_bytes
        return self._child, self._control


def decode_file(path: Path, *, limits: FileLimits | None = None) -> DecodedFile:
    """Decode one file to 8 kHz mono; for many, keep a `FileDecoder`.

    Args:
        path: any audio file, or a video file with sound.
        limits: of size and time.

    Raises:
        MediaError: it is missing, empty, no media, cut, damaged, too large or too long.
    """
    with FileDecoder() as decoder:
        return decoder.decode(path, limits)


def _checked_container(path: Path, file: BinaryIO, limits: FileLimits) -> str:
    """Tell the container from the first bytes; refuse what shows at once that it is not usable."""
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise MediaError(f"{path.name} is empty.")
    if size > limits.max_bytes:
        raise MediaError(f"{path.name} has {size} bytes; at most {limits.max_bytes} are accepted.")
    head = file.read(HEAD_BYTES)
    verdict = sniff(_after_tag(file, head), whole=True)
    file.seek(0)
    if verdict is None or verdict.kind is not Kind.MEDIA:
        what = "text, not sound" if verdict is not None and verdict.kind is Kind.TEXT else "no kind of sound we know"
        raise MediaError(f"{path.name} is {what}.")
    lie = {"wav": wav_lie, "mp3": mp3_lie}.get(verdict.name)
    reason = lie(head, size) if lie is not None else None
    if reason:
        raise MediaError(f"{path.name} is damaged: {reason}.")
    return verdict.name


def _after_tag(file: BinaryIO, head: bytes) -> bytes:
    """Give the bytes behind an ID3 tag, which may hold a cover of megabytes."""
    length = id3_length(head)
    if length < HEAD_BYTES // 2:
        return head
    file.seek(length)
    return file.read(HEAD_BYTES) or head


def _ended_by(child: SandboxedProcess, control: socket.socket) -> str | None:
    """Wait for the end of the fork, which has closed its pipe or said its last; None when it ended well."""
    control.settimeout(KILL_WAIT_S)
    try:
        said = control.recv(64)
    except TimeoutError:
        return "it does not end"
    except ConnectionResetError:
        said = b""
    if not said:
        child.process.wait(KILL_WAIT_S)
        return child.ended_by()
    code = os.waitstatus_to_exitcode(int(said))
    if code == 0:
        return None
    return f"signal {-code}" if code < 0 else f"exit {code}"


def _frames(path: Path, descriptor: int, timeout_s: float) -> Iterator[Frame]:
    """Read what the child says until it has said all, or the time is up."""
    reader = FrameReader()
    deadline = time.monotonic() + timeout_s
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            raise MediaError(f"{path.name} was not decoded within {timeout_s:g} s.")
        data = os.read(descriptor, PIPE_READ_BYTES)
        if not data:
            return
        try:
            yield from reader.feed(data)
        except FrameError as error:
            raise MediaError(f"{path.name} broke the decoder ({error}).") from error


class _Result:
    """Collects what the child says of one file."""

    def __init__(self, path: Path, limits: FileLimits) -> None:
        self.complete = False
        self._path = path
        self._limits = limits
        self._pieces: list[NDArray[np.int16]] = []
        self._samples = 0
        self._format: StreamFormat | None = None
        self._tags: dict[str, str] = {}
        self._claimed_s: float | None = None

    def take(self, frame: Frame) -> None:
        """Take one frame.

        Raises:
            MediaError: the file is unusable.
        """
        try:
            self._take(frame)
        except (FrameError, TypeError, AttributeError) as error:
            raise MediaError(f"{self._path.name} broke the decoder ({error}).") from error

    def decoded(self) -> DecodedFile:
        """Give the whole, judged.

        Raises:
            MediaError: there is no sound, or less than the file claims.
        """
        if not self._samples or self._format is None:
            raise MediaError(f"{self._path.name} contains no sound.")
        duration_s = self._samples / SOUND_RATE_HZ
        exact = self._claimed_s is not None and self._format.container in EXACT_DURATIONS
        if exact and self._claimed_s is not None and duration_s < self._claimed_s * CUT_SHARE - CUT_SLACK_S:
            claim = f"it claims {self._claimed_s:.1f} s of sound and holds {duration_s:.1f} s"
            raise MediaError(f"{self._path.name} is cut: {claim}.")
        pcm = np.concatenate(self._pieces).astype(np.float32) / np.float32(FULL_SCALE)
        return DecodedFile(pcm, duration_s, self._tags, self._format)

    def _take(self, frame: Frame) -> None:
        if frame.kind is FrameKind.PCM:
            self._take_sound(decode_pcm(frame.payload).pcm)
        elif frame.kind is FrameKind.FORMAT:
            values = decode_json(frame.payload)
            self._claimed_s = values.pop("duration_s")
            self._tags = common_tags(values.pop("tags"))
            self._format = StreamFormat.from_json(values)
        elif frame.kind is FrameKind.ERROR:
            text = str(decode_json(frame.payload).get("text"))
            raise MediaError(f"{self._path.name} cannot be decoded: {text}")
        elif frame.kind is FrameKind.ENDED:
            self._judge_damage(decode_json(frame.payload))
            self.complete = True

    def _take_sound(self, pcm: NDArray[np.int16]) -> None:
        self._pieces.append(pcm)
        self._samples += len(pcm)
        if self._samples > self._limits.max_duration_s * SOUND_RATE_HZ:
            raise MediaError(f"{self._path.name} is longer than {self._limits.max_duration_s:g} s.")

    def _judge_damage(self, counts: dict[str, int]) -> None:
        bad, packets = counts["bad"], counts["packets"]
        if bad > 1 + packets * BAD_PACKETS_SHARE:
            raise MediaError(f"{self._path.name} is damaged: {bad} of {packets} packets cannot be decoded.")


def common_tags(tags: dict[str, str]) -> dict[str, str]:
    """Bring tag names to the common spelling; the first of two that mean the same wins."""
    common: dict[str, str] = {}
    for name, value in tags.items():
        plain = name.lower().rpartition(":")[2].strip()
        if value.strip():
            common.setdefault(TAG_NAMES.get(plain, plain), value.strip())
    return common
