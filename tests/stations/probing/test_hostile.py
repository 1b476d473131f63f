"""Hostile servers and addresses: refused or ended by every door we have, with a clear cause and a bounded bill."""

import resource
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from airledger.platform import first_bytes
from airledger.platform.fetch import Fetcher
from airledger.platform.fetch_error import FetchCause, FetchError
from airledger.platform.guard import AddressGuard
from airledger.stations.cause import Cause
from airledger.stations.probe import prove
from airledger.stations.probing.knock import LOOK_BYTES, Knocker
from airledger.stations.proof_job import ProofJob
from airledger.stations.tuner import Tuner, TunerLimits
from made_sound import encoded, melody
from raw_http import Answer, RawServer, Talk

LOOPBACK = AddressGuard([ip_network("127.0.0.0/8")])
ONLY_ONE = AddressGuard([ip_network("127.0.0.1/32")])
HASTY = TunerLimits(
    connect_s=2, answer_s=1.5, stall_s=1.5, sniff_s=1, first_sound_s=2, playlist_bytes=64 * 1024, playlist_depth=3
)
SOUND = encoded(melody(4), "mp3")

Look = Callable[[AddressGuard, str], Cause | None]


def by_knock(guard: AddressGuard, url: str) -> Cause | None:
    knocker = Knocker(guard, "t", timeout_s=2)
    try:
        return next(knocker.knock([ProofJob(1, url, 1)], wanted_bytes=LOOK_BYTES)).cause
    finally:
        knocker.close()


def by_tuner(guard: AddressGuard, url: str) -> Cause | None:
    with Tuner(guard, limits=HASTY) as tuner:
        return prove(url, tuner, seconds=1).cause


def by_fetch(guard: AddressGuard, url: str) -> Cause | None:
    try:
        Fetcher(guard, "t").get(url, max_bytes=100_000, timeout_s=2)
    except FetchError as error:
        return Cause.ADDRESS_REFUSED if error.cause is FetchCause.ADDRESS_REFUSED else Cause.HTTP_ERROR
    return None


DOORS = pytest.mark.parametrize("look", [by_knock, by_tuner, by_fetch])


@DOORS
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",  # decimal
        "0x7f000001",  # hexadecimal
        "0177.0.0.1",  # octal
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",  # IPv4-mapped
        "[::127.0.0.1]",  # IPv4-compatible
        "[2002:7f00:1::1]",  # 6to4
        "[64:ff9b::7f00:1]",  # NAT64
        "[64:ff9b:1::7f00:1]",  # NAT64, local prefix
        "169.254.169.254",  # a cloud's metadata
    ],
)
def test_no_spelling_of_a_private_address_is_dialled(look: Look, server: RawServer, host: str) -> None:
    server.on("/live", lambda talk: talk.answer(SOUND))
    assert look(AddressGuard(), f"http://{host}:{server.port}/live") is Cause.ADDRESS_REFUSED
    assert server.requests == []


@DOORS
def test_a_redirect_to_a_private_address_is_not_followed(look: Look, server: RawServer) -> None:
    there = f"http://127.0.0.2:{server.port}/secret"
    url = server.on("/go", lambda talk: talk.answer(b"", status="HTTP/1.1 302 Found", Location=there))
    assert look(ONLY_ONE, url) is Cause.ADDRESS_REFUSED
    assert [talk.path for talk in server.requests] == ["/go"]


