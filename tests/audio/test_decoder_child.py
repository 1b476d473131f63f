"""The decoder child as its parent sees it: a process spoken to over pipes."""

import math
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    encode_pcm,
)
from airledger.audio.stream_format import PictureFormat, StreamFormat
from made_sound import MUXERS, encoded, fragmented_mp4, melody, spectrum_peak_hz, television

SECONDS = 4.0
SOUND = melody(SECONDS)
LAST = (FrameKind.ENDED, FrameKind.ERROR)


class Child:
    """Speaks the protocol, credits included, and gathers what each stream gives."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.stdin, self.stdout = process.stdin, process.stdout
        self.frames: dict[int, list[Frame]] = defaultdict(list)
        self._reader = FrameReader()
        self._unacknowledged: dict[int, int] = defaultdict(int)

    def send(self, frame: bytes) -> None:
        self.stdin.write(frame)
        self.stdin.flush()

    def open(self, stream: int, container: str) -> None:
        self.send(encode_json(stream, FrameKind.OPEN, {"container": container}))

    def feed(self, stream: int, data: bytes, piece: int = 8192) -> None:
        for at in range(0, len(data), piece):
            while self._unacknowledged[stream] + piece > WINDOW_BYTES and not self.last(stream):
                self.receive()
            self._unacknowledged[stream] += len(data[at : at + piece])
            self.send(encode_frame(stream, FrameKind.DATA, data[at : at + piece]))

    def finish(self, stream: int) -> Frame:
        self.send(encode_frame(stream, FrameKind.CLOSE))
        return self.wait(stream)

    def wait(self, stream: int) -> Frame:
        while not self.last(stream):
            self.receive()
        return self.frames[stream][-1]

    def last(self, stream: int) -> bool:
        return bool(self.frames[stream]) and self.frames[stream][-1].kind in LAST

    def receive(self) -> None:
        data = os.read(self.stdout.fileno(), 65536)
        assert data, "the child ended"
        for frame in self._reader.feed(data):
            if frame.kind is FrameKind.ACK:
                self._unacknowledged[frame.stream] -= ACK_PAYLOAD.unpack(frame.payload)[0]
            else:
                self.frames[frame.stream].append(frame)

    def sound(self, stream: int) -> list[PcmFrame]:
        return [decode_pcm(frame.payload) for frame in self.frames[stream] if frame.kind is FrameKind.PCM]

    def formats(self, stream: int) -> list[StreamFormat]:
        kept = [frame for frame in self.frames[stream] if frame.kind is FrameKind.FORMAT]
        return [StreamFormat.from_json(decode_json(frame.payload)) for frame in kept]


@contextmanager
def running() -> Iterator[Child]:
    command = [sys.executable, "-I", "-m", "airledger.audio.decoder_child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Child(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with running() as one:
        yield one


NUMBERS = iter(range(1, 10_000))
WHOLE = {kind: encoded(SOUND, kind) for kind in MUXERS if kind != "mp4"}
INIT, SEGMENTS = fragmented_mp4(SOUND)
WHOLE["mp4"] = b"".join([INIT, *SEGMENTS])
CODECS = {"ogg": "vorbis", "opus": "opus", "wav": "pcm_s16le", "mpegts": "aac", "mp4": "aac"}


@pytest.mark.parametrize("kind", WHOLE)
def test_every_kind_of_stream_becomes_sound(child: Child, kind: str) -> None:
    stream, container = next(NUMBERS), {"opus": "ogg"}.get(kind, kind)
    child.open(stream, container)
    child.feed(stream, WHOLE[kind], 1400)
    assert child.finish(stream).kind is FrameKind.ENDED
    sound = child.sound(stream)
    heard = np.concatenate([each.pcm for each in sound])
    assert len(heard) / 8000 == pytest.approx(SECONDS, abs=0.06)
    positions = np.cumsum([0, *(len(each.pcm) for each in sound)])[:-1]
    assert [each.position for each in sound] == list(positions)
    (found,) = child.formats(stream)
    assert found.codec == CODECS.get(kind, kind)
    assert found.sample_rate_hz == (48000 if kind == "opus" else 44100)
    expected = spectrum_peak_hz((SOUND[44100:88200] * 32767).astype(np.int16), 44100)
    assert spectrum_peak_hz(heard[8000:16000]) == pytest.approx(expected, abs=15)


@pytest.mark.parametrize("kind", ["mp3", "aac"])
def test_sound_knows_the_place_of_its_bytes(child: Child, kind: str) -> None:
    stream = next(NUMBERS)
    child.open(stream, kind)
    child.feed(stream, WHOLE[kind])
    child.finish(stream)
    sound = child.sound(stream)
    share = np.array([(each.byte_position / len(WHOLE[kind]), each.position / 8000 / SECONDS) for each in sound])
    assert np.abs(share[:, 0] - share[:, 1]).max() < 0.06


def test_chapters_follow_each_other_without_a_gap_in_positions(child: Child) -> None:
    stream = next(NUMBERS)
    child.open(stream, "mpegts")
    child.feed(stream, WHOLE["mpegts"])
    child.send(encode_json(stream, FrameKind.RESET, {"container": "mp3"}))
    child.feed(stream, WHOLE["mp3"])
    assert child.finish(stream).kind is FrameKind.ENDED
    sound = child.sound(stream)
    assert {each.chapter for each in sound} == {0, 1}
    first = next(each for each in sound if each.chapter == 1)
    assert first.position == sum(len(each.pcm) for each in sound if each.chapter == 0)
    assert first.byte_position >= len(WHOLE["mpegts"])
    assert sum(len(each.pcm) for each in sound) / 8000 == pytest.approx(2 * SECONDS, abs=0.12)
    assert [found.codec for found in child.formats(stream)] == ["aac", "mp3"]


def test_an_endless_stream_sounds_long_before_it_ends(child: Child) -> None:
    stream = next(NUMBERS)
    child.open(stream, "mp3")
    child.feed(stream, WHOLE["mp3"][: len(WHOLE["mp3"]) // 2])
    while not child.sound(stream):
        child.receive()
    child.send(encode_frame(stream, FrameKind.CANCEL))
    child.wait(stream)


def test_television_is_heard_and_its_picture_told(child: Child) -> None:
    stream = next(NUMBERS)
    child.open(stream, "mpegts")
    child.feed(stream, television(SOUND, SECONDS))
    assert child.finish(stream).kind is FrameKind.ENDED
    (found,) = child.formats(stream)
    assert found.picture == PictureFormat("mpeg2video", 320, 180)
    assert sum(len(each.pcm) for each in child.sound(stream)) / 8000 == pytest.approx(SECONDS, abs=0.1)


def test_a_picture_without_sound_is_told(child: Child) -> None:
    stream = next(NUMBERS)
    child.open(stream, "mpegts")
    child.feed(stream, television(None))
    assert decode_json(child.finish(stream).payload)["cause"] == "no_sound"


@pytest.mark.parametrize("kind", ["mp3", "aac", "ogg", "opus", "mpegts"])
def test_damage_in_the_middle_costs_a_moment_and_not_the_stream(child: Child, kind: str) -> None:
    stream, container = next(NUMBERS), {"opus": "ogg"}.get(kind, kind)
    data = bytearray(WHOLE[kind])
    chance = random.Random(kind)  # noqa: S311 - damage, no secret
    for _ in range(60):
        data[chance.randrange(len(data) // 2, len(data) * 3 // 4)] = chance.randrange(256)
    child.open(stream, container)
    child.feed(stream, bytes(data))
    assert child.finish(stream).kind is FrameKind.ENDED
    heard = np.concatenate([each.pcm for each in child.sound(stream)])
    assert len(heard) / 8000 > SECONDS * 0.45  # a page of Ogg is a second here, and goes as a whole
    expected = spectrum_peak_hz((SOUND[-44100:] * 32767).astype(np.int16), 44100)
    assert spectrum_peak_hz(heard[-8000:]) == pytest.approx(expected, abs=25)


def test_noise_and_lies_each_end_in_an_error_of_their_own(child: Child) -> None:
    good, noise, lie, unknown = (next(NUMBERS) for _ in range(4))
    child.open(good, "aac")
    child.open(noise, "mp3")
    child.open(lie, "mp4")
    child.open(unknown, "hls")
    child.feed(noise, random.Random(1).randbytes(200_000))  # noqa: S311 - noise, no secret
    child.feed(lie, WHOLE["mp3"])
    child.feed(good, WHOLE["aac"])
    assert child.finish(good).kind is FrameKind.ENDED
    for stream in (noise, lie, unknown):
        last = child.finish(stream)
        assert last.kind is FrameKind.ERROR
        assert decode_json(last.payload)["cause"] == "undecodable"


def test_the_window_and_the_number_of_streams_are_kept() -> None:
    with running() as child:
        for stream in range(STREAMS_LIMIT):
            child.open(stream, "mp3")
        child.open(99, "mp3")
        assert decode_json(child.wait(99).payload)["cause"] == "refused"
        child.send(encode_frame(7, FrameKind.DATA, bytes(WINDOW_BYTES + 1)))
        assert decode_json(child.wait(7).payload)["cause"] == "refused"
        child.feed(3, WHOLE["mp3"])
        assert child.finish(3).kind is FrameKind.ENDED


def test_thirty_two_streams_are_decoded_at_once() -> None:
    with running() as child:
        for stream in range(STREAMS_LIMIT):
            child.open(stream, "mp3")
        for at in range(0, len(WHOLE["mp3"]), 16384):
            for stream in range(STREAMS_LIMIT):
                child.feed(stream, WHOLE["mp3"][at : at + 16384])
        for stream in range(STREAMS_LIMIT):
            assert child.finish(stream).kind is FrameKind.ENDED
            heard = sum(len(each.pcm) for each in child.sound(stream))
            assert heard / 8000 == pytest.approx(SECONDS, abs=0.06)


def test_the_child_imports_av_and_numpy_and_nothing_more() -> None:
    code = """
