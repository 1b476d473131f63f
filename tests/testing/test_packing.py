from __future__ import annotations

import itertools
import subprocess
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.testing.cmaf import fragment, init_segment
from airledger.testing.encode import FORMATS, encode
from airledger.testing.mpegts import PACKET, START_TICKS, TsMuxer, Unit, crc32_mpeg
from airledger.testing.ogg import OggEncoder, split_pages
from airledger.testing.packets import AdtsEncoder, Encoder, Packet, PacketEncoder, adts_header
from airledger.testing.pcm import SONG_RATE_HZ, Pcm, level_dbfs
from airledger.testing.picture import GROUP, open_test_card
from airledger.testing.stations.hls_ts import PicturePacking, sound_units
from airledger.testing.stations.icy import METAINT, TitleInserter
from airledger.testing.tones import noise, silence, sine, sweep
from testing_decoding import decode, displacement, stream_kinds

if TYPE_CHECKING:
    from pathlib import Path

    from airledger.testing.takes import Takes

BEGIN = 7_000_000
BLOCK = 8_820
OGG_FILE = encode(noise(1.0), SONG_RATE_HZ, "opus")


@pytest.fixture(scope="module")
def music(takes: Takes) -> Pcm:
    song = takes.sound(takes.repertoire.songs[0])
    return (song[5 * SONG_RATE_HZ : 17 * SONG_RATE_HZ] / 32_768).astype(np.float32)


def _encoded(encoder: Encoder, pcm: Pcm) -> list[Packet]:
    return [p for at in range(0, len(pcm), BLOCK) for p in encoder.encode(pcm[at : at + BLOCK])] + encoder.finish()


def _encoder(codec: str) -> Encoder:
    if codec in {"vorbis", "opus"}:
        return OggEncoder(codec, 96, BEGIN)
    return AdtsEncoder(96, BEGIN) if codec == "aac" else PacketEncoder(codec, 128, BEGIN)


@pytest.mark.parametrize("codec", ["mp3", "mp3-stereo", "aac", "vorbis", "opus"])
@pytest.mark.parametrize("join_at", [0, 20])
def test_packets_say_which_sample_they_begin_with(music: Pcm, codec: str, join_at: int) -> None:
    """From the first packet or from one in the middle: what is decoded is what was meant, within 30 ms."""
    encoder = _encoder(codec)
    packets = _encoded(encoder, music)[join_at:]
    assert [p.position for p in packets] == sorted(p.position for p in packets)
    sent = decode(encoder.head + b"".join(p.data for p in packets))
    late, likeness = displacement(sent, music)
    assert likeness > 0.95
    assert packets[0].position - BEGIN + late == pytest.approx(0, abs=0.03 * SONG_RATE_HZ)


def test_constant_rates_are_what_they_claim(music: Pcm) -> None:
    for codec, kbps in (("mp3", 128), ("aac", 96)):
        size = sum(len(p.data) for p in _encoded(_encoder(codec), music))
        assert size * 8 / (len(music) / SONG_RATE_HZ) / 1000 == pytest.approx(kbps, rel=0.06)


@given(st.lists(st.integers(0, 3000), max_size=20))
def test_ogg_pages_are_found_however_the_bytes_come(cuts: list[int]) -> None:
    data = OGG_FILE
    pages, rest, found = [], b"", 0
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for low, high in itertools.pairwise(edges):
        more, rest = split_pages(rest + data[low:high])
        pages += more
        found += sum(len(page) for page, _ in more)
    assert rest == b""
    assert b"".join(page for page, _ in pages) == data
    assert found == len(data)


def test_what_is_no_ogg_page_is_refused() -> None:
    with pytest.raises(ValueError, match="No Ogg page"):
        split_pages(b"ID3" + bytes(100))


def _raw_aac(music: Pcm) -> tuple[PacketEncoder, list[Packet]]:
    encoder = PacketEncoder("aac", 96, 0)
    return encoder, [p for p in _encoded(encoder, music) if p.position >= 0]


def test_fragments_play_as_one_file(music: Pcm) -> None:
    encoder, packets = _raw_aac(music)
    pieces = [packets[i : i + 100] for i in range(0, len(packets), 100)]
    data = init_segment(encoder.audio_specific_config, 96)
    data += b"".join(fragment(n + 1, p[0].position, [x.data for x in p]) for n, p in enumerate(pieces))
    assert stream_kinds(data) == [("audio", "aac")]
    late, likeness = displacement(decode(data), music)
    assert likeness > 0.95
    assert abs(late) <= 1024


