from __future__ import annotations

import json
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest

from airledger.testing.band import BAD, BAND, GOOD, Station
from airledger.testing.pcm import SONG_RATE_HZ, Pcm, level_dbfs
from airledger.testing.playout import Playout
from airledger.testing.programme import plan
from airledger.testing.transmitter import Transmitter
from airledger.testing.truth import read_truth
from testing_decoding import decode, displacement, stream_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airledger.testing.takes import Takes

SPEED = 2.0
TIMEOUT_S = 60.0
HEARD_S = 5.0


@pytest.fixture(scope="module")
def on_air(band_folder: Path, takes: Takes) -> Iterator[Transmitter]:
    with Transmitter(band_folder, speed=SPEED, songs=len(takes.songs)) as transmitter:
        yield transmitter


def _get(url: str) -> tuple[dict[str, str], bytes]:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own loopback address
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def _head_and_body(url: str, size: int, request_headers: str = "") -> tuple[str, dict[str, str], bytes]:
    """Read the head and at least so many bytes of an endless body from the bare socket."""
    parts = urlsplit(url)
    data = b""
    with socket.create_connection((parts.hostname or "", parts.port or 0), TIMEOUT_S) as connection:
        connection.sendall(f"GET {parts.path} HTTP/1.0\r\nHost: x\r\n{request_headers}\r\n".encode())
        while b"\r\n\r\n" not in data or len(data.split(b"\r\n\r\n", 1)[1]) < size:
            received = connection.recv(65_536)
            if not received:
                break
            data += received
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}, body


def _meant(takes: Takes, key: str, start: int, length_s: float) -> Pcm:
    """Make the programme again from its plan: what must have been sent."""
    playout = Playout(plan(takes.repertoire, 1, key), takes.sound)
    playout.announce(start + int(length_s * SONG_RATE_HZ))
    return playout.render(start, int(length_s * SONG_RATE_HZ))


def _assert_on_programme(takes: Takes, station: Station, sent: Pcm, position: int) -> None:
    margin = SONG_RATE_HZ // 10
    meant = _meant(takes, station.key, position - margin, len(sent) / SONG_RATE_HZ + 0.2)
    late, likeness = displacement(sent, meant)
    assert likeness > 0.9
    assert late + margin == pytest.approx(0, abs=0.03 * SONG_RATE_HZ)


@pytest.mark.parametrize("station", [s for s in BAND if s.is_heard and not s.is_hls], ids=lambda s: s.key)
def test_endless_streams_decode_to_the_programme(on_air: Transmitter, takes: Takes, station: Station) -> None:
    size = min(60_000, int(HEARD_S * station.bitrate_kbps * 1000 / 8))  # within the burst
    status, headers, body = _head_and_body(on_air.station(station.key).stream_url, size)
    assert status == ("ICY 200 OK" if station.way == "shoutcast" else "HTTP/1.0 200 OK")
    assert headers["access-control-allow-origin"] == "*"
    assert headers["icy-br"] == str(station.claimed_kbps)
    sent = decode(body)
    assert len(sent) / SONG_RATE_HZ > 2.5
    _assert_on_programme(takes, station, sent, int(headers["x-airledger-position"]))


@pytest.mark.parametrize("station", [s for s in GOOD if s.is_hls], ids=lambda s: s.key)
def test_segments_decode_to_the_programme(on_air: Transmitter, takes: Takes, station: Station) -> None:
    url = on_air.station(station.key).url
    _, text = _get(url)
    if b"EXT-X-STREAM-INF" in text:
        url = urljoin(url, text.decode().splitlines()[-1])
        _, text = _get(url)
    lines = text.decode().splitlines()
    assert sum(line.startswith("#EXT-X-PROGRAM-DATE-TIME:") for line in lines) >= 3
    names = [line for line in lines if not line.startswith("#")]
    init = b""
    if '#EXT-X-MAP:URI="init.mp4"' in lines:
        init = _get(urljoin(url, "init.mp4"))[1]
    answers = [_get(urljoin(url, name)) for name in names[-2:]]
    data = init + b"".join(body for _, body in answers)
    assert answers[0][0]["access-control-allow-origin"] == "*"
    kinds = stream_kinds(data, None if init else "mpegts")
    assert kinds == ([("video", "h264")] if station.is_tv else []) + [("audio", "aac")]
    _assert_on_programme(
        takes, station, decode(data, None if init else "mpegts"), int(answers[0][0]["x-airledger-position"])
    )


def test_program_date_time_says_when_a_segment_began(on_air: Transmitter) -> None:
    published = on_air.station("naseem-el-nil")
    epoch_s = next(c.epoch_s for c in on_air.truth().stations if c.run == on_air.run)
    _, text = _get(published.url)
    lines = text.decode().splitlines()
    stamp = next(line for line in lines if "DATE-TIME" in line).partition(":")[2]
    name = next(line for line in lines if line.startswith("segment"))
    position = int(_get(urljoin(published.url, name))[0]["x-airledger-position"])
    from datetime import datetime

    assert datetime.fromisoformat(stamp).timestamp() == pytest.approx(epoch_s + position / SONG_RATE_HZ, abs=2e-3)


