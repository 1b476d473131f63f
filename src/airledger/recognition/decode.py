"""Decoding a file that a stranger gave us, in a sandboxed child: sound, tags, or a clear reason why not."""

import os
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from airledger.audio.decoder_frames import Frame, FrameError, FrameKind, FrameReader, decode_json, decode_pcm
from airledger.audio.file_claims import mp3_lie, wav_lie
from airledger.audio.sniff import Kind, id3_length, sniff
from airledger.audio.stream_format import SOUND_RATE_HZ, StreamFormat
from airledger.platform.errors import InputError
from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess, SandboxLimits, python_command

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


def decode_file(path: Path, *, limits: FileLimits | None = None) -> DecodedFile:
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
            return _decode(path, file, container, limits)
    except OSError as error:
        raise MediaError(f"{path.name} cannot be read: {error.strerror or error}.") from error


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


def _decode(path: Path, file: BinaryIO, container: str, limits: FileLimits) -> DecodedFile:
    command = SandboxedCommand(
        python_command("airledger.audio.file_child", container),
        SandboxLimits(address_space_bytes=limits.address_space_bytes, cpu_s=int(limits.timeout_s) + 1),
    )
    result = _Result(path, limits)
    with SandboxedProcess(command, stdin=file.fileno()) as child:
        for frame in _frames(path, child, limits.timeout_s):
            result.take(frame)
            if result.complete:
                return result.decoded()
        child.process.wait(1.0)
        raise MediaError(f"{path.name} broke the decoder ({child.ended_by()}).")


def _frames(path: Path, child: SandboxedProcess, timeout_s: float) -> Iterator[Frame]:
    """Read what the child says until it has said all, or the time is up."""
    reader = FrameReader()
    descriptor = child.stdout.fileno()
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