def test_transport_stream_segments_join_without_a_seam(music: Pcm, takes: Takes, tmp_path: Path) -> None:
    """Continuity counters run on, tables are right: FFmpeg, told to stop at any error, does not."""
    _, packets = _raw_aac(music)
    packing, length = PicturePacking(takes.test_card), PicturePacking.segment_samples
    segments = [
        packing.segment(k, [p for p in packets if k * length <= p.position < (k + 1) * length]) for k in range(3)
    ]
    assert all(len(segment) % PACKET == 0 and segment[0] == 0x47 for segment in segments)
    for data in (segments[1], b"".join(segments)):
        assert stream_kinds(data, "mpegts") == [("video", "h264"), ("audio", "aac")]
    late, likeness = displacement(decode(b"".join(segments), "mpegts"), music)
    assert likeness > 0.95
    assert abs(late) <= 1024
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(segments))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_sound_alone_as_transport_stream(music: Pcm) -> None:
    _, packets = _raw_aac(music)
    data = TsMuxer(picture=False).segment(sound_units(packets), [])
    assert stream_kinds(data, "mpegts") == [("audio", "aac")]
    assert displacement(decode(data, "mpegts"), music)[1] > 0.95


@given(st.lists(st.binary(min_size=1, max_size=700), min_size=1, max_size=12))
def test_transport_packets_are_whole_whatever_the_payload(payloads: list[bytes]) -> None:
    units = [Unit(START_TICKS + 2000 * n, adts_header(len(data)) + data) for n, data in enumerate(payloads)]
    out = TsMuxer(picture=False).segment(units, [])
    assert len(out) % PACKET == 0
    payload = b""
    for at in range(0, len(out), PACKET):
        packet = out[at : at + PACKET]
        assert packet[0] == 0x47
        if (packet[1] & 0x1F) << 8 | packet[2] == 0x101:
            payload += packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
    assert all(unit.data in payload for unit in units)


def test_crc_of_mpeg_sections() -> None:
    assert crc32_mpeg(b"123456789") == 0x0376E6E7  # the check value of CRC-32/MPEG-2


def test_the_test_card_can_be_looped(tmp_path: Path) -> None:
    card = open_test_card(tmp_path)
    assert open_test_card(tmp_path) == card
    assert len(card.units) % GROUP == 0
    assert card.is_key(0)
    assert card.is_key(GROUP)
    assert not card.is_key(1)
    assert len(card.unit(0)) > 3 * len(card.unit(1))
    assert card.unit(len(card.units)) == card.unit(0)


@given(st.lists(st.tuples(st.binary(max_size=40_000), st.sampled_from(["", "Søren Sång", "x'; y"])), max_size=8))
def test_titles_go_in_and_come_out(chunks: list[tuple[bytes, str]]) -> None:
    inserter = TitleInserter()
    body = b"".join(inserter.feed(data, title) for data, title in chunks)
    audio, titles, at = b"", [], 0
    while at < len(body):
        audio += body[at : at + METAINT]
        at += METAINT
        if at < len(body):
            length = 16 * body[at]
            titles.append(body[at + 1 : at + 1 + length].rstrip(b"\0").decode())
            at += 1 + length
    assert audio == b"".join(data for data, _ in chunks)
    said = [title for title in titles if title]
    assert all(title.startswith("StreamTitle='") and title.endswith("';StreamUrl='';") for title in said)
    assert len(titles) in {len(audio) // METAINT, max(0, (len(audio) - 1) // METAINT)}


@pytest.mark.parametrize("kind", FORMATS)
def test_files_for_tests_hold_what_was_put_in(kind: str) -> None:
    meant = sweep(200, 6000, 3.0)
    data = encode(meant, SONG_RATE_HZ, kind, tags={"title": "Sweep"})
    late, likeness = displacement(decode(data), np.pad(meant, 4000))
    assert likeness > 0.9
    assert abs(late + 4000) <= 2200


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="mp3, adts"):
        encode(silence(1), SONG_RATE_HZ, "wma")


def test_tones_have_the_level_and_pitch_they_say() -> None:
    tone = sine(1000, 1.0, 8000, peak_db=-6)
    assert level_dbfs(tone) == pytest.approx(-9, abs=0.1)
    assert int(np.argmax(np.abs(np.fft.rfft(tone)))) == 1000
    assert level_dbfs(noise(1.0, level_dbfs=-20)) == pytest.approx(-20, abs=0.2)
    assert level_dbfs(silence(1.0)) == -120
