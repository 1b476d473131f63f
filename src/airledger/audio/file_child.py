"""The process that decodes one file: `python -I -m airledger.audio.file_child CONTAINER`, the file as its stdin.

It never learns a path: whoever starts it opens the file, and after the doors are locked it can open no other. It
writes frames of `airledger.audio.decoder_frames` to stdout: FORMAT (with `duration_s` and `tags` beside the format's
fields), PCM, and at last ENDED (JSON: packets and how many of them were bad) or ERROR.
"""

import io
import math
import sys
from typing import Any

import av

from airledger.audio.decoder_child import STDIN, STDOUT, Pipe, failure, lock_doors
from airledger.audio.decoder_frames import FrameKind, PcmFrame, encode_json, encode_pcm
from airledger.audio.sound_decoder import DecodeError, SoundDecoder, open_container

STREAM = 0
TAGS_LIMIT = 100
TAG_LIMIT_CHARS = 2000
US_PER_S = 1_000_000


def main() -> None:
    """Decode stdin and say how it went."""
    av.logging.set_level(av.logging.PANIC)
    lock_doors()
    pipe = Pipe(STDOUT)
    try:
        decode(sys.argv[1], pipe)
    except DecodeError as error:
        pipe.send(failure(STREAM, error.cause, str(error)))
    except MemoryError:
        pipe.send(failure(STREAM, "undecodable", "It needs more memory than a decoder may have."))


def decode(container: str, pipe: Pipe) -> None:
    """Send format, sound and the end of the file.

    Raises:
        DecodeError: it cannot be decoded.
    """
    position = 0
    with open_container(io.FileIO(STDIN, closefd=False), container, live=False) as opened:
        decoder = SoundDecoder(opened)
        for sound in decoder.sounds():
            if position == 0:
                about = {"duration_s": _duration_s(opened), "tags": _tags(opened, decoder)}
                pipe.send(encode_json(STREAM, FrameKind.FORMAT, {**decoder.format().to_json(), **about}))
            pipe.send(encode_pcm(STREAM, PcmFrame(0, position, sound.byte_position, math.nan, sound.pcm)))
            position += len(sound.pcm)
        damage = {"packets": decoder.damage.packets, "bad": decoder.damage.bad}
    pipe.send(encode_json(STREAM, FrameKind.ENDED, damage))


def _duration_s(opened: Any) -> float | None:
    return opened.duration / US_PER_S if opened.duration else None


def _tags(opened: Any, decoder: SoundDecoder) -> dict[str, str]:
    """Join the container's and the stream's metadata (Ogg keeps them in the stream), names in lower case."""
    both = {**decoder.metadata(), **opened.metadata}
    pairs = list(both.items())[:TAGS_LIMIT]
    return {str(name).lower()[:TAG_LIMIT_CHARS]: str(value)[:TAG_LIMIT_CHARS] for name, value in pairs}


if __name__ == "__main__":
    main()
