import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.audio.sniff import ENOUGH_BYTES, Kind, Sniffed, id3_length, sniff
from made_sound import MUXERS, encoded, fragmented_mp4, melody

SOUND = melody(3.0)
CONTAINERS = {"opus": "ogg", "mpegts": "mpegts"}


@pytest.mark.parametrize("kind", MUXERS)
def test_every_container_is_known_by_its_first_kilobytes(kind: str) -> None:
    data = encoded(SOUND, kind)
    assert sniff(data[:4096]) == Sniffed(Kind.MEDIA, CONTAINERS.get(kind, kind))


@pytest.mark.parametrize("kind", ["mp3", "aac", "mpegts"])
def test_a_live_stream_is_known_from_any_place(kind: str) -> None:
    data = encoded(SOUND, kind)
    for start in range(3000, 5000, 61):
        assert sniff(data[start : start + 8192]) == Sniffed(Kind.MEDIA, kind), start


@pytest.mark.parametrize(("rate_hz", "bit_rate"), [(22050, 24000), (48000, 320000), (16000, 16000), (8000, 8000)])
def test_mp3_of_every_version_is_known(rate_hz: int, bit_rate: int) -> None:
    data = encoded(melody(4.0, rate_hz), "mp3", rate_hz=rate_hz, bit_rate=bit_rate)
    assert sniff(data[1000:9000]) == Sniffed(Kind.MEDIA, "mp3")


def test_both_parts_of_fragmented_mp4_are_known() -> None:
    init, segments = fragmented_mp4(SOUND)
    assert sniff(init) == sniff(segments[0][:600]) == Sniffed(Kind.MEDIA, "mp4")


def test_sound_behind_an_id3_tag_is_known_by_the_sound() -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256)
    assert id3_length(tag) == 266
    assert sniff(tag + encoded(SOUND, "aac")[:4096]) == Sniffed(Kind.MEDIA, "aac")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (b"<!DOCTYPE html><html><body>Not found", Sniffed(Kind.TEXT)),
        (b"\r\n  <html>", Sniffed(Kind.TEXT)),
        (b"\xef\xbb\xbf<!doctype html>", Sniffed(Kind.TEXT)),
        ("<html><title>Señal en línea".encode("latin-1"), Sniffed(Kind.TEXT)),
        (b'{"error": "gone"}', Sniffed(Kind.TEXT)),
        (b"Too many listeners", Sniffed(Kind.TEXT)),
        (b"[playlist]\nFile1=http://a/\n", Sniffed(Kind.PLAYLIST, "pls")),
        (b"[Reference]\nRef1=http://a/\n", Sniffed(Kind.PLAYLIST, "pls")),
        (b"#EXTM3U\nhttp://a/\n", Sniffed(Kind.PLAYLIST, "m3u")),
        (b"http://a.example/stream\n", Sniffed(Kind.PLAYLIST, "m3u")),
        (b'<asx version="3.0"><entry>', Sniffed(Kind.PLAYLIST, "asx")),
        (b'<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/">', Sniffed(Kind.PLAYLIST, "xspf")),
        (b"", Sniffed(Kind.UNKNOWN)),
        (bytes(5000), Sniffed(Kind.UNKNOWN)),
    ],
)
def test_what_is_no_sound_is_told_apart(text: bytes, verdict: Sniffed) -> None:
    assert sniff(text, whole=True) == verdict


def test_too_little_gives_no_verdict_yet() -> None:
    assert sniff(b"") is None
    assert sniff(b"\xff\xfb\x90") is None
    assert sniff(b"Ogg") is None
    assert sniff(b"Welcome") is None


@given(st.binary(max_size=600))
def test_no_bytes_break_it_and_a_whole_body_always_gets_a_verdict(data: bytes) -> None:
    assert sniff(data, whole=True) is not None
    sniff(data)


@given(st.binary(min_size=1, max_size=64))
def test_enough_bytes_always_get_a_verdict(seed: bytes) -> None:
    data = (seed * (ENOUGH_BYTES // len(seed) + 1))[:ENOUGH_BYTES]
    assert sniff(data) is not None
