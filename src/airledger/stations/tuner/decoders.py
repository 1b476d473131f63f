"""The decoder children of a tuner: started on demand, up to 32 streams each, replaced when one crashes.

Everything here runs on the tuner's loop. What a child says is checked like a stranger's word, because a hostile
stream may have taken the child over.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass

from airledger.audio.decoder_frames import (
    ACK_PAYLOAD,
    STREAMS_LIMIT,
    WINDOW_BYTES,
    Frame,
    FrameError,
    FrameKind,
    FrameReader,
    PcmFrame,
    decode_json,
    decode_pcm,
    encode_frame,
    encode_json,
)
from airledger.audio.stream_format import StreamFormat
from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess, SandboxLimits, python_command
from airledger.stations.cause import Cause

CHILD_COMMAND = python_command("airledger.audio.decoder_child")
# 47 MB resident; thread stacks and two malloc arenas take address space, a hostile stream may take the rest.
CHILD_LIMITS = SandboxLimits(address_space_bytes=2 << 30)
PIECE_BYTES = 32 * 1024
PIPE_READ_BYTES = 1024 * 1024
PIPE_BYTES = 1024 * 1024  # what 32 streams say in half a second, and more
PIECE_S = 0.2
STUCK_S = 30.0


@dataclass(frozen=True, slots=True)
class DecoderEnd:
    """A stream is decoded to its end: well where `cause` is None."""

    cause: Cause | None = None
    text: str = ""


DecoderEvent = StreamFormat | PcmFrame | DecoderEnd
_CAUSES = {"no_sound": Cause.NO_SOUND, "undecodable": Cause.UNDECODABLE, "refused": Cause.DECODER_CRASHED}


class DecoderStream:
    """One stream in a child. `feed` waits while the child has enough to chew on."""

    def __init__(self, number: int, process: "DecoderProcess", tell: Callable[[DecoderEvent], None]) -> None:
        self.number = number
        self.fed_bytes = 0
        self._process = process
        self._tell = tell
        self._unacknowledged_bytes = 0
        self._credit = asyncio.Event()
        self.over = False

    async def feed(self, data: bytes) -> None:
        """Send bytes, as fast as they are decoded; after the end they are dropped."""
        for at in range(0, len(data), PIECE_BYTES):
            piece = data[at : at + PIECE_BYTES]
            while not self.over and self._unacknowledged_bytes + len(piece) > WINDOW_BYTES:
                await self._wait_for_credit()
            if self.over:
                return
            self._unacknowledged_bytes += len(piece)
            self.fed_bytes += len(piece)
            self._process.send(encode_frame(self.number, FrameKind.DATA, piece))

    def begin_chapter(self, container: str) -> None:
        """What follows is a container of its own."""
        if not self.over:
            self._process.send(encode_json(self.number, FrameKind.RESET, {"container": container}))

    def finish(self) -> None:
        """Nothing more comes; a `DecoderEnd` follows when all is decoded."""
        if not self.over:
            self._process.send(encode_frame(self.number, FrameKind.CLOSE))

    def cancel(self) -> None:
        """Forget this stream; no event follows."""
        if not self.over:
            self.over = True
            self._process.send(encode_frame(self.number, FrameKind.CANCEL))

    def receive(self, frame: Frame) -> None:
        """Take one frame of the child's.

        Raises:
            FrameError: it is malformed.
        """
        if frame.kind is FrameKind.ACK:
            self._acknowledged(frame.payload)
        elif self.over:
            return
        elif frame.kind is FrameKind.PCM:
            self._tell(decode_pcm(frame.payload))
        elif frame.kind is FrameKind.FORMAT:
            self._tell(_read_format(frame.payload))
        elif frame.kind is FrameKind.ERROR:
            values = decode_json(frame.payload)
            self.end(DecoderEnd(_CAUSES.get(str(values.get("cause")), Cause.UNDECODABLE), str(values.get("text"))))
        elif frame.kind is FrameKind.ENDED:
            self.end(DecoderEnd())

    def end(self, end: DecoderEnd) -> None:
        """Tell the end, once, and let a waiting `feed` go."""
        if not self.over:
            self.over = True
            self._credit.set()
            self._tell(end)

    def _acknowledged(self, payload: bytes) -> None:
        if len(payload) != ACK_PAYLOAD.size:
            raise FrameError("An acknowledgement is cut short.")
        self._unacknowledged_bytes = max(0, self._unacknowledged_bytes - ACK_PAYLOAD.unpack(payload)[0])
        self._credit.set()

    async def _wait_for_credit(self) -> None:
        self._credit.clear()
        try:
            async with asyncio.timeout(STUCK_S):
                await self._credit.wait()
        except TimeoutError:
            # A thread that never returns from a codec cannot be stopped alone; its neighbours reconnect.
            self.end(DecoderEnd(Cause.UNDECODABLE, f"The decoder made no progress for {STUCK_S:g} s."))
            self._process.crash("a stuck stream")


def _read_format(payload: bytes) -> StreamFormat:
    try:
        return StreamFormat.from_json(decode_json(payload))
    except TypeError as error:
        raise FrameError(f"Not a format: {error}") from None


class DecoderProcess:
    """One child and its pipes."""

    def __init__(self, gone: Callable[["DecoderProcess"], None], piece_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._gone = gone
        self._child = SandboxedProcess(SandboxedCommand([*CHILD_COMMAND, str(piece_s)], CHILD_LIMITS))
        self._reader = FrameReader()
        self._unsent = bytearray()
        self._writing = False
        self.pid = self._child.pid
        self.streams: dict[int, DecoderStream] = {}
        self.alive = True
        self._stdin, self._stdout = self._child.stdin.fileno(), self._child.stdout.fileno()
        for descriptor in (self._stdin, self._stdout):
            os.set_blocking(descriptor, False)
            _widen(descriptor)
        self._loop.add_reader(self._stdout, self._on_readable)

    def send(self, frame: bytes) -> None:
        """Write as much as the pipe takes now, the rest when it can; bounded by the windows of its streams."""
        if not self.alive:
            return
        self._unsent += frame
        if not self._writing:
            self._on_writable()

    def crash(self, reason: str) -> None:
        """Kill the child; each of its streams ends as crashed."""
        if not self.alive:
            return
        self.stop()
        how = self._child.ended_by() or "killed"
        for stream in list(self.streams.values()):
            stream.end(DecoderEnd(Cause.DECODER_CRASHED, f"The decoder process ended ({reason}; {how})."))
        self.streams.clear()
        self._gone(self)

    def stop(self) -> None:
        """Kill the child and tell nobody."""
        if self.alive:
            self.alive = False
            self._loop.remove_reader(self._stdout)
            self._loop.remove_writer(self._stdin)
            self._child.kill()

    def _on_writable(self) -> None:
        try:
            written = os.write(self._stdin, self._unsent)
        except BlockingIOError:
            written = 0
        except BrokenPipeError:
            self._loop.call_soon(self.crash, "its input broke")
            written = len(self._unsent)
        del self._unsent[:written]
        if bool(self._unsent) != self._writing:
            self._writing = bool(self._unsent)
            if self._writing:
                self._loop.add_writer(self._stdin, self._on_writable)
            else:
                self._loop.remove_writer(self._stdin)

    def _on_readable(self) -> None:
        data = os.read(self._stdout, PIPE_READ_BYTES)
        if not data:
            self.crash("its output ended")
            return
        try:
            for frame in self._reader.feed(data):
                self._dispatch(frame)
        except FrameError as error:
            self.crash(str(error))

    def _dispatch(self, frame: Frame) -> None:
        stream = self.streams.get(frame.stream)
        if stream is None:
            return
        stream.receive(frame)
        if frame.kind in {FrameKind.ENDED, FrameKind.ERROR}:
            self.streams.pop(frame.stream, None)
            if not self.streams:
                self._gone(self)


class DecoderPool:
    """All children of one tuner."""

    def __init__(self, streams_per_child: int = STREAMS_LIMIT, piece_s: float = PIECE_S) -> None:
        self._streams_per_child = min(streams_per_child, STREAMS_LIMIT)
        self._piece_s = piece_s
        self._processes: list[DecoderProcess] = []
        self._last_number = 0

    def open(self, container: str, tell: Callable[[DecoderEvent], None]) -> DecoderStream:
        """Begin a stream of `container` in a child that has room.

        `tell` gets its format, its sound and its end, in order, on the loop.

        Raises:
            OSError: no child can be started.
        """
        process = next((each for each in self._processes if len(each.streams) < self._streams_per_child), None)
        if process is None:
            process = DecoderProcess(self._on_idle_or_gone, self._piece_s)
            self._processes.append(process)
        self._last_number = (self._last_number + 1) & 0xFFFFFFFF
        stream = DecoderStream(self._last_number, process, tell)
        process.streams[stream.number] = stream
        process.send(encode_json(stream.number, FrameKind.OPEN, {"container": container}))
        return stream

    def pids(self) -> list[int]:
        """Process ids of the children that run."""
        return [process.pid for process in self._processes]

    def close(self) -> None:
        """Kill all children."""
        for process in self._processes:
            process.stop()
        self._processes.clear()

    def _on_idle_or_gone(self, process: DecoderProcess) -> None:
        """Forget a dead child; end an idle one but for the last, which the next stream will need."""
        if process.alive and len(self._processes) > 1:
            process.stop()
        if not process.alive and process in self._processes:
            self._processes.remove(process)


def _widen(descriptor: int) -> None:
    """Let a pipe hold more, so that a child need not wait for us; with many pipes the system may refuse."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except PermissionError:
        return