def test_titles_are_those_of_the_truth(on_air: Transmitter) -> None:
    url = on_air.station("spreewelle").stream_url
    _, headers, body = _head_and_body(url, 40_000, "Icy-MetaData: 1\r\n")
    metaint = int(headers["icy-metaint"])
    length = 16 * body[metaint]
    title = body[metaint + 1 : metaint + 1 + length].rstrip(b"\0").decode()
    position = int(headers["x-airledger-position"]) + metaint * 8 * SONG_RATE_HZ // 128_000
    songs = [p for p in on_air.truth().songs() if p.clock.station == "spreewelle" and p.clock.run == on_air.run]
    near = [s.title for s in songs if s.start - SONG_RATE_HZ <= position < s.end + SONG_RATE_HZ]
    assert title in {f"StreamTitle='{said}';StreamUrl='';" for said in [*near, ""]}


def test_a_listener_gets_a_burst_and_then_what_is_new(on_air: Transmitter) -> None:
    url = on_air.station("spreewelle").stream_url
    _, first, _ = _head_and_body(url, 130_000)
    _, second, body = _head_and_body(url, 130_000)
    assert int(second["x-airledger-position"]) > int(first["x-airledger-position"])
    assert len(decode(body)) / SONG_RATE_HZ == pytest.approx(len(body) * 8 / 128_000, rel=0.02)


def test_playlists_point_at_streams(on_air: Transmitter) -> None:
    pls, m3u = on_air.station("nadwislanska"), on_air.station("savana")
    assert f"File1={pls.stream_url}" in _get(pls.url)[1].decode().splitlines()
    assert m3u.stream_url in _get(m3u.url)[1].decode().splitlines()


def test_the_band_is_large_and_wide() -> None:
    assert len(GOOD) >= 12
    assert {s.way for s in GOOD} == {"icecast", "shoutcast", "hls-ts", "hls-fmp4", "hls-picture"}
    assert {s.codec for s in GOOD} >= {"mp3", "mp3-stereo", "aac", "vorbis", "opus"}
    assert len({s.country_code for s in BAND}) == len({s.key for s in BAND}) == len(BAND)
    assert {s.expected_cause for s in BAD} == {
        "not_found", "refused", "stalled", "not_media", "silent", "looped", "redirect_loop", "false_bitrate",
    }  # fmt: skip


def test_directories_list_every_station(on_air: Transmitter) -> None:
    root = ET.fromstring(_get(f"{on_air.base}/yp.xml")[1])  # noqa: S314 - our own
    listed = {entry.findtext("listen_url"): entry.findtext("server_name") for entry in root}
    assert listed == {p.url: p.station.name for p in on_air.stations if not p.station.is_hls}
    m3u = _get(f"{on_air.base}/stations.m3u")[1].decode().splitlines()
    assert [line for line in m3u if not line.startswith("#")] == [p.url for p in on_air.stations]
    rows = json.loads(_get(f"{on_air.base}/json/stations/search?limit=1000&hidebroken=true")[1])
    assert [row["url"] for row in rows] == [p.url for p in on_air.stations]
    assert len({row["stationuuid"] for row in rows}) == len(BAND)
    assert all(-90 <= row["geo_lat"] <= 90 and len(row["countrycode"]) == 2 for row in rows)


def test_the_station_search_pages_and_filters(on_air: Transmitter) -> None:
    search = f"{on_air.base}/json/stations/search"
    whole = json.loads(_get(search)[1])
    paged = [row for offset in range(0, 40, 5) for row in json.loads(_get(f"{search}?offset={offset}&limit=5")[1])]
    assert paged == whole
    assert [row["countrycode"] for row in json.loads(_get(f"{search}?countrycode=eg")[1])] == ["EG"]
    assert [row["name"] for row in json.loads(_get(f"{search}?tag=tv")[1])] == ["Sagar TV Mumbai"]
    ordered = [row["name"] for row in json.loads(_get(f"{search}?order=name&reverse=true")[1])]
    assert ordered == sorted(ordered, reverse=True)
    with pytest.raises(HTTPError, match="400"):
        _get(f"{search}?limit=many")