import sys
import airledger.audio.decoder_child
import airledger.audio.file_child
roots = {name.partition(".")[0] for name in sys.modules}
print(*sorted(root for root in roots if root not in sys.stdlib_module_names and not root.startswith("_")))
print(*sorted(name for name in sys.modules if name.startswith("airledger.") and not name.startswith("airledger.audio")))
"""
    said = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True).stdout
    foreign, own = said.split("\n")[:2]
    assert set(foreign.split()) - {"sitecustomize", "usercustomize"} <= {"airledger", "av", "numpy", "cython_runtime"}
    assert own == ""


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.sampled_from(FrameKind), st.binary(max_size=300)), max_size=10),
    st.integers(1, 50),
)
def test_frames_survive_any_cutting(frames: list[tuple[int, FrameKind, bytes]], step: int) -> None:
    sent = b"".join(encode_frame(*frame) for frame in frames)
    reader = FrameReader()
    got = [frame for at in range(0, len(sent), step) for frame in reader.feed(sent[at : at + step])]
    assert got == [Frame(*frame) for frame in frames]


@given(st.binary(max_size=200))
def test_strange_bytes_are_refused_or_wait(data: bytes) -> None:
    try:
        frames = FrameReader().feed(data)
    except FrameError:
        return
    assert sum(len(frame.payload) for frame in frames) <= len(data)


def test_sound_survives_the_pipe() -> None:
    frame = PcmFrame(3, 1 << 40, -1, math.nan, np.arange(-5, 5, dtype=np.int16))
    (sent,) = FrameReader().feed(encode_pcm(9, frame))
    got = decode_pcm(sent.payload)
    assert got[:3] == frame[:3]
    assert math.isnan(got.time_s)
    assert np.array_equal(got.pcm, frame.pcm)
    with pytest.raises(FrameError):
        decode_pcm(sent.payload[:-1])
