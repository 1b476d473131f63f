"""The process that decodes the first bytes of strangers' streams, one after the other. Imports av and NumPy.

Run as `python -I -m airledger.audio.first_frames_child`; frames of `decoder_frames` over stdin and stdout. Each OPEN
(JSON `{"container": ...}`) is followed by one DATA of the same number and answered by one FORMAT (JSON of a
`StreamFormat` and `decoded_s`) or ERROR (JSON `{"cause", "text"}`). It ends when stdin does.
"""

import io
import os
from typing import Any

import av

from airledger.audio.decoder_child import STDIN, STDOUT, Pipe, failure, lock_doors
from airledger.audio.decoder_frames import Frame, FrameKind, FrameReader, decode_json, encode_json
from airledger.audio.sound_decoder import DecodeError, SoundDecoder, open_container

READ_BYTES = 256 * 1024


def decode(container: str, data: bytes) -> dict[str, Any]:
    """Decode all of some bytes; return what they are made of, and `decoded_s`.

    Raises:
        DecodeError: They are not of this container, or hold no sound.
    """
    with open_container(io.BytesIO(data), container, live=True) as opened:
        decoder = SoundDecoder(opened)
        decoded_s = decoder.decoded_s()
        return {**decoder.format().to_json(), "decoded_s": decoded_s}


def answered(number: int, container: str, data: bytes) -> bytes:
    """Decode, and write the answer."""
    try:
        return encode_json(number, FrameKind.FORMAT, decode(container, data))
    except DecodeError as error:
        return failure(number, error.cause, str(error))
    except MemoryError:
        return failure(number, "undecodable", "It needs more memory than a decoder may have.")


class Desk:
    """Remembers which container comes next."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._container = ""

    def handle(self, frame: Frame) -> None:
        """Obey one frame."""
        if frame.kind is FrameKind.OPEN:
            self._container = str(decode_json(frame.payload).get("container"))
        elif frame.kind is FrameKind.DATA:
            self._pipe.send(answered(frame.stream, self._container, frame.payload))


def main() -> None:
    """Serve until stdin ends."""
    av.logging.set_level(av.logging.PANIC)
    lock_doors()
    desk, reader = Desk(Pipe(STDOUT)), FrameReader()
    while data := os.read(STDIN, READ_BYTES):
        for frame in reader.feed(data):
            desk.handle(frame)


if __name__ == "__main__":
    main()