@DOORS
def test_a_name_that_changes_its_address_is_judged_at_each_dial(
    look: Look, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first answer of the name server is harmless, the second is not."""
    import pycurl

    from airledger.platform import curl_request

    server.on("/live", lambda talk: talk.answer(SOUND))
    prepare = curl_request.prepare
    addresses = iter(["127.0.0.1"])

    def rebound(curl: Any, *given: Any, **named: Any) -> None:
        prepare(curl, *given, **named)
        address = next(addresses, "127.0.0.2")
        curl.setopt(pycurl.RESOLVE, [f"-rebinding.example:{server.port}", f"rebinding.example:{server.port}:{address}"])

    for module in (curl_request, first_bytes):
        monkeypatch.setattr(module, "prepare", rebound)
    monkeypatch.setattr("airledger.platform.fetch.prepare", rebound)
    monkeypatch.setattr("airledger.platform.multifetch.prepare", rebound)
    url = f"http://rebinding.example:{server.port}/live"
    look(ONLY_ONE, url)
    assert look(ONLY_ONE, url) is Cause.ADDRESS_REFUSED
    assert len(server.requests) == 1  # the one that was dialled where it may be


def endless_headers(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        talk.send(b"X-More: " + b"y" * 4_000 + b"\r\n")


def endless_titles(talk: Talk) -> None:
    """ICY metadata without sound: an interval of one byte, and as long a title as there can be, for ever."""
    talk.begin(Content_Type="audio/mpeg", icy_metaint="1")
    block = b"\xff" + bytes([255]) + b"StreamTitle='" + b"a" * (255 * 16 - 13)
    while True:
        talk.send(block)


def endless_chunks(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: audio/mpeg\r\n\r\n")
    while True:
        talk.send(b"1;x=" + b"e" * 4_000 + b"\r\n\xff\r\n")


def dribbling(talk: Talk) -> None:
    """Slowloris: a header byte now and then."""
    talk.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not talk.closing.wait(0.2):
        talk.send(b"a")


def dribbling_body(talk: Talk) -> None:
    talk.begin(Content_Type="audio/mpeg")
    while not talk.closing.wait(0.2):
        talk.send(b"\x00")


def itself(talk: Talk) -> None:
    """A playlist that leads to itself under a new name each time."""
    host = talk.headers["host"]
    talk.answer(
        f"#EXTM3U\nhttp://{host}/list?{len(talk.path)}{talk.path[-8:]}x\n".encode(), Content_Type="audio/x-mpegurl"
    )


def ten_megabytes(talk: Talk) -> None:
    host = talk.headers["host"]
    line = f"http://{host}/list?".encode()
    talk.begin(Content_Type="audio/x-mpegurl")
    talk.send(b"#EXTM3U\n")
    for number in range(200_000):
        talk.send(line + str(number).encode() + b"x" * 20 + b"\n")


@pytest.fixture
def bill() -> Iterator[None]:
    """Say what may be spent: ten seconds and 60 MiB."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024
    assert time.process_time() - began < 10


@pytest.mark.usefixtures("bill")
@pytest.mark.parametrize(
    ("answer", "knocked", "tuned"),
    [
        (endless_headers, {Cause.TOO_LARGE}, {Cause.TOO_LARGE}),
        (endless_titles, {Cause.UNDECODABLE}, {Cause.UNDECODABLE, Cause.STALLED}),
        (
            endless_chunks,
            {Cause.UNDECODABLE, Cause.HTTP_ERROR, Cause.ENDED},
            {Cause.UNDECODABLE, Cause.HTTP_ERROR, Cause.ENDED},
        ),
        (dribbling, {Cause.TIMEOUT}, {Cause.TIMEOUT}),
        (dribbling_body, {Cause.UNDECODABLE}, {Cause.UNDECODABLE}),
        (itself, {None}, {Cause.REDIRECT_LOOP}),
        (ten_megabytes, {None}, {Cause.TOO_LARGE}),
    ],
)
def test_a_hostile_server_gets_a_cause_and_no_more(
    server: RawServer, answer: Answer, knocked: set[Cause | None], tuned: set[Cause | None]
) -> None:
    url = server.on("/list", answer)
    assert by_knock(LOOPBACK, url) in knocked
    assert by_tuner(LOOPBACK, url) in tuned
    assert len(server.requests) < 20


def test_a_gzip_bomb_in_a_streams_answer_is_not_unpacked_by_the_tuner(server: RawServer) -> None:
    import gzip

    bomb = gzip.compress(bytes(100_000_000))
    url = server.on("/live", lambda talk: talk.answer(bomb, Content_Encoding="gzip", Content_Type="audio/mpeg"))
    assert by_tuner(LOOPBACK, url) is Cause.UNDECODABLE
