"""The process that decodes strangers' streams: up to 32 at once, a thread each. Imports av and NumPy, nothing more.

Run as `python -I -m airledger.audio.decoder_child [PIECE_S]`, with `decoder_frames` spoken over stdin and stdout.
It ends when stdin does. A stream that cannot be decoded ends by an ERROR of its own; bytes that break the decoder
itself may end the process, which the parent sees.
"""

import importlib
import math
import os
import resource
import sys
import threading
from dataclasses import dataclass, field

import av

from airledger.audio.decoder_frames import (
    ACK_PAYLOAD,
    STREAMS_LIMIT,
    Frame,
    FrameKind,
    FrameReader,
    PcmFrame,
    decode_json,
    encode_frame,
    encode_json,
    encode_pcm,
)
from airledger.audio.sound_decoder import PIECE_S, DecodeError, SoundDecoder, open_container
from airledger.audio.stream_input import StreamInput, WindowExceededError

READ_BYTES = 256 * 1024
TEXT_LIMIT_CHARS = 500
STACK_BYTES = 1 << 20
STDIN, STDOUT = 0, 1
LATE_IMPORTS = (
    "av.audio.stream",
    "av.audio.codeccontext",
    "av.subtitles.stream",
    "av.subtitles.codeccontext",
    "av.video.stream",
    "av.video.codeccontext",
)


class Pipe:
    """Writes whole frames, one at a time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, frame: bytes) -> None:
        """Write all of it; waits while the parent does not read."""
        view = memoryview(frame)
        with self._lock:
            while view:
                view = view[os.write(self._descriptor, view) :]


@dataclass
class StreamDecoder:
    """One stream: its input, and the thread that decodes it."""

    number: int
    pipe: Pipe
    piece_s: float
    input: StreamInput = field(init=False)
    position: int = 0
    chapter: int = -1

    def __post_init__(self) -> None:
        self.input = StreamInput(self._acknowledge)

    def run(self) -> bytes:
        """Decode chapter after chapter; give the frame that says how it ended."""
        try:
            while (container := self.input.next_chapter()) is not None:
                self.chapter += 1
                self._decode_chapter(container)
        except DecodeError as error:
            return failure(self.number, error.cause, str(error))
        except MemoryError:
            return failure(self.number, "undecodable", "It needs more memory than a decoder may have.")
        return encode_frame(self.number, FrameKind.ENDED)

    def _decode_chapter(self, container: str) -> None:
        base = self.input.consumed_bytes
        known = None
        with open_container(self.input, container, live=True) as opened:
            decoder = SoundDecoder(opened, self.piece_s)
            for sound in decoder.sounds():
                found = decoder.format()
                if found != known:
                    known = found
                    self._send(encode_json(self.number, FrameKind.FORMAT, found.to_json()))
                place = base + sound.byte_position if sound.byte_position >= 0 else -1
                time_s = math.nan if sound.time_s is None else sound.time_s
                self._send(encode_pcm(self.number, PcmFrame(self.chapter, self.position, place, time_s, sound.pcm)))
                self.position += len(sound.pcm)

    def _acknowledge(self, count: int) -> None:
        self._send(encode_frame(self.number, FrameKind.ACK, ACK_PAYLOAD.pack(count)))

    def _send(self, frame: bytes) -> None:
        if not self.input.cancelled:
            self.pipe.send(frame)


class DecoderChild:
    """All streams of this process."""

    def __init__(self, pipe: Pipe, piece_s: float) -> None:
        self._pipe = pipe
        self._piece_s = piece_s
        self._streams: dict[int, StreamDecoder] = {}
        self._lock = threading.Lock()

    def handle(self, frame: Frame) -> None:
        """Obey one frame; frames for streams that ended already are late, not wrong."""
        if frame.kind is FrameKind.OPEN:
            self._open(frame.stream, str(decode_json(frame.payload).get("container")))
            return
        with self._lock:
            stream = self._streams.get(frame.stream)
        if stream is None:
            return
        if frame.kind is FrameKind.DATA:
            try:
                stream.input.put(frame.payload)
            except WindowExceededError:
                self._pipe.send(failure(frame.stream, "refused", "More was sent than the window allows."))
                stream.input.cancel()
        elif frame.kind is FrameKind.RESET:
            stream.input.begin_chapter(str(decode_json(frame.payload).get("container")))
        elif frame.kind is FrameKind.CLOSE:
            stream.input.close()
        elif frame.kind is FrameKind.CANCEL:
            stream.input.cancel()

    def _open(self, number: int, container: str) -> None:
        stream = StreamDecoder(number, self._pipe, self._piece_s)
        stream.input.begin_chapter(container)
        with self._lock:
            full = len(self._streams) >= STREAMS_LIMIT
            if not full:
                self._streams[number] = stream
        if full:
            text = f"This decoder has {STREAMS_LIMIT} streams already."
            self._pipe.send(failure(number, "refused", text))
        else:
            threading.Thread(target=self._run, args=(stream,), daemon=True).start()

    def _run(self, stream: StreamDecoder) -> None:
        last = failure(stream.number, "undecodable", "The decoder failed in a way that it does not know.")
        try:
            last = stream.run()
        finally:
            with self._lock:  # first, so that the parent may fill the place as soon as it hears that it is free
                del self._streams[stream.number]
            self._pipe.send(last)


def failure(number: int, cause: str, text: str) -> bytes:
    """Write the last frame of a stream that went wrong."""
    return encode_json(number, FrameKind.ERROR, {"cause": cause, "text": text[:TEXT_LIMIT_CHARS]})


def import_late() -> None:
    """Import what PyAV would import when it first meets a kind of stream."""
    for module in LATE_IMPORTS:
        importlib.import_module(module)


def lock_doors() -> None:
    """Open no file and no socket from here on: all that is needed is open, and codecs need nothing else."""
    import_late()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> None:
    """Serve until stdin ends."""
    av.logging.set_level(av.logging.PANIC)
    threading.stack_size(STACK_BYTES)
    lock_doors()
    child = DecoderChild(Pipe(STDOUT), float(sys.argv[1]) if len(sys.argv) > 1 else PIECE_S)
    reader = FrameReader()
    while data := os.read(STDIN, READ_BYTES):
        for frame in reader.feed(data):
            child.handle(frame)
    os._exit(0)  # threads may sit in a decoder; the parent has gone and nobody waits for what they make


if __name__ == "__main__":
    main()
