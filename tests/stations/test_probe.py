"""Proofs: through the real tuner against servers on loopback, and with a scripted one where time matters."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray

from airledger.audio.stream_format import StreamFormat
from airledger.platform.guard import AddressGuard
from airledger.stations.cause import Cause
from airledger.stations.probe import PER_HOST, prove, prove_all
from airledger.stations.proof import Proof
from airledger.stations.proof_job import ProofJob, is_loopback
from airledger.stations.tuner import Connected, IcyInfo, Listening, TuneEnded, Tuner
from made_sound import encoded, melody
from raw_http import Answer, RawServer, Talk

SOUND_RATE_HZ = 8_000
SECONDS = 2.0
BURST_S = 20


@pytest.fixture(scope="module")
def tuner() -> Iterator[Tuner]:
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")])) as running:
        yield running


def on_air(body: bytes, **headers: str) -> Answer:
    """Send 20 s of sound at once, as Icecast greets its listeners, and go on in real time for ever."""

    def answer(talk: Talk) -> None:
        talk.begin(Content_Type="audio/mpeg", **headers)
        talk.send(body)
        piece = len(body) // (BURST_S * 10)
        while not talk.closing.wait(0.1):
            talk.send(body[:piece])

    return answer


def test_a_good_stream(tuner: Tuner, server: RawServer) -> None:
    body = encoded(melody(BURST_S), "mp3", bit_rate=96_000)
    url = server.on("/live", on_air(body, icy_name="Radio", icy_br="96"))
    proof = prove(url, tuner, seconds=SECONDS, headers={"User-Agent": "V"}, claimed_kbps=320)
    assert (proof.level, proof.is_healthy, proof.cause) == (4, True, None)
    assert (proof.codec, proof.sample_rate_hz, proof.has_picture) == ("mp3", 44_100, False)
    assert (proof.bitrate_claimed_kbps, proof.warnings) == (96, ("false_bitrate",))
    assert proof.bandwidth_kbps == pytest.approx(96, rel=0.25)
    assert proof.connected is not None
    assert proof.connected.icy.name == "Radio"
    assert proof.response_time_ms is not None
    assert server.requests[0].headers["user-agent"] == "V"


def test_silence(tuner: Tuner, server: RawServer) -> None:
    url = server.on("/silent", on_air(encoded(np.zeros(44_100 * BURST_S, np.float32), "mp3")))
    proof = prove(url, tuner, seconds=SECONDS)
    assert (proof.level, proof.cause, proof.has_sound) == (3, Cause.SILENT, True)


def test_what_never_plays(tuner: Tuner, server: RawServer) -> None:
    page = server.on("/page", lambda talk: talk.answer(b"<html>" + b"x" * 5_000, Content_Type="audio/mpeg"))
    loop = server.on("/loop", lambda talk: talk.answer(b"", status="HTTP/1.1 302 Found", Location="/loop"))
    expected = {
        server.base + "/absent": (0, Cause.NOT_FOUND, 404),
        page: (1, Cause.NOT_MEDIA, None),
        loop: (0, Cause.REDIRECT_LOOP, None),
        "http://127.0.0.1:1/": (-1, Cause.REFUSED, None),
        "http://10.0.0.1/": (-1, Cause.ADDRESS_REFUSED, None),
    }
    jobs = [ProofJob(n, url, SECONDS) for n, url in enumerate(expected)]
    found = {job.url: proof for job, proof in prove_all(tuner, jobs)}
    for url, (level, cause, status) in expected.items():
        proof = found[url]
        assert (proof.level, proof.cause) == (level, cause), url
        assert not proof.is_healthy
        assert proof.permanent
        assert status is None or proof.http_status == status


class Script:
    """Stands in for the tuner: tells each listener what a test wants told, on a thread of its own."""

    def __init__(self, tell: Callable[[Listening], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.closed = 0

    def tune(self, url: str, listener: Listening, *, headers: Mapping[str, str] | None = None) -> "Scripted":
        del headers
        host = urlsplit(url).hostname or ""
        with self._lock:
            for name in (host, "all"):
                self.at_once[name] += 1
                self.most[name] = max(self.most[name], self.at_once[name])
        thread = threading.Thread(target=self._tell, args=(listener,))
        thread.start()
        return Scripted(self, host, thread)

    def close(self, host: str) -> None:
        with self._lock:
            self.closed += 1
            for name in (host, "all"):
                self.at_once[name] -= 1


class Scripted:
    """A stream of a script."""

    def __init__(self, script: Script, host: str, thread: threading.Thread) -> None:
        self._script = script
        self._host = host
        self._thread = thread

    def close(self) -> None:
        self._thread.join()
        self._script.close(self._host)


def heard(pcm: NDArray[np.int16], seconds: float = 0.2) -> Proof:
    """Prove a stream whose sound comes all at once."""

    def tell(listener: Listening) -> None:
        info = Connected("http://a/", (), 200, {}, IcyInfo(), "audio/mpeg", "mp3", "icy", 1.0, "192.0.2.1", 0.0)
        listener.connected(info)
        listener.format(StreamFormat("mp3", "mp3", 44_100, 1))
        listener.bytes_received(len(pcm) * 2, 0.0)
        listener.sound(pcm, 0, 0.0, None)

    return next(prove_all(Script(tell), [ProofJob(1, "http://a/", seconds)]))[1]


def as_pcm(sound: NDArray[np.float32]) -> NDArray[np.int16]:
    pcm: NDArray[np.int16] = (sound * 30_000).astype(np.int16)
    return pcm


def test_a_loop_is_found_in_a_long_proof_only() -> None:
    loop = as_pcm(melody(20, SOUND_RATE_HZ))
    proof = heard(np.tile(loop, 4)[: 65 * SOUND_RATE_HZ])
    assert (proof.level, proof.cause, proof.is_long) == (3, Cause.LOOPED, True)
    assert "20.0 s" in (proof.detail or "")
    assert heard(np.tile(loop, 2)).is_healthy
    assert heard(as_pcm(melody(65, SOUND_RATE_HZ))).is_healthy


def test_politeness_and_concurrency() -> None:
    def end(listener: Listening) -> None:
        listener.ended(TuneEnded(Cause.TIMEOUT, False, "scripted"))

    script = Script(end)
    jobs = [ProofJob(n, f"http://host{n % 2}.example/{n}", 1) for n in range(40)]
    jobs += [ProofJob(100 + n, f"http://127.0.0.1/{n}", 1) for n in range(40)]
    done = [job.id for job, _ in prove_all(script, jobs, concurrency=12)]
    assert sorted(done) == sorted(job.id for job in jobs)
    assert script.closed == len(jobs)
    assert script.most["host0.example"] <= PER_HOST
    assert script.most["all"] <= 12
    assert script.at_once["all"] == 0


def test_stopping_abandons_what_is_under_way() -> None:
    script = Script(lambda _: None)
    asked = iter([False, True])
    jobs = [ProofJob(n, f"http://h{n}.example/", 1) for n in range(5)]
    assert list(prove_all(script, jobs, stopping=lambda: next(asked))) == []
    assert script.closed == len(jobs)


def test_this_machine_knows_itself() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert not is_loopback("example.com")
    assert not is_loopback("127.example.com")
