"""Requests that no browser sends, to a real API on either database: each is a problem, and the process lives on."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from acceptance.installation import Installation
from servers.process import HOST, bound_to_us, wait_until

DEEP = b"[" * 200_000
JSON = {"Content-Type": "application/json"}
PEAK_MIB = 500


@dataclass
class Served:
    """An API process, and who is signed in to it."""

    address: str
    port: int
    process: psutil.Process
    client: httpx.Client
    log: Path

    def lives(self) -> bool:
        return bool(self.process.is_running() and self.client.get("/healthz").is_success)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, url = tmp_path_factory.mktemp("served"), ""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = server.url(server.create_database())
    settings = {"AIRLEDGER_SOURCES": "[]", "AIRLEDGER_REQUESTS_PER_MINUTE": "100000"}
    house = Installation(folder, url, is_demo=False, settings=settings)
    link = house.run("link").strip().partition("link=")[2]
    log = folder / "api.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            bound_to_us([sys.executable, "-m", "airledger", "api"], signal.SIGTERM),
            env=house.environment | {"AIRLEDGER_PORT": str(house.port)},
            stdout=file,
            stderr=file,
        )
    try:
        with httpx.Client(base_url=house.address, trust_env=False, timeout=30) as client:
            wait_until(lambda: answers(client), "the API answers", 90)
            token = client.post("/api/v1/auth/login", json={"link": link}).raise_for_status().json()["token"]
            client.cookies.clear()
            client.headers["Authorization"] = f"Bearer {token}"
            yield Served(house.address, house.port, psutil.Process(process.pid), client, log)
    finally:
        process.terminate()
        process.wait(30)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def is_refused(served: Served, answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:500], tail(served.log))
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 20_000
    assert served.lives()


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/api/v1/streams", "/api/v1/keys", "/api/v1/accounts"])
@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b'{"a":' * 100_000,
        b'{"url": 1e400}',
        b"NaN",
        b'"\\ud800"',
        b"\xff\xfe\x00",
        b"",
        b'{"url": "http://a.example/' + b"a" * 100_000 + b'"}',
        b'{"email": "' + b"a" * 100_000 + b'", "password": "x"}',
    ],
    ids=["deep array", "deep object", "infinite", "NaN", "surrogate", "bytes", "nothing", "long url", "long email"],
)
def test_bodies_that_cannot_be_meant_are_refused(served: Served, path: str, body: bytes) -> None:
    is_refused(served, served.client.post(path, content=body, headers=JSON))


@pytest.mark.parametrize("bad", ["\x00", "\ud800", "a\x00b"], ids=["NUL", "surrogate", "NUL inside"])
@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/auth/login", {"email": "BAD", "password": "secret secret"}),
        ("/api/v1/auth/login", {"email": "a@b.example", "password": "BAD"}),
        ("/api/v1/auth/login", {"link": "BAD"}),
        ("/api/v1/streams", {"url": "http://a.example/BAD"}),
        ("/api/v1/streams", {"url": "http://BAD.example/"}),
    ],
    ids=["email", "password", "link", "url", "host"],
)
def test_characters_that_no_database_keeps_are_refused(
    served: Served, path: str, template: dict[str, str], bad: str
) -> None:
    body = json.dumps({key: value.replace("BAD", bad) for key, value in template.items()})
    is_refused(served, served.client.post(path, content=body.encode(), headers=JSON))


@pytest.mark.parametrize("bad", ["x\x00y", "x\ud800y"], ids=["NUL", "surrogate"])
@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/streams", {"url": "http://a.example/PLACE", "name": "BAD"}),
        ("/api/v1/keys", {"name": "BAD", "scopes": ["catalogue:read"]}),
        ("/api/v1/accounts", {"email": "PLACE@a.example", "name": "BAD", "role": "viewer"}),
    ],
    ids=["stream", "key", "account"],
)
def test_names_with_them_are_refused_or_cleaned(
    served: Served, path: str, template: dict[str, object], bad: str
) -> None:
    body = json.dumps(template).replace("BAD", json.dumps(bad)[1:-1]).replace("PLACE", f"n{len(bad)}{ord(bad[1])}")
    answer = served.client.post(path, content=body.encode(), headers=JSON)
    assert answer.status_code < 500, (answer.text, tail(served.log))
    assert answer.is_success or answer.headers["content-type"] == "application/problem+json"
    assert "\\u0000" not in answer.text or not answer.is_success
    assert served.lives()


@pytest.mark.parametrize(
    "path",
    [
        "/streams?q=%00",
        "/streams?language=%00",
        "/streams?codec=%00&all=true",
        "/streams?cursor=%00",
        "/streams?bbox=nan,nan,inf,1",
        "/streams?bbox=1e999,0,0,0",
        "/streams?limit=99999999999999999999",
        "/streams/99999999999999999999",
        "/streams/%00",
        "/plays?q=%00",
        "/plays?cursor=%00",
        "/plays?since=99999-01-01T00:00:00Z",
        "/plays?stream_id=99999999999999999999",
        "/recordings?q=%00",
        "/recordings/%00",
        "/tasks?status=%00",
        "/tasks?cursor=%00",
        "/coverage?stream_id=99999999999999999999",
        "/audit?cursor=%00",
        "/streams?q=%ff%fe",
    ],
)
def test_queries_with_what_cannot_be_looked_for_break_nothing(served: Served, path: str) -> None:
    answer = served.client.get(f"/api/v1{path}")
    assert answer.status_code < 500, (answer.text, tail(served.log))
    assert served.lives()


def test_a_body_of_ten_megabytes_is_refused_declared_or_not(served: Served) -> None:
    block = b" " * 65_536

    def pieces() -> Iterator[bytes]:
        for _ in range(160):
            yield block

    for content in (block * 160, pieces()):
        try:
            answer = served.client.post("/api/v1/auth/login", content=content, headers=JSON)
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            continue  # it hung up before all was sent, which is a refusal too
        is_refused(served, answer)
        assert answer.status_code == 413
    assert served.lives()
    assert served.process.memory_info().rss < PEAK_MIB << 20


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-Long: " + b"a" * 2_000_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/streams?q=" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200),
    ],
    ids=["long header", "many headers", "long path", "long query", "negative length", "two lengths", "TLS"],
)
def test_heads_that_are_too_large_or_wrong_are_refused(served: Served, head: bytes) -> None:
    status = first_status(served.port, head)
    assert status is None or 400 <= status < 500
    assert served.lives()
    assert served.process.memory_info().rss < PEAK_MIB << 20


def first_status(port: int, head: bytes) -> int | None:
    """Send bytes; return the answer's status, None where the server hangs up instead."""
    with socket.create_connection((HOST, port), timeout=20) as connection:
        try:
            connection.sendall(head)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
        except (ConnectionError, http.client.BadStatusLine):
            return None
        return answer.status