def test_bad_stations_fail_each_in_its_way(on_air: Transmitter) -> None:
    with pytest.raises(HTTPError, match="404"):
        _get(on_air.station("gone-fm").url)
    with pytest.raises(URLError, match="refused"):
        _get(on_air.station("dichte-tuer").url)
    with pytest.raises(HTTPError, match="infinite loop"):
        _get(on_air.station("vueltas").url)
    headers, body = _get(on_air.station("front-page").url)
    assert headers["content-type"] == "audio/mpeg"
    assert body.startswith(b"<!DOCTYPE html>")
    parts = urlsplit(on_air.station("radio-attesa").url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), TIMEOUT_S) as connection:
        connection.sendall(f"GET {parts.path} HTTP/1.0\r\n\r\n".encode())
        head = connection.recv(4096)
        assert b"audio/mpeg" in head
        assert head.endswith(b"\r\n\r\n")
        assert select.select([connection], [], [], 0.5)[0] == []


def test_the_silent_station(on_air: Transmitter) -> None:
    _, _, body = _head_and_body(on_air.station("hiljainen").url, 60_000)
    assert level_dbfs(decode(body)) < -90


def test_the_looping_station_at_eight_times_the_speed(band_folder: Path) -> None:
    looping = [s for s in BAD if s.sound == "loop"]
    with Transmitter(band_folder, songs=4, speed=8, stations=looping) as transmitter:
        _, _, body = _head_and_body(transmitter.stations[0].url, 26 * 96_000 // 8)
    loop = decode(body)
    turn = 20 * SONG_RATE_HZ
    assert level_dbfs(loop[:turn]) > -25
    late, likeness = displacement(loop[turn : turn + 5 * SONG_RATE_HZ], loop[:turn])
    assert likeness > 0.95
    assert late == 0


def test_the_false_claim_is_false(on_air: Transmitter) -> None:
    _, headers, body = _head_and_body(on_air.station("big-sound").url, 64_000)
    assert headers["icy-br"] == "320"
    assert len(decode(body)) / SONG_RATE_HZ == pytest.approx(len(body) * 8 / 64_000, rel=0.02)


@pytest.mark.parametrize(
    "request_head",
    [b"HEAD /spreewelle.mp3 HTTP/1.0\r\n\r\n", b"nonsense\r\n\r\n", b"GET http://[ HTTP/1.0\r\n\r\n", b"x" * 20_000],
)
def test_what_is_no_get_is_answered_400(on_air: Transmitter, request_head: bytes) -> None:
    parts = urlsplit(on_air.base)
    with socket.create_connection((parts.hostname or "", parts.port or 0), TIMEOUT_S) as connection:
        connection.sendall(request_head)
        assert b" 400 " in connection.recv(4096).split(b"\r\n")[0]


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200"), ("POST", "405"), ("OPTIONS", "204")])
def test_other_methods_are_answered_as_http_wants_it(on_air: Transmitter, method: str, status: str) -> None:
    parts = urlsplit(on_air.base)
    with socket.create_connection((parts.hostname or "", parts.port or 0), TIMEOUT_S) as connection:
        connection.sendall(f"{method} /yp.xml HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1].decode() == status
    assert b"Access-Control-Allow-Origin: *" in head
    assert (body == b"") == (method != "POST")


def test_truth_is_written_for_every_station_that_is_heard(on_air: Transmitter) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    keys = {s.key for s in BAND if s.is_heard}
    while time.monotonic() < deadline:
        truth = on_air.truth()
        aired = [p for p in truth.plays if p.clock.run == on_air.run]
        if {p.clock.station for p in aired} == keys:
            break
    assert {p.clock.station for p in aired} == keys
    assert {c.station for c in truth.stations if c.run == on_air.run} == {s.key for s in BAND}
    for play in aired:
        assert play.start <= play.first < play.last < play.end
        assert play.reference_start == 0
    for song in truth.songs():
        for low, high in truth.talk_over(song):
            assert song.start <= low < high <= song.end


@contextmanager
def _program(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    command = [sys.executable, "-m", "airledger.testing.transmitter", "--dir", str(folder), "--songs", "4", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_when_it_serves_and_ends_cleanly(band_folder: Path, number: signal.Signals) -> None:
    with _program(band_folder, "--speed", "2") as (process, ready):
        assert ready["ready"]
        assert b"<directory>" in _get(f"{ready['base']}/yp.xml")[1]
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == 0
    truth = read_truth(band_folder)
    assert ready["run"] in truth.stopped_s
    assert {c.speed for c in truth.stations if c.run == ready["run"]} == {2.0}


def test_a_killed_run_leaves_a_truth_that_the_next_one_continues(band_folder: Path) -> None:
    with _program(band_folder) as (process, killed):
        process.kill()
        process.wait(TIMEOUT_S)
    with (band_folder / "truth.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"row": "aired", "stat')
    with Transmitter(band_folder, songs=4, stations=GOOD[:1]) as again:
        truth = again.truth()
    assert killed["run"] not in truth.stopped_s
    assert {killed["run"], again.run} <= {c.run for c in truth.stations}
    assert any(p.clock.run == again.run for p in truth.plays)
