"""The process that decodes files, one after another: `python -I -m airledger.audio.file_child`.

Its stdin is a socket (SOCK_SEQPACKET). Each message is JSON (`container`, `cpu_s`) and brings two descriptors: the
file, and a pipe for what is in it. A fork decodes it: so a file costs no start of Python, and what a stranger's bytes
may break is a process of that one file's own. The fork never learns a path: whoever asks opens the file, and after the
doors are locked it can open no other. It writes frames of `airledger.audio.decoder_frames` into the pipe: FORMAT (with
`duration_s` and `tags` beside the format's fields), PCM, and at last ENDED (JSON: packets and how many of them were
bad) or ERROR. The answer to the message, when the fork has ended, is its wait status in decimal.
"""

import ctypes
import gc
import io
import json
import math
import os
import resource
import signal
import socket
from typing import Any

import av

from airledger.audio.decoder_child import STDIN, STDOUT, Pipe, failure, import_late, lock_doors
from airledger.audio.decoder_frames import FrameKind, PcmFrame, encode_json, encode_pcm
from airledger.audio.sound_decoder import FILE_PIECE_S, DecodeError, SoundDecoder, open_container

STREAM = 0
TAGS_LIMIT = 100
TAG_LIMIT_CHARS = 2000
US_PER_S = 1_000_000
MESSAGE_BYTES = 4096
PR_SET_PDEATHSIG = 1
FIRST_FREE = 3


def main() -> None:
    """Serve until whoever asks has gone."""
    av.logging.set_level(av.logging.PANIC)
    import_late()
    libc = ctypes.CDLL(None, use_errno=True)
    gc.collect()
    gc.freeze()  # so that a fork's first collection does not copy every page
    control = socket.socket(fileno=STDIN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 2)
        if not message or len(descriptors) != 2:  # noqa: PLR2004  the file and the pipe
            os._exit(0)
        own = os.getpid()
        fork = os.fork()
        if fork == 0:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == own:
                _decode_one(json.loads(message), descriptors)
            os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(str(os.waitpid(fork, 0)[1]).encode())


def _decode_one(order: dict[str, Any], descriptors: list[int]) -> None:
    """Decode one file and end the process."""
    status = 1
    try:
        file, out = descriptors
        os.dup2(file, STDIN)
        os.dup2(out, STDOUT)
        os.closerange(FIRST_FREE, max(descriptors) + 1)
        cpu_s = int(order["cpu_s"])
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        lock_doors()
        pipe = Pipe(STDOUT)
        try:
            decode(str(order["container"]), pipe)
        except DecodeError as error:
            pipe.send(failure(STREAM, error.cause, str(error)))
        except MemoryError:
            pipe.send(failure(STREAM, "undecodable", "It needs more memory than a decoder may have."))
        status = 0
    finally:
        os._exit(status)


def decode(container: str, pipe: Pipe) -> None:
    """Send format, sound and the end of the file.

    Raises:
        DecodeError: it cannot be decoded.
    """
    position = 0
    with open_container(io.FileIO(STDIN, closefd=False), container, live=False) as opened:
        decoder = SoundDecoder(opened, piece_s=FILE_PIECE_S)
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
