import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from airledger.recognition.decode import (
    DecodedFile,
    FileDecoder,
    FileLimits,
    MediaError,
    common_tags,
    decode_file,
)
from made_sound import MUXERS, encoded, melody, spectrum_peak_hz, television

SECONDS = 5.0
SOUND = melody(SECONDS)
TAGS = {"title": "Über den Wolken", "artist": "A & B", "album": "Eins", "TSRC": "QZALD2600001", "publisher": "Label"}


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refusal(path: Path, limits: FileLimits | None = None) -> str:
    with pytest.raises(MediaError) as caught:
        decode_file(path, limits=limits)
    assert path.name in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("kind", MUXERS)
def test_every_kind_of_file_becomes_sound(tmp_path: Path, kind: str) -> None:
    decoded = decode_file(written(tmp_path, f"a.{kind}", encoded(SOUND, kind)))
    assert decoded.pcm.dtype == np.float32
    assert decoded.duration_s == len(decoded.pcm) / 8000 == pytest.approx(SECONDS, abs=0.06)
    assert 0.1 < np.abs(decoded.pcm).max() <= 1.0
    expected = spectrum_peak_hz((SOUND[44100:88200] * 32767).astype(np.int16), 44100)
    assert spectrum_peak_hz((decoded.pcm[8000:16000] * 32767).astype(np.int16)) == pytest.approx(expected, abs=15)


@pytest.mark.parametrize("kind", ["mp3", "flac", "ogg"])
def test_tags_are_read_under_common_names(tmp_path: Path, kind: str) -> None:
    tags = dict(TAGS) if kind == "mp3" else {**TAGS, "isrc": TAGS["TSRC"]}
    decoded = decode_file(written(tmp_path, "a", encoded(SOUND, kind, tags=tags)))
    wanted = {"title": TAGS["title"], "artist": "A & B", "album": "Eins", "isrc": "QZALD2600001", "label": "Label"}
    assert {name: decoded.tags.get(name) for name in wanted} == wanted


def test_tag_names_of_all_containers_mean_the_same() -> None:
    spelled = {"----:com.apple.iTunes:ISRC": "X", "ORGANIZATION": "L", "TPUB": "M", "albumartist": "AA", "COMMENT": " "}
    assert common_tags(spelled) == {"isrc": "X", "label": "L", "album_artist": "AA"}


def test_a_film_gives_its_sound(tmp_path: Path) -> None:
    decoded = decode_file(written(tmp_path, "film.ts", television(SOUND, SECONDS)))
    assert decoded.format.picture is not None
    assert decoded.duration_s == pytest.approx(SECONDS, abs=0.1)


def test_a_cover_of_megabytes_is_no_obstacle(tmp_path: Path) -> None:
    size = 3_000_000
    tag = b"ID3\x04\x00\x00" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + bytes(size)
    for kind in ("mp3", "aac"):
        sound = encoded(SOUND, kind)
        assert decode_file(written(tmp_path, kind, tag + sound)).duration_s == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.mp3", b"", "is empty"),
        ("notes.mp3", b"Dear all,\nthis is a text.\n" * 50, "text, not sound"),
        ("page.mp3", b"<!DOCTYPE html><html>", "text, not sound"),
        ("list.m3u", b"#EXTM3U\nhttp://a/\n", "no kind of sound"),
        ("zeros.wav", bytes(100_000), "no kind of sound"),
        ("noise.mp3", np.random.default_rng(1).bytes(100_000), "no kind of sound"),
        ("cut.mp3", encoded(SOUND, "mp3")[:30_000], "is cut"),
        ("cut.flac", encoded(SOUND, "flac")[:100_000], "is cut"),
        ("cut.wav", encoded(SOUND, "wav")[:100_000], "claims 441000 bytes of sound"),
        ("cut.m4a", encoded(SOUND, "mp4")[:30_000], "cannot be decoded"),
        ("silent.ts", television(None), "no sound"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_reason(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    assert reason in refusal(written(tmp_path, name, data))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (22, struct.pack("<H", 0)),
        (22, struct.pack("<H", 40_000)),
        (24, struct.pack("<I", 0)),
        (24, struct.pack("<I", 4_000_000_000)),
        (32, struct.pack("<H", 0)),
    ],
    ids=["no channel", "40000 channels", "0 Hz", "4 GHz", "empty blocks"],
)
def test_a_wav_whose_header_lies_is_refused(tmp_path: Path, place: int, value: bytes) -> None:
    data = bytearray(encoded(SOUND, "wav"))
    data[place : place + len(value)] = value
    assert "its header claims" in refusal(written(tmp_path, "lie.wav", bytes(data)))


def test_a_wav_from_a_pipe_that_never_knew_its_length_is_fine(tmp_path: Path) -> None:
    data = bytearray(encoded(SOUND, "wav"))
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert decode_file(written(tmp_path, "piped.wav", bytes(data))).duration_s == pytest.approx(SECONDS, abs=0.1)


def test_limits_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path, "a.mp3", encoded(SOUND, "mp3"))
    assert "at most 1000 are accepted" in refusal(path, FileLimits(max_bytes=1000))
    assert "longer than 2 s" in refusal(path, FileLimits(max_duration_s=2.0))
    assert "not decoded within" in refusal(path, FileLimits(timeout_s=0.0))


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "missing.mp3")
    assert "is not a file" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.mp3")
    assert "is not a file" in refusal(tmp_path / "pipe.mp3")


def test_a_decoder_that_crashes_is_told_and_nothing_else_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "a.mp3", encoded(SOUND, "mp3"))
    crash = [sys.executable, "-I", "-c", "import os; os.kill(os.getpid(), 11)"]
    with monkeypatch.context() as patched:
        patched.setattr("airledger.recognition.decode.python_command", lambda *_: crash)
        assert "broke the decoder (signal 11)" in refusal(path)
    assert isinstance(decode_file(path), DecodedFile)


def test_the_decoder_of_a_file_can_open_no_other(tmp_path: Path) -> None:
    code = """
import airledger.audio.decoder_child as child
child.lock_doors()
try:
    open("/etc/hostname")
except OSError as error:
    print(error.errno, end="")
"""
    said = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert said.stdout == "24"


def test_one_child_decodes_many_files_and_is_replaced_when_it_is_too_slow(tmp_path: Path) -> None:
    good = written(tmp_path, "a.mp3", encoded(SOUND, "mp3"))
    bad = written(tmp_path, "b.flac", encoded(SOUND, "flac")[:100_000])
    with FileDecoder() as decoder:
        first = decoder.decode(good)
        child = decoder.child_pid
        with pytest.raises(MediaError, match="is cut"):
            decoder.decode(bad)
        assert np.array_equal(decoder.decode(good).pcm, first.pcm)
        assert decoder.child_pid == child
        with pytest.raises(MediaError, match="not decoded within"):
            decoder.decode(good, FileLimits(timeout_s=0.0))
        assert decoder.child_pid is None
        assert np.array_equal(decoder.decode(good).pcm, first.pcm)
    assert decoder.child_pid is None


def test_a_child_that_was_killed_is_told_and_replaced(tmp_path: Path) -> None:
    good = written(tmp_path, "a.mp3", encoded(SOUND, "mp3"))
    with FileDecoder() as decoder:
        decoder.decode(good)
        assert decoder.child_pid is not None
        os.kill(decoder.child_pid, 9)
        with pytest.raises(MediaError, match=r"broke the decoder \(signal 9\)"):
            decoder.decode(good)
        assert decoder.decode(good).duration_s > 4
