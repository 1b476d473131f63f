"""Whole checks on loopback servers: what is asked, what is listened to, and what failures turn out to be."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from airledger.platform.guard import AddressGuard
from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, PLAYING, UNPROVEN
from airledger.stations.probing.check import Checker
from airledger.stations.probing.first_frames import FramesDecoder
from airledger.stations.probing.knock import Knocker
from airledger.stations.probing.stages import CheckJob, Known, Stage, first_stage
from airledger.stations.proof import Proof
from airledger.stations.proof_job import ProofJob
from airledger.stations.tuner import Tuner
from made_sound import encoded, melody
from raw_http import Answer, RawServer, Talk

GUARD = AddressGuard([ip_network("127.0.0.0/8")])
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOUND = encoded(melody(8), "mp3")


@pytest.fixture(scope="module")
def tuner() -> Iterator[Tuner]:
    with Tuner(GUARD) as running:
        yield running


@pytest.fixture(scope="module")
def decoder() -> Iterator[FramesDecoder]:
    made = FramesDecoder()
    yield made
    made.close()


@pytest.fixture
def checker(tuner: Tuner, decoder: FramesDecoder) -> Iterator[Checker]:
    with Checker(Knocker(GUARD, "Airledger-test/1", timeout_s=5), decoder, lambda: tuner) as made:
        yield made


def on_air(talk: Talk) -> None:
    talk.begin(Content_Type="audio/mpeg")
    talk.send(SOUND)
    while not talk.closing.wait(0.2):
        talk.send(SOUND[:3_000])


def status(line: str) -> Answer:
    return lambda talk: talk.answer(b"no", status=f"HTTP/1.1 {line}")


def check(checker: Checker, *jobs: CheckJob) -> dict[int, Proof]:
    return dict(checker.check_all(jobs, NOW))


def job(number: int, url: str, stage: Stage, *, was_playing: bool = False) -> CheckJob:
    return CheckJob(ProofJob(number, url, 1.0), stage, was_playing)


@pytest.mark.parametrize(
    ("known", "stage"),
    [
        (Known(UNPROVEN), Stage.LOOK),
        (Known(FAILING, 3, NOW), Stage.LOOK),
        (Known(FAILING, 3, NOW, is_wrapped=True), Stage.LISTEN),
        (Known(PLAYING, 0, None), Stage.LISTEN),
        (Known(PLAYING, 0, NOW - timedelta(hours=1)), Stage.ASK),
        (Known(PLAYING, 0, NOW - timedelta(hours=2)), Stage.LISTEN),
        (Known(PLAYING, 0, NOW - timedelta(hours=1), is_long_due=True), Stage.LISTEN),
        (Known(PLAYING, 0, NOW - timedelta(hours=1), is_wrapped=True), Stage.LISTEN),
        (Known(PLAYING, 1, NOW - timedelta(minutes=1)), Stage.LOOK),
    ],
)
def test_what_is_known_decides_how_to_begin(known: Known, stage: Stage) -> None:
    assert first_stage(known, NOW, 7_200) is stage


def test_each_stage_says_no_more_than_it_saw(checker: Checker, server: RawServer) -> None:
    live = server.on("/live", on_air)
    found = check(checker, job(1, live, Stage.ASK), job(2, live, Stage.LOOK), job(3, live, Stage.LISTEN))
    assert {number: (proof.level, proof.is_deep) for number, proof in found.items()} == {
        1: (1, False),
        2: (4, True),
        3: (4, True),
    }
    assert found[1].sound_s == 0
    assert len(server.requests) == 4  # the look was followed by listening


def test_what_a_knock_doubts_is_listened_to_and_what_looks_dead_is_not(checker: Checker, server: RawServer) -> None:
    asked: Counter[str] = Counter()

    def once_busy(talk: Talk) -> None:
        asked["doubted"] += 1
        if asked["doubted"] == 1:
            talk.answer(b"", status="HTTP/1.1 503 Busy")
        else:
            on_air(talk)

    doubted = server.on("/doubted", once_busy)
    dead = server.on("/dead", status("410 Gone"))
    found = check(checker, job(1, doubted, Stage.ASK), job(2, dead, Stage.LOOK))
    assert (found[1].is_healthy, found[1].is_deep) == (True, True)
    assert (found[2].cause, found[2].level, found[2].is_deep) == (Cause.NOT_FOUND, 0, False)
    assert found[2].cause_confidence is not None


def test_a_server_that_refuses_our_name_only_is_told(checker: Checker, server: RawServer) -> None:
    def picky(talk: Talk) -> None:
        if "Mozilla" in talk.headers["user-agent"]:
            on_air(talk)
        else:
            talk.answer(b"", status="HTTP/1.1 403 Forbidden")

    found = check(checker, job(1, server.on("/live", picky), Stage.LOOK))
    assert (found[1].cause, found[1].is_healthy) == (Cause.AGENT_REFUSED, False)
    assert len(server.requests) == 2  # once more, and not again


def test_a_leave_that_ran_out_is_told(checker: Checker, server: RawServer) -> None:
    server.on("/live", status("403 Forbidden"))
    past, future = int(NOW.timestamp()) - 60, int(time.time()) + 10**8
    found = check(
        checker,
        job(1, f"{server.base}/live?e={past}", Stage.LOOK),
        job(2, f"{server.base}/live?e={future}", Stage.LOOK),
    )
    assert (found[1].cause, found[2].cause) == (Cause.TOKEN_EXPIRED, Cause.FORBIDDEN)


def test_an_icecast_server_without_the_source_is_told(checker: Checker, server: RawServer) -> None:
    page = b'{"icestats":{"source":{"listenurl":"http://a.example:8000/other"}}}'
    server.on("/status-json.xsl", lambda talk: talk.answer(page))
    found = check(checker, *(job(n, f"{server.base}/mount{n}", Stage.LOOK) for n in range(3)))
    assert {proof.cause for proof in found.values()} == {Cause.SOURCE_OFFLINE}
    assert Counter(talk.path for talk in server.requests)["/status-json.xsl"] == 1
    found = check(checker, job(9, f"{server.base}/other", Stage.LOOK))
    assert found[9].cause is Cause.NOT_FOUND  # the page says that it has a source: so the 404 stands


@pytest.mark.parametrize(
    ("path", "body"),
    [("/stats", b'{"currentlisteners":0,"streamstatus":0}'), ("/7.html", b"<HTML><body>0,0,9,100,0,128,</body>")],
)
def test_a_shoutcast_server_without_a_source_is_told(
    checker: Checker, server: RawServer, path: str, body: bytes
) -> None:
    def page(talk: Talk) -> None:
        talk.answer(body if "Mozilla" in talk.headers["user-agent"] else b"", Content_Type="text/html")

    server.on(path, page)
    server.on("/;", lambda talk: talk.answer(b"<html><body>SHOUTcast</body></html>" + b" " * 600))
    found = check(checker, job(1, f"{server.base}/;", Stage.LOOK))
    assert found[1].cause is Cause.SOURCE_OFFLINE


def test_a_host_that_asks_for_a_rest_is_left_alone_without_blame(checker: Checker, server: RawServer) -> None:
    busy = lambda talk: talk.answer(b"", status="HTTP/1.1 429 Slow down", Retry_After="300")  # noqa: E731
    first = check(checker, job(1, server.on("/busy", busy), Stage.LOOK))
    assert (first[1].cause, first[1].retry_after_s) == (Cause.RATE_LIMITED, 300)
    asked = len(server.requests)
    then = check(checker, job(2, server.on("/live", on_air), Stage.LISTEN), job(3, server.base + "/live", Stage.ASK))
    assert {proof.cause for proof in then.values()} == {Cause.RATE_LIMITED}
    assert len(server.requests) == asked


def test_stopping_gives_up_what_is_under_way(checker: Checker, server: RawServer) -> None:
    server.on("/live", Talk.hang)
    jobs = [job(n, server.base + "/live", Stage.LOOK) for n in range(3)]
    assert list(checker.check_all(jobs, NOW, lambda: bool(server.requests))) == []
