"""Level 2 of a first look: do the first bytes decode? In children that stay alive, one to a thread of ours.

What a child says is checked like a stranger's word; one that dies or takes too long is replaced, and the stream that
it was about is told so.
"""

import fcntl
import functools
import os
import queue
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from airledger.audio.decoder_frames import (
    Frame,
    FrameError,
    FrameKind,
    FrameReader,
    decode_json,
    encode_frame,
    encode_json,
)
from airledger.audio.stream_format import StreamFormat
from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess, SandboxLimits, python_command
from airledger.stations.cause import Cause
from airledger.stations.levels import DECODES
from airledger.stations.probing.knock import Knock

COMMAND = python_command("airledger.audio.first_frames_child")
LIMITS = SandboxLimits(address_space_bytes=1 << 30)
PATIENCE_S = 5.0
READ_BYTES = 64 * 1024
PIPE_BYTES = 256 * 1024
MOST_WAITING = 128  # of up to 64 KiB each
ENOUGH_S = 0.2
# 64 KiB of television may hold no sound yet, nor does the beginning of a file whose index comes first.
_SLOW_TO_TELL = frozenset({"mpegts", "mp4", "matroska", "flv", "asf"})
_CAUSES = {"no_sound": Cause.NO_SOUND, "undecodable": Cause.UNDECODABLE}


@dataclass(frozen=True, slots=True)
class FirstFrames:
    """What the first bytes of a stream decode to.

    Attributes:
        level: 2 where they do; else what the knock had reached.
        format: Container and codec, where they decode.
        decoded_s: Seconds of sound.
        cause: Why they do not decode; None where they do, and where so few bytes cannot tell.
        detail: The same for people.
    """

    level: int
    format: StreamFormat | None = None
    decoded_s: float = 0.0
    cause: Cause | None = None
    detail: str = ""


class FramesDecoder:
    """Decodes first bytes in child processes. Thread-safe; close it."""

    def __init__(self, children: int = 1, *, patience_s: float = PATIENCE_S) -> None:
        """Prepare; children start when they are first needed.

        Args:
            children: How many at most.
            patience_s: For one stream; a child that takes longer is killed.
        """
        self._patience_s = patience_s
        self._pool = ThreadPoolExecutor(children, thread_name_prefix="first-frames")
        self._mine = threading.local()
        self._children: list[_Child] = []
        self._lock = threading.Lock()

    def decode(self, knock: Knock) -> FirstFrames:
        """Decode one; waits."""
        return self._pool.submit(self._decode, knock).result()

    def decode_all(
        self, knocks: Iterable[Knock], stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[Knock, FirstFrames | None]]:
        """Decode what is media while more knocks are made.

        Yields:
            Each knock with what its bytes decode to; None for those that are no media of one piece.
        """
        done: queue.SimpleQueue[tuple[Knock, Future[FirstFrames]]] = queue.SimpleQueue()
        waiting = 0
        for knock in knocks:
            if not (knock.is_media and knock.sound):
                yield knock, None
                continue
            future = self._pool.submit(self._decode, knock)
            future.add_done_callback(functools.partial(_put, done, knock))
            waiting += 1
            while waiting >= MOST_WAITING or (waiting and not done.empty()):
                ended, found = done.get()
                waiting -= 1
                yield ended, found.result()
        while waiting and not stopping():
            ended, found = done.get()
            waiting -= 1
            yield ended, found.result()

    def child_pids(self) -> list[int]:
        """Process ids of the children."""
        with self._lock:
            return [child.pid for child in self._children]

    def close(self) -> None:
        """End the children."""
        self._pool.shutdown(cancel_futures=True)
        for child in self._children:
            child.kill()

    def _decode(self, knock: Knock) -> FirstFrames:
        container, level = knock.what.name, knock.level
        try:
            frame = self._child().ask(container, knock.sound, self._patience_s)
            return _read(frame, container, level)
        except TimeoutError:
            self._replace()
            detail = f"The decoder made no progress for {self._patience_s:g} s."
            return FirstFrames(level, cause=Cause.UNDECODABLE, detail=detail)
        except (OSError, FrameError) as error:
            self._replace()
            return FirstFrames(level, cause=Cause.DECODER_CRASHED, detail=f"The decoder process ended ({error}).")

    def _child(self) -> "_Child":
        child: _Child | None = getattr(self._mine, "child", None)
        if child is None:
            child = self._mine.child = _Child()
            with self._lock:
                self._children.append(child)
        return child

    def _replace(self) -> None:
        child: _Child | None = getattr(self._mine, "child", None)
        if child is not None:
            self._mine.child = None
            child.kill()
            with self._lock:
                self._children.remove(child)


class _Child:
    """One process and its pipes. It lives as long as the thread that started it."""

    def __init__(self) -> None:
        self._process = SandboxedProcess(SandboxedCommand(COMMAND, LIMITS))
        self._number = 0
        self._reader = FrameReader()
        self.pid = self._process.pid
        _widen(self._process.stdin.fileno())

    def ask(self, container: str, data: bytes, patience_s: float) -> Frame:
        """Have bytes decoded.

        Raises:
            TimeoutError: It takes too long.
            OSError: The child is gone.
            FrameError: It says what no child of ours says.
        """
        self._number = (self._number + 1) & 0xFFFFFFFF
        opening = encode_json(self._number, FrameKind.OPEN, {"container": container})
        self._process.stdin.write(opening + encode_frame(self._number, FrameKind.DATA, data))
        self._process.stdin.flush()
        deadline = time.monotonic() + patience_s
        descriptor = self._process.stdout.fileno()
        while True:
            if not select.select([descriptor], [], [], max(deadline - time.monotonic(), 0.0))[0]:
                raise TimeoutError
            answer = os.read(descriptor, READ_BYTES)
            if not answer:
                raise BrokenPipeError(self._process.ended_by() or "its output ended")
            for frame in self._reader.feed(answer):
                if frame.stream == self._number:
                    return frame

    def kill(self) -> None:
        """End it."""
        self._process.kill()


def _put(
    done: "queue.SimpleQueue[tuple[Knock, Future[FirstFrames]]]", knock: Knock, future: "Future[FirstFrames]"
) -> None:
    done.put((knock, future))


def _widen(descriptor: int) -> None:
    """Let the pipe hold all that is sent at once, so that a child which does not read cannot hold us up."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except PermissionError:  # the system has given out all that it gives to one user
        return


def _read(frame: Frame, container: str, level: int) -> FirstFrames:
    values = decode_json(frame.payload)
    if frame.kind is FrameKind.FORMAT:
        decoded_s = values.pop("decoded_s", None)
        if not isinstance(decoded_s, float):
            raise FrameError("The decoder does not tell how much it decoded.")
        try:
            found = StreamFormat.from_json(values)
        except TypeError as error:
            raise FrameError(f"Not a format: {error}") from None
        if decoded_s >= ENOUGH_S:
            return FirstFrames(DECODES, found, decoded_s)
        cause, text = "undecodable", f"Only {decoded_s:.2f} s of sound could be decoded."
    elif frame.kind is FrameKind.ERROR:
        cause, text = str(values.get("cause")), str(values.get("text"))
    else:
        raise FrameError("The decoder answers what nobody asked.")
    if container in _SLOW_TO_TELL:
        return FirstFrames(level)
    return FirstFrames(level, cause=_CAUSES.get(cause, Cause.UNDECODABLE), detail=text)
